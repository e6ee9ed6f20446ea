import { parse } from "dotenv";
import * as fc from "fast-check";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { parseDotenv, readDotenv } from "../../../src/sources/dotenv/index.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { foldersOf } from "../../helpers/folders.ts";

const valuesOf = async (text: string) =>
  Object.fromEntries((await parseDotenv(text, ".env")).variables.map(({ name, value }) => [name, value]));
const remarksOf = async (text: string) =>
  (await parseDotenv(text, ".env")).notices.map((notice) => (notice.kind === "remark" ? notice.text : notice.kind));

test.each([
  ["A=1", { A: "1" }],
  ["export A=1\n  export   B = 2 ", { A: "1", B: "2" }],
  ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
  ["# comment\n\n  # another\nA=1 # remark", { A: "1" }],
  ["A=\nB=''\nC=\"\"", { A: "", B: "", C: "" }],
  ["A='it is \"quoted\"'\nB=\"a\\nb\"\nC='a\\nb'\nD=`'\"`", { A: 'it is "quoted"', B: "a\nb", C: "a\\nb", D: "'\"" }],
  [String.raw`A="say \"hi\""` + "\nB=2", { A: 'say "hi"', B: "2" }],
  [String.raw`A="\"a\" # b" # c`, { A: '"a" # b' }],
  [String.raw`A="{\"key\": \"one\\ntwo\"}"`, { A: String.raw`{"key": "one\ntwo"}` }],
  [String.raw`A="C:\\new" # two backslashes` + "\nB=" + String.raw`"ends in \\"`, { A: "C:\\new", B: "ends in \\" }],
  [String.raw`A="C:\temp \d+ \$5 \x41" # others stay`, { A: String.raw`C:\temp \d+ \$5 \x41` }],
  [String.raw`A='say \"hi\" C:\\new'`, { A: String.raw`say \"hi\" C:\\new` }],
  ['A="C:\\dir\\"\nB=2', { A: "C:\\dir\\", B: "2" }],
  ['KEY="-----BEGIN-----\nabc=\n-----END-----"\nB=2', { KEY: "-----BEGIN-----\nabc=\n-----END-----", B: "2" }],
  ["A='x\n\ny' # after\nB=2", { A: "x\n\ny", B: "2" }],
  ["A=$HOME\nB=${A}", { A: "$HOME", B: "${A}" }],
  ["A: yaml", { A: "yaml" }],
  ["foo.bar-baz=1", { "foo.bar-baz": "1" }],
  ['JSON={"a": "b"}', { JSON: '{"a": "b"}' }],
  ["A=a=b==", { A: "a=b==" }],
  ["A=it's", { A: "it's" }],
  ['A="a" b', { A: '"a" b' }],
  ["A=1\nA=2", { A: "2" }],
  ["", {}],
])("the text %j is parsed to %j", async (text, expected) => expect(await valuesOf(text)).toEqual(expected));

test("__proto__ is parsed as a name like others", async () => {
  expect((await parseDotenv("__proto__=1", ".env")).variables).toMatchObject([{ name: "__proto__", value: "1" }]);
});

test("each variable has the line on which it begins as its origin", async () => {
  const { variables } = await parseDotenv('# first\nA=1\nB="x\ny\nz"\n\nexport C=3\n', "dev.env");
  expect(variables.map(({ name, origin }) => [name, origin])).toEqual([
    ["A", { source: "dotenv", file: "dev.env", line: 2 }],
    ["B", { source: "dotenv", file: "dev.env", line: 3 }],
    ["C", { source: "dotenv", file: "dev.env", line: 7 }],
  ]);
});

describe("each line that is ignored or surprising has a remark, as in", () => {
  test.each([
    ["just words", [".env:1"]],
    ["A=1\n=2\nB", [".env:2", ".env:3"]],
    ["A=1\nA=2", [".env:2"]],
    ["A=pass#word", [".env:1"]],
    ["A='pass#word'\nB=x # remark", []],
  ])("%j", async (text, lines) => {
    const remarks = await remarksOf(text);
    expect(remarks.map((remark) => remark.split(": ")[0])).toEqual(lines);
    expectWording(remarks.join("\n"));
  });
});

describe("the message about a malformed file", () => {
  test.each([
    ['A=1\nB="never closed\nC=3', /^\.env:2 .*quote/],
    ['A=\'\nB="x"', /^\.env:1 .*quote/],
    ['D="unterminated\nE="x"', /^\.env:1 .*quote/],
    ["A=1\nB=a\0b", /^\.env:2 .*NUL/],
    ['A="1\nB\0"', /^\.env:1 .*NUL/],
  ])("names the line and the fault of %j", async (text, message) => {
    const error: unknown = await parseDotenv(text, ".env").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "dotenv", message: expect.stringMatching(message) });
    expectWording(String(error));
  });

  test("contains no value, and neither does a remark", async () => {
    for (const text of ['A="sentinel', "A=sentinel\0", "sentinel", "A=sentinel#x", "A=sentinel\nA=sentinel"]) {
      let report = "";
      try {
        report = (await remarksOf(text)).join("\n");
      } catch (error) {
        if (!(error instanceof SophiaError)) throw error;
        report = `${error.message}${error.hint}`;
      }
      expect(report).not.toBe("");
      expect(report).not.toContain("sentinel");
    }
  });
});

const quotedText = (quote: string) =>
  fc
    .string({ unit: fc.constantFrom("a", " ", "#", "=", "\n", "$", "\\n", "ä", "'", '"', "`"), maxLength: 12 })
    .filter((text) => !text.includes(quote) && !text.endsWith("\\"))
    .map((text) => `${quote}${text}${quote}`);

test("parseDotenv parses the same values as dotenv", async () => {
  const characters = ["a", "b", " ", "\t", "=", "$", ".", ":", "\\", "\\n", "ä", "\u00A0", "\u2028", "#"] as const;
  const bareText = fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 });
  const line = fc
    .tuple(
      fc.constantFrom("A", "B", "C_1", "d.e"),
      fc.oneof(bareText, quotedText("'"), quotedText('"'), quotedText("`")),
    )
    .map(([name, value]) => `${name}=${value}`);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.constantFrom("\n", "\r\n"), async (lines, end) => {
      // If a line ends after the sign, dotenv searches the following lines for the value, and this parser does not.
      fc.pre(!lines.some((each) => /=\s*$/.test(each)));
      // A line separator ends a comment in dotenv's regular expression, and not in this parser.
      fc.pre(!lines.some((each) => /#[^]*\u2028/.test(each)));
      const text = lines.join(end);
      expect(await valuesOf(text)).toEqual(parse(text));
    }),
  );
});

/** Parts of quoted values: quotes with and without a backslash, line breaks, and what may be around them. */
const QUOTED_PARTS = ["a", " ", "#", "=", "\n", "\\n", "\\", '\\"', '"', "\\'", "'", "`", "B=", '\nC="'] as const;

test("a quoted value with several lines and escaped quotes ends where it ends in dotenv", async () => {
  const text = fc.array(fc.constantFrom(...QUOTED_PARTS), { maxLength: 14 }).map((parts) => `A="${parts.join("")}`);
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      fc.pre(!/=\s*(?:\n|$)/.test(content));
      // In this parser a name and its sign must be on the same line.
      fc.pre(!/\n\s*=/.test(content));
      // This parser decodes two backslashes to one.
      fc.pre(!content.includes("\\\\"));
      const ours = await valuesOf(content).catch((error: unknown) => error);
      if (ours instanceof SophiaError) return;
      // dotenv keeps the backslash before a quote.
      expect(withoutEscapes(ours)).toEqual(withoutEscapes(parse(content)));
      compared += 1;
    }),
    { numRuns: 3000 },
  );
  expect(compared).toBeGreaterThan(300);
});

function withoutEscapes(values: unknown): unknown {
  return JSON.parse(JSON.stringify(values).replaceAll(String.raw`\\\"`, String.raw`\"`));
}

test("a quoted value continues after an escaped quote at the end of a line", async () => {
  expect(await valuesOf('A="one\\"\ntwo" # end\nB=2')).toEqual({ A: 'one"\ntwo', B: "2" });
});

describe("parseDotenv finds", () => {
  const referencesIn = async (text: string) => {
    const { variables } = await parseDotenv(text, ".env");
    return variables.map(({ reference }) => reference ?? "");
  };

  test.each([
    ["A=op://vault/item/field", "op://"],
    ["A='op://vault/item/field'", "op://"],
    [`A="encrypted:${"BDqDBibm4wsYqMpCjTQ6".repeat(4)}"`, "encrypted:"],
    ["A=vault:secret/data/app#KEY", "vault:"],
    ["A=ref+vault://secret/app#/key", "ref+"],
    ["A=awssm://name/KEY", "awssm://"],
    ["A=bw://item/field", "bw://"],
    ["A=$(pass show key)", "$(…)"],
    ['A="v-$(git rev-parse HEAD)"', "$(…) in text"],
    ['A="`hostname`"', "`…`"],
    ["A=${B}", "${X}"],
    ["A=https://${HOST}/x", "${X}"],
    ["A=${B:-default}", "${X}"],
    ["A=$B", "$X"],
    ["A=$b", "$X"],
    ["A=postgres://$DB_USER:$DB_PASS@host/db", "$X in text"],
  ])("the reference in %s: %s", async (text, form) => expect(await referencesIn(text)).toEqual([form]));

  test.each([
    "A='${B} $B $(id) `id`'",
    "A=`${B} 'x' \"y\" $B`",
    "A=pa$word",
    "A=pa$Word1",
    "A=$5",
    "A=$$",
    "A=a$",
    "A=$2b$12$abcdefghijklmnopqrstuv",
    "A=$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "A=$6$SALT$HASH",
    'A="\\${B} \\$B"',
    "A=vault:8200",
    "A=vault:8200/v1",
    "A=encrypted:no",
    "A=ref+no",
    "A=see op://vault/item/field",
    "A=op",
    'A="use `code` here"',
  ])("no reference in %s", async (text) => expect(await referencesIn(text)).toEqual([""]));

  test("a value in needless backticks, and adds a remark, since a shell would run it", async () => {
    const remarks = await remarksOf('A=`date`\nB=`it\'s "this"`');
    expect(remarks).toEqual([expect.stringMatching(/^\.env:1: .*backtick/)]);
    expectWording(remarks.join("\n"));
  });
});

test("a file has at most twenty remarks, and a remark that counts the others", async () => {
  const remarks = await remarksOf("bad\n".repeat(60_000));
  expect([remarks.length, remarks.at(-1)]).toEqual([21, expect.stringMatching(/^\.env: 59980 more/)]);
});

const readFiles = (cwd: string, ...names: string[]) =>
  readDotenv(
    names.map((path) => ({ path, required: true })),
    foldersOf(cwd),
  );

/** Expects an error about a file, and compares its message with the snapshot. */
async function expectRefusal(pending: Promise<unknown>): Promise<void> {
  const error: unknown = await pending.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "dotenv", status: 125 });
  expectWording(String(error));
}

describe("readDotenv", () => {
  test("ignores a missing default file, and fails if a file that the user has named is missing", async () => {
    expect(await readDotenv([{ path: ".env", required: false }], foldersOf(folder()))).toEqual({
      layers: [],
      notices: [],
      files: [{ path: ".env", found: true }],
    });
    await expectRefusal(readFiles(folder(), "dev.env"));
  });

  test("does not read a byte-order mark as part of the first name", async () => {
    const { layers } = await readFiles(folder({ ".env": "\uFEFFA=1" }), ".env");
    expect(layers[0]?.variables[0]).toMatchObject({ name: "A", value: "1" });
  });

  test("returns the layers of later files first, which override earlier files", async () => {
    const { layers } = await readFiles(folder({ a: "A=1", b: "A=2" }), "a", "b");
    expect(layers.map(({ variables }) => variables[0]?.value)).toEqual(["2", "1"]);
  });

  test("refuses a folder, invalid UTF-8 and a path through a file", async () => {
    const cwd = folder({
      "utf16.env": new Uint8Array([0xff, 0xfe, 0x41, 0]),
      "latin1.env": new Uint8Array([0x41, 0x3d, 0xe4]),
    });
    mkdirSync(join(cwd, ".env"));
    await expectRefusal(readFiles(cwd, ".env"));
    await expectRefusal(readDotenv([{ path: ".env", required: false }], foldersOf(cwd)));
    await expectRefusal(readFiles(cwd, "utf16.env"));
    await expectRefusal(readFiles(cwd, "latin1.env"));
    await expectRefusal(readFiles(cwd, "latin1.env/x"));
  });

  test("names the option that reads an ignored file, with a backslash before a comma in the path", async () => {
    const cwd = folder();
    const above = join(cwd, "x,y");
    mkdirSync(above);
    writeFileSync(join(above, ".env"), "A=1");
    chmodSync(join(above, ".env"), 0o666);
    const { notices } = await readDotenv([{ path: ".env", required: false }], foldersOf(cwd), [above, cwd]);
    expect(notices).toMatchObject([{ text: expect.stringContaining(`--dotenv '${cwd}/x\\,y/.env'`) }]);
  });

  test("refuses a file that the user may not read", async ({ skip }) => {
    skip(process.getuid?.() === 0, "root may read every file");
    const cwd = folder({ ".env": "A=1" });
    chmodSync(join(cwd, ".env"), 0);
    await expect(readFiles(cwd, ".env")).rejects.toThrow("permission denied");
  });
});
