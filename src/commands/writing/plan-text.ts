import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import type { Sorted } from "./candidates.ts";
import { isChange, type PlannedValue } from "./plan.ts";

/** Words for variables that stay as ESC has them. */
const STAYS: readonly (readonly [PlannedValue["state"], string])[] = [
  ["same", "the same already"],
  ["differs", "left as ESC has it, with another value; --overwrite replaces it"],
  ["hidden", "left as ESC has it: nobody can compare it without an approval; --overwrite replaces it"],
  ["file", "left as ESC has it, as a file"],
  ["function", "left as ESC has it, from a provider or function"],
];

/** Lists the changes by names. @param where the environment, and the file for an import */
export function planText(
  plan: readonly PlannedValue[],
  { own, empty }: Omit<Sorted, "candidates">,
  where: string,
): string {
  const namesIn = (state: PlannedValue["state"]): readonly string[] =>
    plan.filter((one) => one.state === state).map(({ name }) => name);
  const width = Math.max(0, ...plan.filter(isChange).map(({ name }) => printable(name).length));
  const lines = (state: PlannedValue["state"], sign: string): readonly string[] =>
    plan
      .filter((one) => one.state === state)
      .map(({ name, secret }) => `  ${sign} ${printable(name).padEnd(width)}  ${secret ? "secret" : "plain text"}`);
  const about = (names: readonly string[], words: string): readonly string[] =>
    names.length === 0 ? [] : [`  ${enumerateFew(names.map(printable))}: ${words}`];
  const plain = plan.filter(({ isPlain }) => isPlain === true).map(({ name }) => name);
  return [
    `${printable(where)}:`,
    ...lines("added", "+"),
    ...lines("replaced", "~"),
    ...STAYS.flatMap(([state, words]) => about(namesIn(state), words)),
    ...about(plain, "a secret, and in plain text in ESC"),
    ...about(empty, "empty, which counts as unset; left out"),
    ...about(own, "settings of sophia-run; left out"),
    "",
  ].join("\n");
}
