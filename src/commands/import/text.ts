import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import type { Sorted } from "./candidates.ts";
import type { Obstacle, Plan } from "./plan.ts";

/** Lists the changes by names. @param where the environment, and the file for an import */
export function planText(plan: Plan, { own, empty }: Omit<Sorted, "candidates">, where: string): string {
  const { added, replaced, same, kept, plain } = plan;
  const width = [...added, ...replaced].reduce((most, { name }) => Math.max(most, printable(name).length), 0);
  const line = (sign: string, { name, secret }: { name: string; secret: boolean }): string =>
    `  ${sign} ${printable(name).padEnd(width)}  ${secret ? "secret" : "plain text"}`;
  const few = (names: readonly string[]): string => enumerateFew(names.map(printable));
  const about = (names: readonly string[], words: string): readonly string[] =>
    names.length === 0 ? [] : [`  ${few(names)}: ${words}`];
  const because = (why: Obstacle): readonly string[] => kept.filter((one) => one.why === why).map(({ name }) => name);
  return [
    `${printable(where)}:`,
    ...added.map((one) => line("+", one)),
    ...replaced.map((one) => line("~", one)),
    ...about(
      same.map(({ name }) => name),
      "the same already",
    ),
    ...about(because("differs"), "left as ESC has it, with another value; --overwrite replaces it"),
    ...about(
      because("hidden"),
      "left as ESC has it: nobody can compare it without an approval; --overwrite replaces it",
    ),
    ...about(because("file"), "left as ESC has it, as a file"),
    ...about(because("function"), "left as ESC has it, from a provider or function"),
    ...about(plain, "a secret, and in plain text in ESC"),
    ...about(empty, "empty, which counts as unset; left out"),
    ...about(own, "settings of sophia-run; left out"),
    "",
  ].join("\n");
}
