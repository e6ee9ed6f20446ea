/** The search exists twice, compiled from C and in TypeScript. Both must find the same. */
import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { Finder } from "../../src/masking/finder.ts";
import { createMasking, createSearch, type Masking } from "../../src/masking/masking.ts";
import type { CompiledSearch } from "../../src/masking/masking-model.ts";
import { caseCount, SEED } from "../helpers/seed.ts";
import { noAddon, skipBecause } from "../helpers/skip.ts";
import { loadCompiledSearch, useCompiledSearch } from "./compiled-search.ts";
import { secretOutput } from "./outputs.ts";

skipBecause(noAddon);

/** Masks an output that is written in parts of these lengths. @param hasSilences whether a silence follows each third part */
function maskInParts(masking: Masking, output: Buffer, sizes: readonly number[], hasSilences = false): string {
  const masker = masking.stream();
  const parts: Buffer[] = [];
  for (let offset = 0, turn = 0; offset < output.length; turn++) {
    const partLength = sizes[turn % sizes.length] ?? 1;
    parts.push(Buffer.from(masker.push(output.subarray(offset, offset + partLength))));
    if (hasSilences && turn % 3 === 0 && masker.revealsLittle) parts.push(Buffer.from(masker.flush()));
    offset += partLength;
  }
  parts.push(Buffer.from(masker.flush()));
  return Buffer.concat(parts).toString("latin1");
}

test("both searches mask the same, wherever an output is escaped and cut", { timeout: 300_000 }, () => {
  let maskedCases = 0;
  assert(
    property(
      secretOutput,
      array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      ({ values, output }, sizes) => {
        const secrets = values.map((value, index) => ({ name: `SECRET_${index}`, value }));
        for (const cut of [sizes, [output.length]]) {
          const expected = maskInParts(createMasking(secrets), output, cut, true);
          expect(maskInParts(useCompiledSearch(createMasking(secrets)), output, cut, true)).toBe(expected);
          if (expected.includes("***")) maskedCases += 1;
        }
      },
    ),
    { seed: SEED, numRuns: caseCount(1000, 8000) },
  );
  // The cases show nothing if hardly any output contains a secret.
  expect(maskedCases).toBeGreaterThan(400);
});

/**
 * Returns each match as text: its start, its end, its pattern, its encoding, its name, and whether shell escapes are part of it.
 */
function findMatches(
  values: readonly string[],
  output: Buffer,
  size: number,
  search?: CompiledSearch,
): readonly string[] {
  const { automaton, forms } = createSearch(
    values.map((value) => ({ name: "SECRET", value })),
    search,
  );
  const matches: string[] = [];
  const finder = new Finder(
    () => automaton,
    (start, end, node, { name }, isShell) => {
      const number = automaton.patternAt(node);
      matches.push(`${start} ${end} ${number} ${forms[number]?.encoding ?? ""} ${name} ${String(isShell)}`);
    },
  );
  for (let offset = 0; offset < output.length; offset += size) finder.read(output.subarray(offset, offset + size));
  finder.finish();
  return Array.from(new Set(matches)).toSorted();
}

test("both searches find the same patterns in the same encodings, as `scan` shows them", { timeout: 300_000 }, () => {
  let hits = 0;
  assert(
    property(secretOutput, integer({ min: 1, max: 200 }), ({ values, output }, size) => {
      const expected = findMatches(values, output, size);
      expect(findMatches(values, output, size, loadCompiledSearch())).toEqual(expected);
      hits += expected.length;
    }),
    { seed: SEED, numRuns: caseCount(500, 8000) },
  );
  expect(hits).toBeGreaterThan(200);
});

test.each<readonly [string, readonly string[], string, readonly string[]]>([
  [
    "they are in front of JSON",
    ['pass"word-1'],
    String.raw`\'pass\"word-1`,
    ["2 14 2 plain JSON false", "2 14 2 plain URL false", "2 14 2 plain XML false"],
  ],
  [
    "they are inside JSON, and in JSON in JSON only the inner escape is part of the match",
    ['pa$ss"word-1'],
    String.raw`pa\$ss\"word-1`,
    ["0 14 2 plain JSON false", "0 14 2 plain JSON true", "0 14 2 plain URL true", "0 14 2 plain XML true"],
  ],
  [
    "they are in front of a secret of quotes and backslashes",
    [String.raw`'"'"b'b\"` + "\\", "b\n\nb\rab", String.raw`&&\+&%`, String.raw`\b''"` + "\\"],
    String.raw`\'\u0027\u0022\u0027\u0022\u0062\u0027\u0062\u005c\u0022\u005c'\"'\"b'b\\\"~`,
    ["2 62 1 plain JSON false", "2 62 1 plain URL false", "2 62 1 plain XML false"],
  ],
  [
    "they are behind two backslashes",
    [`'ba'"''`, String.raw`"'''a\aaa"\b`],
    String.raw`"\\'\u0027\u0062\u0061\u0027\u0022\u0027\u0027`,
    ["4 46 1 plain JSON false", "4 46 1 plain URL false", "4 46 1 plain XML false"],
  ],
])("both searches report shell escapes only if they are part of the match: %s", (_, values, text, expected) => {
  const output = Buffer.from(text);
  for (const size of [1, 8, 16, output.length]) {
    expect(findMatches(values, output, size)).toEqual(expected);
    expect(findMatches(values, output, size, loadCompiledSearch())).toEqual(expected);
  }
});

test("both searches find a secret that begins with the last bytes of an escape, which another secret may continue", () => {
  const values = ["\r\r\naa\nb\r\nba", "b\r\n\r\naa\r"];
  const output = Buffer.from(String.raw`\u000a\u000aa\u000a\u0061\n\u0062\u000ab\u0061`);
  const expected = ["18 46 15 plain JSON false", "18 46 15 plain URL false", "18 46 15 plain XML false"];
  for (const size of [1, 25, output.length]) {
    expect(findMatches(values, output, size)).toEqual(expected);
    expect(findMatches(values, output, size, loadCompiledSearch())).toEqual(expected);
  }
});

test("both searches mask a value that is not UTF-8 as Python escapes it", () => {
  const value = Buffer.from([...Buffer.from("hush-"), 0xff, 0x80, 0x22, 0xc3, ...Buffer.from("-9f8e")]);
  const secrets = [{ name: "SECRET", value }];
  const escaped = String.raw`hush-\udcff\udc80\"\udcc3-9f8e`;
  const outputs = [
    [escaped, "***"],
    [escaped.replaceAll("\\", "\\\\"), "***"],
    [escaped.replaceAll("dc", "DC").replace("h", String.raw`\u0068`), "***"],
    [escaped.replace("dcff", "dcfe"), escaped.replace("dcff", "dcfe")],
    [escaped.replace("dcff", "d8ff"), escaped.replace("dcff", "d8ff")],
    [escaped.replace("dc80", "dc7f"), escaped.replace("dc80", "dc7f")],
  ];
  for (const [output = "", expected] of outputs) {
    for (const sizes of [[1], [output.length]]) {
      expect(maskInParts(createMasking(secrets), Buffer.from(output), sizes)).toBe(expected);
      expect(maskInParts(useCompiledSearch(createMasking(secrets)), Buffer.from(output), sizes)).toBe(expected);
    }
  }
});
