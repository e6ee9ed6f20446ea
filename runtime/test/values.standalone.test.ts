/** Values in the executable's runtime: random calls must have the same results as in Node.js, or throw the same errors. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { SEED } from "../../test/helpers/seed.ts";
import { skipBecause } from "../../test/helpers/skip.ts";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-values-"));
afterAll(() => rmSync(folder, { recursive: true }));

const COUNT = 3000;
const SCRIPT = join(import.meta.dirname, "values.cjs");

/** Has a program run the calls by values.cjs, and returns a line for each result. */
function runCalls(program: string, calls: readonly unknown[]): string[] {
  const file = join(folder, "calls.json");
  writeFileSync(file, JSON.stringify(calls));
  const output = execFileSync(program, [SCRIPT, file], { encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 27 });
  return output.trimEnd().split("\n");
}

/** Runs the calls in Node.js and in the runtime, and returns those whose results differ, with both results. */
function findDifferences(calls: readonly unknown[]): string[] {
  const [expected, found] = [runCalls(process.execPath, calls), runCalls(shell, calls)];
  expect(found).toHaveLength(calls.length);
  const different = calls.flatMap((call, index) =>
    expected[index] === found[index]
      ? []
      : [`${JSON.stringify(call)}\n  Node.js: ${expected[index]}\n  runtime: ${found[index]}`],
  );
  return different.slice(0, 20);
}

function sampleCalls(calls: fc.Arbitrary<unknown>): unknown[] {
  return fc.sample(calls, { numRuns: COUNT, seed: SEED });
}

const encoding = fc.constantFrom(
  "utf8",
  "latin1",
  "ascii",
  "hex",
  "base64",
  "base64url",
  "utf16le",
  "UTF-8",
  "nonsense",
  null,
);
/** UTF-16 units except U+DC80 to U+DCFF, by which this runtime represents bytes of the system that are not UTF-8. */
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  fc.integer({ min: 0, max: 0xffff }).filter((unitNumber) => unitNumber < 0xdc80 || unitNumber > 0xdcff),
  fc.constantFrom(0xd83d, 0xde00, 0xfeff, 0xfffd, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0),
);
const text = fc.array(unit, { maxLength: 20 }).map((units) => String.fromCharCode(...units));
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed, 0xa0, 0xef, 0xbb, 0xbf),
);
const hex = fc.array(byte, { maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const position = fc.oneof(fc.integer({ min: -30, max: 30 }), fc.constantFrom(null, 1.5, 1e10, -1e10, "2"));
const encoded = fc.tuple(text, fc.constantFrom("hex", "base64", "base64url" as const)).map(([sourceText, name]) => {
  const whole = Buffer.from(sourceText).toString(name);
  return [whole, `${whole.slice(0, 5)}\n${whole.slice(5)}`, whole.slice(0, -1), whole.replaceAll("=", "")];
});

it("text is encoded and decoded as in Node.js", () => {
  const calls = sampleCalls(
    fc.oneof(
      fc.tuple(fc.constant("encode"), text, encoding),
      fc.tuple(
        fc.constant("encode"),
        encoded.chain((all) => fc.constantFrom(...all)),
        fc.constantFrom("hex", "base64", "base64url"),
      ),
      fc.tuple(fc.constant("decode"), hex, encoding, position, position),
      fc.tuple(fc.constant("json"), hex),
      fc.tuple(
        fc.constant("textDecoder"),
        fc.array(hex, { minLength: 1, maxLength: 4 }),
        fc.record({ fatal: fc.boolean(), ignoreBOM: fc.boolean() }),
      ),
      fc.tuple(
        fc.constant("stringDecoder"),
        fc.array(hex, { maxLength: 4 }),
        fc.constantFrom("utf8", "latin1", "hex", "base64"),
      ),
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

it("bytes are searched, compared, copied and filled as in Node.js", () => {
  const short = fc
    .array(fc.constantFrom(0x61, 0x62, 0), { maxLength: 12 })
    .map((bytes) => Buffer.from(bytes).toString("hex"));
  const sought = fc.oneof(
    fc.constantFrom("", "a", "ab", "ba", "\0"),
    fc.integer({ min: -2, max: 300 }),
    short.map((hexBytes) => ({ hex: hexBytes })),
    fc.constantFrom(null, true),
  );
  const small = fc.oneof(fc.integer({ min: -2, max: 14 }), fc.constant(null));
  const calls = sampleCalls(
    fc.oneof(
      fc.tuple(
        fc.constant("find"),
        fc.constantFrom("indexOf", "lastIndexOf", "includes"),
        short,
        sought,
        position,
        encoding,
      ),
      fc.tuple(fc.constant("compare"), short, short),
      fc.tuple(fc.constant("compareParts"), short, short, small, small, small, small),
      fc.tuple(fc.constant("part"), fc.constantFrom("subarray", "slice"), short, position, position),
      fc.tuple(fc.constant("fill"), fc.integer({ min: 0, max: 9 }), sought, small, small, encoding),
      fc.tuple(fc.constant("write"), fc.integer({ min: 0, max: 9 }), text, small, small, encoding),
      fc.tuple(fc.constant("write"), fc.integer({ min: 0, max: 9 }), text, encoding),
      fc.tuple(fc.constant("copy"), short, fc.integer({ min: 0, max: 9 }), position, position, position),
      fc.tuple(fc.constant("concat"), fc.array(short, { maxLength: 4 }), small),
      fc.tuple(
        fc.constant("from"),
        fc.oneof(
          fc.array(fc.integer()),
          fc.integer(),
          fc.constantFrom(null, true, { length: 2 }, { type: "Buffer", data: [1, 2] }),
        ),
        encoding,
      ),
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

it("Buffer.concat joins lists of bytes, and refuses other values, as in Node.js", () => {
  const bytes = fc.uint8Array({ maxLength: 5 }).map((numbers) => ({ hex: Buffer.from(numbers).toString("hex") }));
  const part = fc.oneof({ weight: 9, arbitrary: bytes }, fc.constantFrom(1, "a", true, []));
  const length = fc.oneof(fc.constant(null), fc.integer({ min: -1, max: 20 }), fc.constantFrom(0.5, "a"));
  const calls = sampleCalls(
    fc.tuple(fc.constant("concatAny"), fc.oneof(fc.array(part), fc.constantFrom("a", 1)), length),
  );
  expect(findDifferences(calls)).toEqual([]);
});

it("regular expressions have the same flags as in Node.js", () => {
  const flags = fc.subarray(["d", "g", "i", "m", "s", "u", "y"]).map((letters) => letters.join(""));
  const flagProperty = fc.constantFrom(null, null, "global", "ignoreCase", "hasIndices", "sticky");
  const invalidFlags = fc.constantFrom("v", "gv", "uv", "gg");
  const calls = sampleCalls(
    fc.tuple(
      fc.constant("flags"),
      fc.constantFrom("a", "[ab]", ""),
      fc.oneof(flags, flags, invalidFlags),
      flagProperty,
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

it("numbers are read from bytes and written to bytes as in Node.js", () => {
  const order = fc.constantFrom("LE", "BE");
  const type = fc.constantFrom("Int16", "UInt16", "Int32", "UInt32", "BigInt64", "BigUInt64", "Double", "Float");
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 10 }).map((numbers) => Buffer.from(numbers).toString("hex"));
  const offset = fc.oneof(fc.integer({ min: -2, max: 10 }), fc.constantFrom(null, 0.5));
  const number = fc.oneof(
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.integer(),
    fc.constantFrom(-1, 0, 2 ** 32 - 1, 2 ** 32),
  );
  const method = fc.tuple(type, order).map((parts) => parts.join(""));
  const calls = sampleCalls(
    fc.oneof(
      fc.tuple(
        fc.constant("number"),
        fc.oneof(method, fc.constantFrom("Int8", "UInt8", "Uint8")).map((typeName) => `read${typeName}`),
        bytes,
        offset,
      ),
      fc.tuple(
        fc.constant("number"),
        fc.constantFrom("readUIntBE", "readUIntLE"),
        bytes,
        offset,
        fc.integer({ min: 1, max: 6 }),
      ),
      fc.tuple(
        fc.constant("setNumber"),
        fc.oneof(method, fc.constantFrom("Int8", "UInt8")).map((typeName) => `write${typeName}`),
        fc.integer({ min: 0, max: 10 }),
        number,
        offset,
      ),
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

const scheme = fc.constantFrom(
  "http:",
  "https:",
  "ws:",
  "file:",
  "mailto:",
  "postgres:",
  "blob:https:",
  "",
  "HTTP:",
  "a b:",
);
const part = fc.constantFrom("protocol", "username", "password", "pathname", "search", "hash", "href");
const START = fc.constantFrom("http://u:p@h:1/p?q#f", "https://h/", "file:///a/b", "mailto:x", "postgres://h/d?x");

it("URLs are parsed, changed and written as in Node.js", () => {
  const plainText = text.filter((characters) => !/[\^\\]/.test(characters));
  const host = fc.constantFrom(
    "example.com",
    "EXAMPLE.com",
    "127.1",
    "[::1]",
    "0x7f.1",
    "",
    "a b",
    "%41",
    "u@h",
    "u:p@h",
    "h:443",
    "h:99999",
    "b\u00FCcher.de",
  );
  const route = fc.oneof(
    plainText.map((characters) => `/${characters}`),
    fc.constantFrom("", "/", "/a/../b", "/./a", "?q", "#h", "/a?b=c#d", "/a b?c d#e f"),
  );
  const address = fc.tuple(scheme, fc.constantFrom("//", "//", "/", ""), host, route).map((parts) => parts.join(""));
  const change = fc.oneof(
    fc.tuple(part, plainText),
    fc.tuple(fc.constantFrom("host", "hostname"), host),
    fc.tuple(fc.constant("port"), fc.constantFrom("", "80", "443", "0", "65535")),
  );
  const calls = sampleCalls(
    fc.oneof(
      fc.tuple(
        fc.constant("url"),
        fc.oneof(address, route, plainText),
        fc.oneof(fc.constant(null), fc.constantFrom("http://h/a/b?q#f", "file:///x/y")),
      ),
      fc.tuple(fc.constant("urlChanges"), START, fc.array(change, { maxLength: 4 })),
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

describe("if Node.js has the URL parser of Node.js 24,", () => {
  const [major = ""] = (process.versions["ada"] ?? "").split(".");
  skipBecause(Number(major) >= 4 ? undefined : "ada before 4.0.0 has faults that the runtime's does not have");

  it("any URL is parsed and changed as in Node.js", () => {
    const host = fc.constantFrom(
      "EX\u00C4MPLE.com",
      "a..b",
      "xn--a",
      "xn--mgb",
      "\u00FC:%zz@h:80",
      "\u2603.net",
      "\u05D0a",
      "a\u00ADb",
      "1.2.3.4.5",
      "0.0.0.256",
    );
    const route = fc.oneof(
      text.map((characters) => `/${characters}`),
      fc.constantFrom("//x", "\\x", "/%2e%2e/x", "/C:/x", "/C|/x", "/../..", "?a#b?c"),
    );
    const address = fc
      .tuple(scheme, fc.constantFrom("//", "/", "", "\\\\"), host, route)
      .map((parts) => parts.join(""));
    const change = fc.tuple(fc.oneof(part, fc.constantFrom("host", "hostname", "port")), fc.oneof(text, host, route));
    const calls = sampleCalls(
      fc.oneof(
        fc.tuple(fc.constant("url"), fc.oneof(address, route, text), fc.oneof(fc.constant(null), address)),
        fc.tuple(fc.constant("urlChanges"), START, fc.array(change, { maxLength: 4 })),
      ),
    );
    expect(findDifferences(calls)).toEqual([]);
  });
});

it("the queries of URLs are read and written as in Node.js", () => {
  const key = fc.oneof(text, fc.constantFrom("a", "b", "q", "a+b", "%41", "%ff"));
  const call = fc.oneof(
    fc.tuple(fc.constantFrom("append", "set"), key, key),
    fc.tuple(fc.constantFrom("get", "getAll", "has", "delete"), key),
    fc.tuple(fc.constantFrom("has", "delete"), key, key),
    fc.constant(["sort"]),
  );
  const source = fc.oneof(
    // Node.js wrongly decodes characters that are not ASCII if the text has a percent sign that escapes nothing.
    text.filter((characters) => !characters.includes("%")),
    fc.array(fc.tuple(key, key)),
    fc.dictionary(
      key.filter((keyText) => keyText !== "__proto__"),
      key,
    ),
    fc.constantFrom("?a=1&a=2&b", "a=%E2%82%AC&%=%zz", "&&=&a", null, [["a"]], [1]),
  );
  const calls = sampleCalls(fc.tuple(fc.constant("query"), source, fc.array(call, { maxLength: 5 })));
  expect(findDifferences(calls)).toEqual([]);
});

it("paths are joined and split as in Node.js", () => {
  const piece = fc.constantFrom("a", "b.c", ".d", "..", ".", "", "/", "//", "a/b", "/a", "a/", ".e.f.", "...", "x..y");
  const name = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("/"));
  const two = fc.constantFrom("join", "resolve", "relative");
  const single = fc.constantFrom("normalize", "dirname", "basename", "extname", "parse", "isAbsolute");
  const calls = sampleCalls(
    fc.oneof(
      fc.tuple(fc.constant("path"), two, name, name),
      // Names with a slash at the end are excluded: Node.js keeps the slash if the name is shorter than the suffix.
      fc.tuple(
        fc.constant("path"),
        fc.constant("basename"),
        name.filter((path) => !/(?:^|\/)$/.test(path)),
        fc.constantFrom("b.c", ".c", ".", "", "x..y", ".f."),
      ),
      fc.tuple(fc.constant("path"), single, fc.oneof(name, fc.string(), fc.constant(null))),
      fc.tuple(fc.constant("path"), fc.constantFrom("join", "resolve"), name, name, name),
    ),
  );
  expect(findDifferences(calls)).toEqual([]);
});

it("a file's inode number is exact, even if a number of JavaScript cannot hold it", () => {
  expect(findDifferences([["inode", SCRIPT]])).toEqual([]);
});

it("JSON that is deeper than the engine's stack is parsed as in Node.js", { timeout: 60_000 }, () => {
  const LEVELS = 60_000;
  const texts = [
    ' \t\r\n{ "b" : [ 1 , -2.5e3 , "\\"]\\\\" , null , true , [ ] , { } ] , "b" : false } ',
    '{"__proto__":{"c":1},"10":1,"9":"\\u00e9"}',
    '"text"',
    "1e400",
    '{"b":1,}',
    "[1,]",
    "[,1]",
    "[1 2]",
    "{1:2}",
    '{"b"}',
    "[1}",
    '"\n"',
    '"',
    "01",
    "nul",
    "\u00a0",
    "1]",
    "",
  ];
  expect(findDifferences(texts.map((json) => ["deepJson", LEVELS, json]))).toEqual([]);
});
