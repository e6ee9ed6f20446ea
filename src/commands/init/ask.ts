/** What only a person can tell: which variables a program cannot do without. */
import type { Context } from "../../core/context.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import type { Found } from "./found.ts";

/** The variables with those required that a person names. At the end of the input none is. */
export async function askRequired(found: readonly Found[], context: Context): Promise<readonly Found[]> {
  const lines = found.map(({ name }, index) => `${String(index + 1).padStart(4)}  ${printable(name)}\n`);
  context.err(`ESC does not tell which of these a program cannot do without:\n${lines.join("")}`);
  for (;;) {
    context.err("Which are required? Numbers or names, `all`, or Enter for none: ");
    const answer = await context.readLine();
    const { chosen, unknown } = choose(answer ?? "", found);
    if (unknown.length === 0) return found.map((one) => ({ ...one, required: chosen.has(one.name) }));
    const find = nameFinder(found.map(({ name }) => name));
    const words = unknown.map((word) => {
      const meant = find(word);
      return `${printable(word)}${meant === undefined ? "" : ` (did you mean ${printable(meant)}?)`}`;
    });
    context.err(`Not in the list: ${words.join(", ")}\n`);
  }
}

/** The variables that an answer names, and its words that name none. */
export function choose(
  answer: string,
  found: readonly Found[],
): { readonly chosen: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const words = answer.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 1 && words[0]?.toLowerCase() === "all") {
    return { chosen: new Set(found.map(({ name }) => name)), unknown: [] };
  }
  const names = words.map((word) => (/^\d+$/.test(word) ? found[Number(word) - 1]?.name : word));
  const known = new Set(found.map(({ name }) => name));
  const isKnown = (name: string | undefined): name is string => name !== undefined && known.has(name);
  return { chosen: new Set(names.filter(isKnown)), unknown: words.filter((_, index) => !isKnown(names[index])) };
}
