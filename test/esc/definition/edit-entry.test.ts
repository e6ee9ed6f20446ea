import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findEntry, fingerprintOfLines, removeEntry, setEntry } from "../../../src/esc/definition/edit-entry.ts";
import { SophiaError } from "../../../src/core/error.ts";

const LINES = ["fn::validate:", '  schema: {type: object, pattern: "^a$"}', "  value: ${environmentVariables}"];
const BLOCK =
  '  contract:\n    fn::validate:\n      schema: {type: object, pattern: "^a$"}\n      value: ${environmentVariables}\n';

/** Pieces of a definition around the entry: every piece must stay byte for byte. */
const BEFORE = ["values:\n", "# first\nvalues: # of dev\n", "imports:\n  - a/b\nvalues:\n"] as const;
const ENTRIES = [
  '  environmentVariables:\n    A: 1 # one\n    B: {"fn::secret": x}\n',
  "  text: |\n    contract:\n      not: this\n\n",
  "  folded: >-\n    a\n    b\n",
  "  # between\n  list:\n    - 1\n    - {a: b}\n",
  "  last: x\n",
] as const;
const AFTER = ["", "# at the end\n", "description: d\n"] as const;

const definitions = fc.record({
  before: fc.constantFrom(...BEFORE),
  above: fc.subarray([...ENTRIES], { minLength: 1 }),
  below: fc.subarray([...ENTRIES]),
  after: fc.constantFrom(...AFTER),
  eol: fc.constantFrom("\n", "\r\n"),
});

function joinParts(parts: readonly string[], eol: string): string {
  return parts.join("").replaceAll("\n", eol);
}

describe("an entry of values", () => {
  it("is replaced and removed in place, and all else stays byte for byte", () => {
    fc.assert(
      fc.property(definitions, ({ before, above, below, after, eol }) => {
        const others = below.filter((entry) => !above.includes(entry));
        const old = "  contract:\n    old: # its comment\n      - 1\n";
        const text = joinParts([before, ...above, old, ...others, after], eol);
        const wanted = joinParts([before, ...above, BLOCK, ...others, after], eol);
        expect(setEntry(text, "contract", LINES)).toBe(wanted);
        expect(setEntry(wanted, "contract", LINES)).toBe(wanted);
        expect(removeEntry(text, "contract")).toBe(joinParts([before, ...above, ...others, after], eol));
      }),
    );
  });

  it("is added behind the others, and then found with its first line", () => {
    const text = 'values:\n  environmentVariables: {A: "1"}\n';
    const edited = setEntry(text, "contract", LINES);
    expect(edited).toBe(text + BLOCK);
    expect(findEntry(edited, "contract")).toEqual({
      fingerprint: fingerprintOfLines(LINES),
      text: BLOCK.trimEnd(),
      line: 3,
    });
    expect(findEntry(text, "contract")).toBeUndefined();
    expect(removeEntry(edited, "contract")).toBe(text);
  });

  it("is added behind a last line without a line end", () => {
    expect(setEntry("values:\n  a: 1", "contract", LINES)).toBe(`values:\n  a: 1\n${BLOCK.trimEnd()}`);
  });

  it.each([
    ["values within braces", "values: {a: 1}\n"],
    ["no values", "imports: [a]\n"],
    ["an anchor that others refer to", "values:\n  contract: &a {b: 1}\n  c: *a\n"],
    ["values that are a function", "values:\n  fn::x: 1\n"],
    ["broken YAML with a value", "values:\n  a: [s3cr3t\n"],
  ])("is not changed in a text that cannot be changed safely: %s", (_, text) => {
    const change = (): string => setEntry(text, "contract", LINES);
    expect(change).toThrow(SophiaError);
    expect(change).not.toThrow("s3cr3t");
  });
});
