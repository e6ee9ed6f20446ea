import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDotenv } from "../../../src/sources/dotenv/index.ts";
import { fillFolderOnce } from "../../helpers/fill-folder-once.ts";
import { cases } from "../../helpers/seed.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const parsed = (text: string) => parseDotenv(text, ".env");
const valuesOf = async (text: string) => (await parsed(text)).variables.map(({ value }) => value);

/** Lines as `pulumi env open --format dotenv` prints them, by Go's strconv.Quote: the last test compares all characters. */
const PRINTED: readonly (readonly [line: string, value: string])[] = [
  [String.raw`A_EMPTY=""`, ""],
  [
    String.raw`A_JSON="{\"private_key\": \"-----BEGIN-----\\nMII=\\n\"}"`,
    String.raw`{"private_key": "-----BEGIN-----\nMII=\n"}`,
  ],
  [String.raw`B_PEM="-----BEGIN-----\nMII=\n-----END-----\n"`, "-----BEGIN-----\nMII=\n-----END-----\n"],
  [String.raw`C_PATH="C:\\new\\temp\\"`, "C:\\new\\temp\\"],
  [String.raw`D_BELL="\a\b\f\r\t\v\x1b\x7f"`, "\u0007\b\f\r\t\u000B\u001B\u007F"],
  [String.raw`E_SPACES="a\u00a0b\u2028c\ufeff"`, "a\u00A0b\u2028c\uFEFF"],
  [String.raw`F_FAMILY="👨\u200d👩 é"`, "👨\u200D👩 é"],
  [String.raw`G_TAGS="\U000e0001"`, "\u{E0001}"],
  ['H_SHELL="$HOME ${X} `id` $(id) # \'"', "$HOME ${X} `id` $(id) # '"],
  // The paths of files follow, sorted again.
  [String.raw`A_FILE="/tmp/esc-1"`, "/tmp/esc-1"],
];

test("a file of Pulumi's CLI reads back exactly, and a $ in it is no reference", async () => {
  const { variables, notices, references } = await parsed(PRINTED.map(([line]) => `${line}\n`).join(""));
  expect(variables.map(({ value }) => value)).toEqual(PRINTED.map(([, value]) => value));
  expect({ notices, references }).toEqual({ notices: [], references: undefined });
});

test("each of its lines in another file keeps all but rare escapes", async () => {
  const lines = PRINTED.filter(([line]) => !/\\[abftvxuU]/.test(line));
  expect(lines.length).toBeGreaterThan(4);
  for (const [line, value] of lines) expect(await valuesOf(`# mine\n${line}\n`)).toEqual([value]);
});

test.each([
  ["a comment", '# mine\nA="x\\ty"\n'],
  ["export", 'export A="x\\ty"\n'],
  ["another kind of quote", "A=\"x\\ty\"\nB='1'\n"],
  ["no quotes", 'A="x\\ty"\nB=1\n'],
  ["an empty line", 'A="x\\ty"\n\n'],
  ["no line break at the end", 'A="x\\ty"'],
  ["names that are not sorted twice", 'C="x\\ty"\nB=""\nA=""\n'],
  ["a name twice", 'A="1"\nA="x\\ty"\n'],
  ["an escape that is not Go's", 'A="x\\ty"\nB="\\d"\n'],
  ["a control character", 'A="x\\ty"\nB="\t"\n'],
])("a file with %s is not Pulumi's: other escapes stay", async (_, text) => {
  expect(await valuesOf(text)).toContain("x\\ty");
});

test("an escape that a user may have written has a remark", async () => {
  const remarksOf = async (text: string) =>
    (await parsed(text)).notices.map((notice) => (notice.kind === "remark" ? notice.text : notice.kind));
  const remarks = await remarksOf('A="C:\\temp"\n');
  expect(remarks).toEqual([expect.stringMatching(/^\.env:1: .*\\t/)]);
  expectWording(remarks.join("\n"));
  expect(await remarksOf('A="a\\tb"\nB="\\"\\""\n')).toEqual([]);
});

describe("what Go's strconv.Quote writes", () => {
  skipBecause(notInstalled("go", "version"));

  /** Reads values as JSON, writes what Pulumi's CLI prints for them. */
  const PROGRAM = `package main

import ("encoding/json"; "fmt"; "os"; "strconv")

func main() {
	var values []string
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil { panic(err) }
	for i, value := range values { fmt.Printf("V%06d=%s\\n", i, strconv.Quote(value)) }
}
`;
  const built = (): string =>
    fillFolderOnce(join(import.meta.dirname, "../../../.cache/go-quote-1"), (unfinished) => {
      const source = join(folder(), "main.go");
      writeFileSync(source, PROGRAM);
      execFileSync("go", ["build", "-o", join(unfinished, "quote"), source], { timeout: 300_000 });
    });
  const quotedByGo = (values: readonly string[]): string =>
    execFileSync(join(built(), "quote"), { input: JSON.stringify(values), encoding: "utf8", maxBuffer: 1 << 26 });

  test("reads back exactly, whatever the values", { timeout: 300_000 }, async () => {
    const unit = fc.oneof(
      fc.constantFrom("\\", '"', "'", "`", "$", "#", "\n", "\r", "\t", "\\n", '\\"', "=", " ", "{", "\u00A0", "\u200D"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    );
    const value = fc
      .array(unit, { maxLength: 12 })
      .map((parts) => parts.join("").replaceAll("\0", ""))
      .filter((text) => text.isWellFormed());
    const many = fc.array(value, { minLength: 200, maxLength: 400, size: "max" });
    await fc.assert(
      fc.asyncProperty(many, async (values) => {
        expect(await valuesOf(quotedByGo(values))).toEqual(values);
      }),
      { numRuns: cases(3, 50), endOnFailure: true },
    );
  });

  test("reads back exactly for each character by itself", { timeout: 300_000 }, async () => {
    // All of the first plane, and some of each further one.
    const points = Array.from({ length: 0x10_ffff }, (_, index) => index + 1).filter(
      (one) => one < 0x1_0000 || one % 37 === 0,
    );
    const values = points
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point));
    expect(await valuesOf(quotedByGo(values))).toEqual(values);
  });
});
