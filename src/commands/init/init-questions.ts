/** The questions of `init` that show a numbered list. The user answers with numbers or names from it: `1, 3` or `PORT`. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { questionText } from "../../output/stderr.ts";
import { canAsk } from "../parts/confirm.ts";
import type { Candidate } from "./variable-candidates.ts";

/**
 * Asks which variables are required, of those for which no source decides it. Variables that the code reads without a fallback
 * are proposed. Without a terminal the proposed variables are required.
 *
 * @returns all candidates, and in `assumedRequired` those that have become required without a question
 */
export async function askRequired<Known extends Candidate>(
  candidates: readonly Known[],
  context: Context,
): Promise<{ readonly candidates: readonly Known[]; readonly assumedRequired: readonly Known[] }> {
  const undecided = candidates.filter(({ required, isOptional }) => !required && isOptional !== true);
  const undecidedNames = undecided.map(({ name }) => name);
  const proposed = undecided.filter(({ isUntested }) => isUntested === true).map(({ name }) => name);
  const isAsked = undecided.length > 0 && canAsk(context);
  const chosen = isAsked ? await askWhich(undecidedNames, proposed, context) : new Set(proposed);
  const decided = candidates.map((candidate) => {
    return chosen.has(candidate.name) ? { ...candidate, required: true } : candidate;
  });
  const assumedRequired = canAsk(context) ? [] : decided.filter(({ name }) => proposed.includes(name));
  return { candidates: decided, assumedRequired };
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
 * Asks the user to choose among names. The question is repeated until each word of the answer is in the list.
 *
 * @param rows the texts that are shown for the names
 * @param column the indent of the further lines of a row
 * @param defaults the names that an empty answer chooses. If there are some, the user may answer `none`.
 */
export async function askNames(
  heading: string,
  rows: readonly string[],
  question: string,
  names: readonly string[],
  context: Context,
  column = 0,
  defaults: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  const findSimilarName = nameFinder(names);
  const list = rows.map((row, index): Line => {
    const number = `${String(index + 1).padStart(4)}  `;
    return { text: number + row, hangingIndent: number.length + column };
  });
  // The list is shown with the first question only.
  for (let shownList: readonly Line[] = [heading, ...list]; ; shownList = []) {
    const line = await context.readLine(questionText(context, [...shownList, question]));
    const answer = (line ?? "").trim();
    if (answer === "") return new Set(defaults);
    if (defaults.length > 0 && answer.toLowerCase() === "none") return new Set();
    const { chosen, unknown } = parseChoice(answer, names);
    if (unknown.length === 0) return chosen;
    const shownWords = unknown.map((word) => {
      const suggestion = findSimilarName(word);
      return `${printable(word)}${suggestion === undefined ? "" : ` (did you mean ${printable(suggestion)}?)`}`;
    });
    context.err(`Not in the list: ${shownWords.join(", ")}\n`);
  }
}

/**
 * Parses an answer such as `1, 3 PORT` or `all`. Numbers begin with 1.
 *
 * @returns the chosen names, and the words that are neither a number nor a name of the list
 */
export function parseChoice(
  answer: string,
  names: readonly string[],
): { readonly chosen: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const words = answer.split(/[\s,]+/).filter(Boolean);
  if (words.length === 1 && words[0]?.toLowerCase() === "all") return { chosen: new Set(names), unknown: [] };
  const nameOf = (word: string): string | undefined =>
    /^\d+$/.test(word) ? names[Number(word) - 1] : names.find((candidate) => candidate === word);
  return {
    chosen: new Set(words.flatMap((word) => nameOf(word) ?? [])),
    unknown: words.filter((word) => nameOf(word) === undefined),
  };
}
