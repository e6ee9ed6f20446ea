import { execFileSync } from "node:child_process";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createMasking } from "../../src/masking/masking.ts";
import { maskabilityOf } from "../../src/masking/texts.ts";
import { SEARCHES } from "./compiled-search.ts";

/** Returns the output of a program after the value has been masked in it. */
function maskOutput(value: string | Buffer, output: string | Buffer, create = createMasking): string {
  const masker = create([{ name: "SECRET", value }]).stream();
  return Buffer.concat([Buffer.from(masker.push(Buffer.from(output))), masker.flush()]).toString();
}

const QUOTED = `pass'word"with\\every<kind>&of $pecial/char+\`é€😀`;
const LINES = [
  "-----BEGIN PRIVATE KEY-----",
  "MIIEvQIBADANBgkqhkiG",
  "9w0BAQEFAASCBKcwggSj",
  "AgEAAo==",
  "-----END PRIVATE KEY-----",
];
const PEM = `${LINES.join("\n")}\n`;
const ACCOUNT = JSON.stringify(
  { type: "service_account", private_key: PEM, client: { id: "client-4711" } },
  undefined,
  2,
);

test.each(SEARCHES)("each line end of a value stands for any line end of the output (%s)", (_, create) => {
  // The lines are too short to be masked by themselves.
  const lines = ["first", "second", "third"];
  for (const lineEnd of ["\r\n", "\r", "\n"]) {
    for (const shownLineEnd of ["\r\n", "\r", "\n"]) {
      for (const byte of ["x", "\xff"]) {
        // "\xff" is no UTF-8.
        const value = Buffer.from(byte + lines.join(lineEnd), "latin1");
        const output = Buffer.from(byte + lines.join(shownLineEnd), "latin1");
        expect(maskOutput(value, output, create)).toBe("***");
      }
    }
  }
});

describe("a value with special characters is masked in the form of", () => {
  const formEncoded = new URLSearchParams({ x: QUOTED }).toString().slice(2);
  const asciiJson = JSON.stringify(QUOTED).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const rows: readonly (readonly [string, string])[] = [
    ["plain text", QUOTED],
    ["JSON.stringify", JSON.stringify({ QUOTED })],
    ["JSON in JSON", JSON.stringify(JSON.stringify({ QUOTED }))],
    ["JSON in ASCII", asciiJson],
    ["JSON of PHP", asciiJson.replaceAll("/", String.raw`\/`)],
    [
      "JSON of Go",
      JSON.stringify(QUOTED)
        .replaceAll("<", String.raw`\u003c`)
        .replaceAll(">", String.raw`\u003e`)
        .replaceAll("&", String.raw`\u0026`),
    ],
    ["encodeURIComponent", encodeURIComponent(QUOTED)],
    [
      "encodeURIComponent with lower-case digits",
      encodeURIComponent(QUOTED).replaceAll(/%../g, (code) => code.toLowerCase()),
    ],
    ["encodeURI", encodeURI(QUOTED)],
    ["an HTML form", formEncoded],
    ["a URL's query", new URL(`http://h/?q=${QUOTED}`).search],
    ["base64", Buffer.from(`user:${QUOTED}`).toString("base64")],
    ["base64url", Buffer.from(QUOTED).toString("base64url")],
    ["console.log of JavaScript", inspect({ QUOTED })],
    [
      "XML by name",
      QUOTED.replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("'", "&apos;"),
    ],
    ["XML by number", QUOTED.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)],
    ["fish", `'${QUOTED.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`],
  ];
  test.each(rows)("%s", (_, output) => {
    const out = maskOutput(QUOTED, `before ${output} after`);
    expect(out).toContain("***");
    // Characters of base64 that also hold bits of the neighbouring bytes are not masked.
    expect(out.length).toBeLessThan(50);
  });
});

describe("a value with special characters is masked completely in the form of", () => {
  const escapeAsNumbers = (text: string, which: RegExp): string =>
    text.replaceAll(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const json = JSON.stringify(QUOTED).slice(1, -1);
  const useUpperCase = (text: string): string =>
    text.replaceAll(/(?<=\\u)[\da-f]{4}/g, (digits) => digits.toUpperCase());
  const rows: readonly (readonly [string, string])[] = [
    ["JSON with the characters of HTML as numbers", escapeAsNumbers(json, /[<>&']/g)],
    ["JSON with a slash as a number", escapeAsNumbers(json, /\//g)],
    ["JSON with what must be escaped as numbers", escapeAsNumbers(QUOTED, /["\\]/g)],
    ["JSON with all special characters as numbers", escapeAsNumbers(QUOTED, /[^\w.-]/g)],
    ["JSON in JSON in JSON", [1, 2, 3].reduce((text) => JSON.stringify(text).slice(1, -1), QUOTED)],
    ["JSON of PHP in JSON", JSON.stringify(json.replaceAll("/", String.raw`\/`)).slice(1, -1)],
    ["a URL in a URL", encodeURIComponent(encodeURIComponent(QUOTED))],
    ["JSON in a URL", encodeURIComponent(json)],
    [
      "XML as Mustache writes it",
      QUOTED.replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("'", "&#39;")
        .replaceAll("/", "&#x2F;")
        .replaceAll("`", "&#x60;"),
    ],
    [
      "XML with all special characters as numbers",
      QUOTED.replaceAll(/[^\w.-]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`),
    ],
    ["Shellwords of Ruby", QUOTED.replaceAll(/[^\w\-.,:+/@\n]/gu, String.raw`\$&`)],
    ["$'…' with double quotes escaped", QUOTED.replaceAll(/["\\']/g, String.raw`\$&`)],
  ];
  test.each(rows)("%s", (_, output) => {
    for (const text of [output, useUpperCase(output)])
      expect(maskOutput(QUOTED, `before ${text} after`)).toBe("before *** after");
  });
});

describe("a value with special characters is masked in what other programs write:", () => {
  const environment = { PATH: process.env["PATH"] ?? "", SECRET: QUOTED, LC_ALL: "C.UTF-8" };
  const rows: readonly (readonly [string, readonly [string, ...string[]], string])[] = [
    ["printf %q of bash", ["bash", "-c", 'printf "%q\\n" "$SECRET"'], "***"],
    ["declare -p of bash", ["bash", "-c", "declare -p SECRET"], 'declare -x SECRET="***"'],
    ["set -x of bash", ["bash", "-c", 'exec 2>&1; set -x; : "$SECRET"'], "+ : '***'"],
    ["set of sh", ["sh", "-c", "set | grep ^SECRET="], "SECRET='***'"],
    ["json of Python", ["python3", "-c", "import json, os; print(json.dumps(os.environ['SECRET']))"], '"***"'],
    ["repr of Python", ["python3", "-c", "import os; print(repr(os.environ['SECRET']))"], "'***'"],
    ["shlex of Python", ["python3", "-c", "import os, shlex; print(shlex.quote(os.environ['SECRET']))"], "'***'"],
    [
      "urllib of Python",
      ["python3", "-c", "import os; from urllib.parse import quote; print(quote(os.environ['SECRET']))"],
      "***",
    ],
    ["html of Python", ["python3", "-c", "import os, html; print(html.escape(os.environ['SECRET']))"], "***"],
  ];
  test.each(rows)("%s", (_, [command, ...args], expected) => {
    const output = execFileSync(command, args, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
    expect(maskOutput(QUOTED, output).trim()).toBe(expected);
  });

  test("lines of base64(1)", () => {
    const value = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(5);
    const output = execFileSync("bash", ["-c", 'printf %s "$SECRET" | base64; printf "user:%s\n" "$SECRET" | base64'], {
      env: { ...environment, SECRET: value },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(maskOutput(value, output)).toBe("***\ndXNlcjo***oK\n");
  });

  test("a single line of base64(1)", () => {
    const output = execFileSync("bash", ["-c", 'printf %s "$SECRET" | base64 | sed -n 2p'], {
      env: { ...environment, SECRET: "0123456789abcdefghijklmnopqrstuvwxyz".repeat(5) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(maskOutput("0123456789abcdefghijklmnopqrstuvwxyz".repeat(5), output)).toBe("***\n");
  });
});

describe.each(SEARCHES)("the search in %s", (_, create) => {
  const value = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(5);
  // The secret begins within a line. If its lines began with the lines of base64, each line would be masked by itself.
  const encoded = Buffer.from(`user:${value}\n`).toString("base64");

  test.each([
    ["base64(1) and MIME", 76, "\n"],
    ["PEM and openssl", 64, "\n"],
    ["MIME", 76, "\r\n"],
    ["a terminal, for openssl", 64, "\r\n"],
    ["GitHub's contents in JSON", 60, String.raw`\n`],
    ["MIME in JSON", 76, String.raw`\r\n`],
    ["the shortest lines", 60, "\r\n"],
  ])("masks a value in base64 with the lines of %s: %i columns, %j", (__, width, end) => {
    const output = encoded.replaceAll(new RegExp(`.{${width}}`, "g"), `$&${end}`);
    expect(maskOutput(value, output, create)).toBe("dXNlcjo***oK");
    const masker = create([{ name: "SECRET", value }]).stream();
    const bytes = Array.from(output, (byte) => Buffer.from(masker.push(Buffer.from(byte))));
    expect(Buffer.concat([...bytes, masker.flush()]).toString()).toBe("dXNlcjo***oK");
  });

  test("does not mask a value in base64 with shorter lines, each of which ends the text", () => {
    for (const end of ["\r\n", String.raw`\r\n`, String.raw`\n`]) {
      const output = encoded.replaceAll(/.{58}/g, `$&${end}`);
      expect(maskOutput(value, output, create)).toBe(output);
    }
  });
});

describe("if a value has several lines,", () => {
  test("each line of at least eight characters is masked, except the first and the last line of PEM", () => {
    expect(maskOutput(PEM, LINES.map((line) => `[${line}]`).join(" "))).toBe(
      "[-----BEGIN PRIVATE KEY-----] [***] [***] [***] [-----END PRIVATE KEY-----]",
    );
  });

  test.each(["\n", "\r\n", "\r"])("the whole value is masked with the line end %j", (end) => {
    expect(maskOutput(PEM, `<${LINES.join(end)}>`)).toBe("<***>");
  });

  test("it is masked with real line ends and line by line, even if it is on one line with \\n, as in a .env file", () => {
    const value = PEM.replaceAll("\n", String.raw`\n`);
    expect(maskOutput(value, `<${value}> <${LINES.join("\n")}> <${LINES[1] ?? ""}>`)).toBe("<***> <***> <***>");
    expect(maskOutput(JSON.stringify({ key: value }), `<${PEM.trim()}>`)).toBe("<***>");
  });

  test("a line that is not short is masked without its indentation", () => {
    expect(maskOutput("  first-secret\n  short\n", "first-secret short")).toBe("*** short");
  });

  test("a line with a name and a value is masked if the value alone would be masked", () => {
    const value =
      "apiVersion: v1\nkind: Config\nuser: alice-4711\ntoken: 0123456789\nlast: aGVsbG8gd29ybGQh\nYWJjZGVmZ2g=\n";
    expect(maskOutput(value, "apiVersion: v1 | kind: Config | token: 0123456789 | YWJjZGVmZ2g=")).toBe(
      "apiVersion: v1 | kind: Config | *** | ***",
    );
  });
});

describe("if a value is JSON,", () => {
  test("each string in it is masked, and each line of the string, but not a common word", () => {
    expect(maskOutput(ACCOUNT, "client-4711 service_account 9w0BAQEFAASCBKcwggSj")).toBe("*** service_account ***");
  });

  test("a string in it is masked in the output as JSON, too", () => {
    expect(maskOutput(ACCOUNT, JSON.stringify(PEM))).toBe('"***"');
  });

  test.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("a string inside 100,000 %s is masked", (_, open, close) => {
    const deep = (inner: string): string => `${open.repeat(100_000)}${inner}${close.repeat(100_000)}`;
    expect(maskOutput(deep('"hush-9f8e7d6c"'), "<hush-9f8e7d6c>")).toBe("<***>");
    expect(maskOutput(JSON.stringify({ inner: deep('"hush-9f8e7d6c"') }), "<hush-9f8e7d6c>")).toBe("<***>");
  });

  test("its strings are masked in JSON with other white space", () => {
    const out = maskOutput(ACCOUNT, JSON.stringify(JSON.parse(ACCOUNT)));
    expect(out).toBe('{"type":"service_account","private_key":"***","client":{"id":"***"}}');
  });
});

describe("if a value is a URL", () => {
  test.each([
    ["postgres://alice:hush-9f8e@db.example.test:5432/app", "hush-9f8e"],
    ["rediss://:hush-9f8e@cache.example.test", "hush-9f8e"],
    ["https://alice:hush%2D%C3%A9%3A9f@example.test/a@b", "hush-é:9f"],
    ["https://alice:hush%2D%C3%A9%3A9f@example.test/a@b", "hush%2D%C3%A9%3A9f"],
    ["https://alice:hu@sh:9f@example.test", "hu@sh:9f"],
    ["https://alice:50%-off-9f@example.test", "50%-off-9f"],
    ["jdbc:mysql://alice:hush-9f8e@db.example.test/app?x=1", "hush-9f8e"],
    [JSON.stringify({ url: "amqp://alice:hush-9f8e@mq.example.test" }), "hush-9f8e"],
    ["A=1\nDB=postgres://alice:hush-9f8e@db.example.test\nB=2\n", "hush-9f8e"],
    ["mongodb://a:hush-9f8e@one.example.test,mongodb://b:lull-7d6c@two.example.test", "lull-7d6c"],
  ])("like %s, the password %s is masked alone", (value, password) => {
    expect(maskOutput(value, `<${password}>`)).toBe("<***>");
    expect(maskOutput(value, `<${Buffer.from(password).toString("base64").replaceAll("=", "")}>`)).toMatch(
      /^<\*{3}.?>$/,
    );
  });

  test.each([
    ["postgres://alice:abcde@db.example.test", "abcde"],
    ["postgres://alice:postgres@db.example.test", "postgres"],
    ["postgres://alice-4711@db.example.test", "alice-4711"],
    ["postgres://alice-4711:@db.example.test", "alice-4711"],
    ["https://example.test:8443/long-path@v2", "8443/long-path"],
    ["https://example.test/?to=alice:long-text@example.test", "long-text"],
  ])("like %s, the text %s is not masked alone", (value, text) => {
    expect(maskOutput(value, `<${text}> <${value}>`)).toBe(`<${text}> <***>`);
  });
});

test.each([
  ["abcde", "short"],
  [" abc  \n", "short"],
  ["😀😀😀😀😀", "short"],
  ["abcdef", "masked"],
  ["Production", "common"],
  ["service_account", "common"],
  ["-----BEGIN RSA PRIVATE KEY-----", "armour"],
  ["correct horse battery staple", "masked"],
])("the value %j is classified as %s, and is masked only if it is classified as masked", (value, maskability) => {
  expect(maskabilityOf(value)).toBe(maskability);
  expect(maskOutput(value, `x${value}y`)).toBe(maskability === "masked" ? "x***y" : `x${value}y`);
});

test("a value is not masked if it is too short after each CR LF has become one character", () => {
  expect(maskabilityOf("a\r\n\r\nb")).toBe("masked");
  expect(maskOutput("a\r\n\r\nb", "<a\n\nb> <a\r\n\r\nb>")).toBe("<a\n\nb> <a\r\n\r\nb>");
  expect(maskOutput("a\r\n\r\nbcd", "<a\n\nbcd>")).toBe("<***>");
});

test("an encoded form of fewer than eight characters is not masked", () => {
  expect(maskOutput("abcdef", Buffer.from("xabcdef").toString("base64"))).toBe("eGFiY2RlZg==");
  expect(maskOutput("abcdef", Buffer.from("abcdef").toString("base64"))).toBe("***");
});

test("overlapping secrets are masked completely, and nested secrets like the longest of them", () => {
  const mask = (output: string): string => {
    const secrets = ["abcdef", "efghij", "abcdef-longer"].map((value) => ({ name: value, value }));
    const masker = createMasking(secrets).stream();
    return Buffer.concat([Buffer.from(masker.push(Buffer.from(output))), masker.flush()]).toString();
  };
  expect(mask("<abcdefghij>")).toBe("<***>");
  expect(mask("<abcdef-longer>")).toBe("<***>");
  expect(mask("<abcdef-longe>")).toBe("<***-longe>");
  expect(mask("<abcdefabcdef>")).toBe("<******>");
});

test.each([20_000, 200_000])("a value of %i bytes is masked in plain text, line by line, and in base64", (size) => {
  const lines = Array.from({ length: size / 40 }, (_, line) => `line ${line}`.padEnd(39, "x")).join("\n");
  const value = `SECRET of many lines\n${lines}`;
  const [first = "", second = ""] = value.split("\n");
  expect(maskOutput(value, `<${value}> ${first} ${second}`)).toBe("<***> *** ***");
  expect(maskOutput(value, Buffer.from(value).toString("base64"))).toMatch(/^\*{3}.?=*$/);
});

test.each(SEARCHES)(
  "half a surrogate pair in front of another character is no character of a value (%s)",
  (_, create) => {
    const value = "\u{2841}".repeat(8);
    const output = String.raw`\ud801\u0041`.repeat(8);
    expect(maskOutput(value, output, create)).toBe(output);
    expect(maskOutput(value, String.raw`\u2841`.repeat(8), create)).toBe("***");
  },
);
