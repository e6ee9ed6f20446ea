/** The questions of `init`, which are answered by numbers or names of a list. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { questionText } from "../../output/stderr.ts";
import { canAsk } from "../parts/confirm.ts";
import type { Candidate } from "./variable-candidates.ts";

/**
 * Asks which variables are required of those of which no source says it. Those that the code reads without a fallback are
 * chosen already; without a terminal they are required.
 *
 * @returns all candidates, and those that are required for this reason
 */
export async function askRequired<Known extends Candidate>(
  candidates: readonly Known[],
  context: Context,
): Promise<{ readonly candidates: readonly Known[]; readonly untested: readonly Known[] }> {
  const open = candidates.filter(({ required, isOptional }) => !required && isOptional !== true);
  const proposed = open.filter(({ isUntested }) => isUntested === true).map(({ name }) => name);
  const chosen =
    open.length === 0 || !canAsk(context)
      ? new Set(proposed)
      : await askWhich(
          open.map(({ name }) => name),
          proposed,
          context,
        );
  const marked = candidates.map((one) => (chosen.has(one.name) ? { ...one, required: true } : one));
  const untested = canAsk(context) ? [] : marked.filter(({ name }) => proposed.includes(name));
  return { candidates: marked, untested };
}

function askWhich(
  names: readonly string[],
  proposed: readonly string[],
  context: Context,
): Promise<ReadonlySet<string>> {
  const isProposed = (name: string): boolean => proposed.includes(name);
  if (!names.some(isProposed)) {
    const heading = "Which of these variables are required? Their sources do not say it:";
    return askNames(heading, names.map(printable), "Numbers or names, `all`, or Enter for none:", names, context);
  }
  const rows = names.map((name) => `${isProposed(name) ? "*" : " "} ${printable(name)}`);
  const heading = "Which of these variables are required? The code reads those with * without a fallback:";
  const question = "Enter for those with *; else the numbers or names of all that are, `all` or `none`:";
  return askNames(heading, rows, question, names, context, 0, proposed);
}

/**
 * Asks for some of the names, until each word of the answer is one.
 *
 * @param column the indent of a row's further lines
 * @param byDefault the names that an empty answer chooses; with some, `none` is an answer as well
 */
export async function askNames(
  heading: string,
  rows: readonly string[],
  question: string,
  names: readonly string[],
  context: Context,
  column = 0,
  byDefault: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  const find = nameFinder(names);
  const list = rows.map((row, index): Line => {
    const lead = `${String(index + 1).padStart(4)}  `;
    return { text: lead + row, hang: lead.length + column };
  });
  for (let above: readonly Line[] = [heading, ...list]; ; above = []) {
    const answer = await context.readLine(questionText(context, [...above, question]));
    const words = (answer ?? "").trim();
    if (words === "") return new Set(byDefault);
    if (byDefault.length > 0 && words.toLowerCase() === "none") return new Set();
    const { chosen, unknown } = choose(words, names);
    if (unknown.length === 0) return chosen;
    const shown = unknown.map((word) => {
      const suggestion = find(word);
      return `${printable(word)}${suggestion === undefined ? "" : ` (did you mean ${printable(suggestion)}?)`}`;
    });
    context.err(`Not in the list: ${shown.join(", ")}\n`);
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
