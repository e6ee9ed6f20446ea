/** Tests where the lines of a message break. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { wrap } from "../../src/core/lines.ts";
import { withCommandsWhole } from "../../src/output/layout.ts";

/** A space where a line may end, by looking back from each. */
const BREAK =
  /(?<!\b(?:chmod(?: \S+(?: '[^']*)?)?|pulumi(?: env(?: \S+)?)?|sophia-run(?: (?:rotate|request)(?: \S+(?: --in)?)?)?)|--(?:allow|reason)) /;

const words = fc
  .array(
    fc.oneof(
      fc.constantFrom("chmod 600", "chmod 600 'a b c'", "pulumi", "pulumi env", "pulumi env set X"),
      fc.constantFrom("sophia-run rotate NAME --in", "sophia-run request --reason TEXT", "--allow NAME", "sophia-run"),
      fc.constantFrom("env", "NAME", "--in", "a,", "'b", ""),
    ),
    { maxLength: 20 },
  )
  // Within the words of one command no other begins.
  .map((list) => list.join(" and so "));

it("lines are never broken within a command", () => {
  fc.assert(
    fc.property(words, (text) => {
      // Each word on a line of its own.
      const parts = text.split(BREAK).filter((part) => part !== "");
      fc.pre(text.length > 1 && !text.startsWith("  "));
      const lines = wrap(withCommandsWhole(text), 1).filter((line) => line !== "");
      expect(lines.map((line) => line.trim())).toStrictEqual(parts.map((part) => part.trim()));
    }),
    { seed: 5, numRuns: 500 },
  );
});

it.each([
  ["update: sophia-run docs", ["update:", "sophia-run docs"]],
  ["or npx --no-install sophia-run check --strict", ["or", "npx --no-install sophia-run check", "--strict"]],
  [
    String.raw`in sophia-run --project 'it'\''s a folder' docs`,
    ["in", String.raw`sophia-run --project 'it'\''s a folder' docs`],
  ],
])("neither a subcommand nor a part of a quoted path begins a line: %s", (text, lines) => {
  expect(wrap(withCommandsWhole(text), 1)).toEqual(lines);
});

it("breaking lines takes time linear in the text's length", () => {
  const text = `did not begin ${"chmod 600 'it ".repeat(50_000)}${"NAME, ".repeat(200_000)}`;
  expect(wrap(withCommandsWhole(text), 80).join(" ").length).toBeGreaterThan(1_000_000);
});
