import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDotenv } from "../../../src/sources/dotenv/index.ts";
import { fillFolderOnce } from "../../helpers/fill-folder-once.ts";
import { caseCount } from "../../helpers/seed.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const parseText = (text: string) => parseDotenv(text, ".env");
const valuesOf = async (text: string) => (await parseText(text)).variables.map(({ value }) => value);

/** Lines that `pulumi env open --format dotenv` prints, using Go's strconv.Quote. The last test compares all characters. */
const PRINTED_LINES: readonly (readonly [line: string, value: string])[] = [
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
  // The paths of files follow, which are sorted by themselves.
  [String.raw`A_FILE="/tmp/esc-1"`, "/tmp/esc-1"],
];

test("a file that Pulumi's CLI has written is parsed to the exact values, and a $ in it is no reference", async () => {
  const { variables, notices, references } = await parseText(PRINTED_LINES.map(([line]) => `${line}\n`).join(""));
  expect(variables.map(({ value }) => value)).toEqual(PRINTED_LINES.map(([, value]) => value));
  expect({ notices, references }).toEqual({ notices: [], references: undefined });
});

test("a line of Pulumi's CLI is parsed to the exact value in another file, too, unless it has rare escapes", async () => {
  const lines = PRINTED_LINES.filter(([line]) => !/\\[abftvxuU]/.test(line));
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
])("a file with %s is not a file of Pulumi's CLI, so rare escapes are not decoded", async (_, text) => {
  expect(await valuesOf(text)).toContain("x\\ty");
});

test("an escape that is decoded, but that a user may have meant literally, has a remark", async () => {
  const remarksOf = async (text: string) =>
    (await parseText(text)).notices.map((notice) => (notice.kind === "remark" ? notice.text : notice.kind));
  const remarks = await remarksOf('A="C:\\temp"\n');
  expect(remarks).toEqual([expect.stringMatching(/^\.env:1: .*\\t/)]);
  expectWording(remarks.join("\n"));
  expect(await remarksOf('A="a\\tb"\nB="\\"\\""\n')).toEqual([]);
});

describe("what Go's strconv.Quote has written", () => {
  skipBecause(notInstalled("go", "version"));

  /** A program in Go that reads values as JSON, and prints what Pulumi's CLI prints for them. */
  const QUOTE_PROGRAM = `package main

import ("encoding/json"; "fmt"; "os"; "strconv")

func main() {
	var values []string
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil { panic(err) }
	for i, value := range values { fmt.Printf("V%06d=%s\\n", i, strconv.Quote(value)) }
}
`;
  const buildQuoteProgram = (): string =>
    fillFolderOnce(join(import.meta.dirname, "../../../.cache/go-quote-1"), (unfinished) => {
      const source = join(folder(), "main.go");
      writeFileSync(source, QUOTE_PROGRAM);
      execFileSync("go", ["build", "-o", join(unfinished, "quote"), source], { timeout: 300_000 });
    });
  const quoteByGo = (values: readonly string[]): string =>
    execFileSync(join(buildQuoteProgram(), "quote"), {
      input: JSON.stringify(values),
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });

  test("is parsed to the exact values, whatever these are", { timeout: 300_000 }, async () => {
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
        expect(await valuesOf(quoteByGo(values))).toEqual(values);
      }),
      { numRuns: caseCount(3, 50), endOnFailure: true },
    );
  });

  test("is parsed to the exact value for each single character", { timeout: 300_000 }, async () => {
    // These are all characters of the first plane, and some characters of each other plane.
    const points = Array.from({ length: 0x10_ffff }, (_, index) => index + 1).filter(
      (point) => point < 0x1_0000 || point % 37 === 0,
    );
    const values = points
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point));
    expect(await valuesOf(quoteByGo(values))).toEqual(values);
  });
});
