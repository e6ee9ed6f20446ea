/** The questions of `init`: numbers or names out of a list. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { sayQuestion } from "../../output/stderr.ts";
import type { Found } from "./found.ts";

/** Asks which variables are required, since `source` has their names alone. At the end of the input none is. */
export async function askRequired(
  found: readonly Found[],
  source: string,
  context: Context,
): Promise<readonly Found[]> {
  const heading = `${source} does not tell which of these a program cannot do without:`;
  const question = "Which are required? Numbers or names, `all`, or Enter for none:";
  const names = found.map(({ name }) => name);
  const chosen = await askNames(heading, names.map(printable), question, names, context);
  return found.map((one) => ({ ...one, required: chosen.has(one.name) }));
}

/**
 * Asks for some of the names, until each word of the answer is one.
 *
 * @param rows what the list shows of each name
 * @param column where the rest of a row continues that is too long
 */
export async function askNames(
  heading: string,
  rows: readonly string[],
  question: string,
  names: readonly string[],
  context: Context,
  column = 0,
): Promise<ReadonlySet<string>> {
  const find = nameFinder(names);
  const list = rows.map((row, index): Line => {
    const lead = `${String(index + 1).padStart(4)}  `;
    return { text: lead + row, hang: lead.length + column };
  });
  for (let above: readonly Line[] = [heading, ...list]; ; above = []) {
    sayQuestion(context, [...above, question]);
    const { chosen, unknown } = choose((await context.readLine()) ?? "", names);
    if (unknown.length === 0) return chosen;
    const words = unknown.map((word) => {
      const meant = find(word);
      return `${printable(word)}${meant === undefined ? "" : ` (did you mean ${printable(meant)}?)`}`;
    });
    context.err(`Not in the list: ${words.join(", ")}\n`);
  }
}

/** Splits an answer into the names that it gives and the words that are not in the list. */
export function choose(
  answer: string,
  names: readonly string[],
): { readonly chosen: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const words = answer.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 1 && words[0]?.toLowerCase() === "all") return { chosen: new Set(names), unknown: [] };
  const chosen = new Set<string>();
  const unknown: string[] = [];
  for (const word of words) {
    const name = /^\d+$/.test(word) ? names[Number(word) - 1] : names.find((one) => one === word);
    if (name === undefined) unknown.push(word);
    else chosen.add(name);
  }
  return { chosen, unknown };
}
