/** The questions of `init`, which are answered by numbers or names of a list. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { questionText } from "../../output/stderr.ts";
import { canAsk } from "../parts/confirm.ts";
import type { Candidate } from "./variable-candidates.ts";

/** Asks which variables are required of those of which no source says it. Without a terminal none is. */
export async function askRequired<Known extends Candidate>(
  candidates: readonly Known[],
  context: Context,
): Promise<readonly Known[]> {
  const names = candidates
    .filter(({ required, isOptional }) => !required && isOptional !== true)
    .map(({ name }) => name);
  if (names.length === 0 || !canAsk(context)) return candidates;
  const heading = "Which of these variables are required? Their sources do not say it:";
  const question = "Numbers or names, `all`, or Enter for none:";
  const chosen = await askNames(heading, names.map(printable), question, names, context);
  return candidates.map((one) => (chosen.has(one.name) ? { ...one, required: true } : one));
}

/** Asks for some of the names, until each word of the answer is one. @param column the indent of a row's further lines */
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
    const answer = await context.readLine(questionText(context, [...above, question]));
    const { chosen, unknown } = choose(answer ?? "", names);
    if (unknown.length === 0) return chosen;
    const words = unknown.map((word) => {
      const suggestion = find(word);
      return `${printable(word)}${suggestion === undefined ? "" : ` (did you mean ${printable(suggestion)}?)`}`;
    });
    context.err(`Not in the list: ${words.join(", ")}\n`);
  }
}

/** Parses an answer: numbers from 1, names, or `all`. */
export function choose(
  answer: string,
  names: readonly string[],
): { readonly chosen: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const words = answer.split(/[\s,]+/).filter(Boolean);
  if (words.length === 1 && words[0]?.toLowerCase() === "all") return { chosen: new Set(names), unknown: [] };
  const nameOf = (word: string): string | undefined =>
    /^\d+$/.test(word) ? names[Number(word) - 1] : names.find((name) => name === word);
  return {
    chosen: new Set(words.flatMap((word) => nameOf(word) ?? [])),
    unknown: words.filter((word) => nameOf(word) === undefined),
  };
}
