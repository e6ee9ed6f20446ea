import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseToml, type TomlValue } from "../../../../src/commands/init/tools/toml.ts";
import { cases } from "../../../helpers/seed.ts";
import { notInstalled, skipBecause } from "../../../helpers/skip.ts";

function plain(value: TomlValue | undefined): unknown {
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, one]) => [key, plain(one)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test.each([
  ['a = "b" # c', { a: "b" }],
  ["a.b = true\na.c = false", { a: { b: true, c: false } }],
  ["[x]\n[x.y]\nz = 'C:\\new'", { x: { y: { z: "C:\\new" } } }],
  ['a = "\\t\\"\\u00e9\\U0001F600"', { a: '\t"é😀' }],
  ["a = '''\none\n'two'\n'''", { a: "one\n'two'\n" }],
  ['a = """one \\\n   two"""', { a: "one two" }],
  ["a = [1, 'b', { c = 2.5 },]", { a: ["1", "b", { c: "2.5" }] }],
  ["[[a]]\nb = '1'\n[[a.c]]\n[[a.c]]\nd = '2'\n[[a]]\n[a.e]", { a: [{ b: "1", c: [{}, { d: "2" }] }, { e: {} }] }],
  ["a = 1979-05-27 07:32:00", { a: "1979-05-27 07:32:00" }],
])("%j", (text, expected) => expect(plain(parseToml(text))).toEqual(expected));

test.each(["a", "a =", "a = b c", "[a", "a = 'x", 'a = "\n"', "= 1", "a = [1 2]", "a = 1\na.b = 2", "a = {b = 1", "]"])(
  "%j is none",
  (text) => expect(parseToml(text)).toBeUndefined(),
);

test.each(["a = {}\na.b = 1", "a = {}\n[a.b]", "a = []\n[[a]]", "a = [{}]\n[a.b]", "[a]\n[[a]]"])(
  "%j adds to what is complete",
  (text) => expect(parseToml(text)).toBeUndefined(),
);

describe("Python's reader", () => {
  skipBecause(notInstalled("python3", "-c", "import tomllib"));

  const READ = `import json, sys, tomllib
def read(text):
    try: return tomllib.loads(text)
    except tomllib.TOMLDecodeError: return None
print(json.dumps([read(text) for text in json.load(sys.stdin)], default=str))`;

  test("agrees on what it reads", () => {
    const string = fc.constantFrom("'a b'", '"a\\n\\"b"', '"""x\ny"""', "'''\nx'y'''", '"# no"');
    const scalar = fc.oneof(string, fc.constantFrom("true", "false"));
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }).map((list) => `[ ${list.join(", ")} ]`),
      fc.array(scalar, { maxLength: 3 }).map((list) => `{ ${list.map((one, at) => `k${at} = ${one}`).join(", ")} }`),
    );
    const entry = fc.tuple(fc.constantFrom("a", "B_1", '"q k"', "x.y", "'l'"), value, fc.constantFrom("", " # c"));
    const line = fc.oneof(
      { weight: 4, arbitrary: entry.map(([key, one, comment]) => `${key} = ${one}${comment}`) },
      fc.constantFrom("[t]", "[t.u] # c", "[[l]]", "[[l.m]]", "[l.n]", "", "# c", '[ "s t" ]'),
    );
    const texts = fc.array(
      fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n")),
      { minLength: 100, maxLength: 200, size: "max" },
    );
    fc.assert(
      fc.property(texts, (all) => {
        const input = JSON.stringify(all);
        const theirs: unknown = JSON.parse(execFileSync("python3", ["-c", READ], { input, encoding: "utf8" }));
        if (!Array.isArray(theirs)) throw new Error("no list");
        let compared = 0;
        for (const [index, text] of all.entries()) {
          // Ours accepts a name twice.
          if (theirs[index] === null) continue;
          expect(plain(parseToml(text))).toEqual(theirs[index]);
          compared += 1;
        }
        expect(compared).toBeGreaterThan(20);
      }),
      { numRuns: cases(5, 50), endOnFailure: true },
    );
  });
});
