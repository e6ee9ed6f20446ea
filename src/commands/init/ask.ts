/** What only a person can tell: which variables a program cannot do without. */
import type { Context } from "../../core/context.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { sayQuestion } from "../../output/stderr.ts";
import type { Found } from "./found.ts";

/**
 * The variables with those required that a person names. At the end of the input none is.
 *
 * @param source what does not tell it
 */
export async function askRequired(
  found: readonly Found[],
  source: string,
  context: Context,
): Promise<readonly Found[]> {
  const lines = found.map(({ name }, index) => `${String(index + 1).padStart(4)}  ${printable(name)}\n`);
  context.err(`${source} does not tell which of these a program cannot do without:\n${lines.join("")}`);
  const names = found.map(({ name }) => name);
  const chosen = await askNames("Which are required? Numbers or names, `all`, or Enter for none:", names, context);
  return found.map((one) => ({ ...one, required: chosen.has(one.name) }));
}

/** Asks for some of the names, until each word of the answer is one. */
export async function askNames(
  question: string,
  names: readonly string[],
  context: Context,
): Promise<ReadonlySet<string>> {
  const find = nameFinder(names);
  for (;;) {
    sayQuestion(context, [question]);
    const { chosen, unknown } = choose((await context.readLine()) ?? "", names);
    if (unknown.length === 0) return chosen;
    const words = unknown.map((word) => {
      const meant = find(word);
      return `${printable(word)}${meant === undefined ? "" : ` (did you mean ${printable(meant)}?)`}`;
    });
    context.err(`Not in the list: ${words.join(", ")}\n`);
  }
}

/** The names that an answer gives, and its words that are none. */
export function choose(
  answer: string,
  names: readonly string[],
): { readonly chosen: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const words = answer.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 1 && words[0]?.toLowerCase() === "all") return { chosen: new Set(names), unknown: [] };
  const meant = words.map((word) => (/^\d+$/.test(word) ? names[Number(word) - 1] : word));
  const known = new Set(names);
  const isKnown = (name: string | undefined): name is string => name !== undefined && known.has(name);
  return { chosen: new Set(meant.filter(isKnown)), unknown: words.filter((_, index) => !isKnown(meant[index])) };
}
