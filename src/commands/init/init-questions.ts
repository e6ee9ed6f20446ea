/**
 * The questions of `init` with a numbered list, such as which variables are required. The user answers `1, 3` or `PORT`.
 */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { createNameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { layOutQuestion } from "../../output/stderr.ts";
import { canAskUser } from "../parts/confirm.ts";
import type { Candidate } from "./variable-candidates.ts";

/**
 * Asks which variables are required, if their sources do not decide it. It proposes those that the code reads without a
 * fallback. Without a terminal there is no question, and the proposed variables become required.
 *
 * @returns all candidates, and in `assumedRequired` those that have become required without a question
 */
export async function askRequired<SomeCandidate extends Candidate>(
  candidates: readonly SomeCandidate[],
  context: Context,
): Promise<{ readonly candidates: readonly SomeCandidate[]; readonly assumedRequired: readonly SomeCandidate[] }> {
  const undecided = candidates.filter(({ required, isOptional }) => !required && isOptional !== true);
  const undecidedNames = undecided.map(({ name }) => name);
  const proposedNames = undecided.filter(({ isUntested }) => isUntested === true).map(({ name }) => name);
  const isAsked = undecided.length > 0 && canAskUser(context);
  const requiredNames = isAsked
    ? await askRequiredNames(undecidedNames, proposedNames, context)
    : new Set(proposedNames);
  const decidedCandidates = candidates.map((candidate) => {
    return requiredNames.has(candidate.name) ? { ...candidate, required: true } : candidate;
  });
  const assumedRequired = canAskUser(context)
    ? []
    : decidedCandidates.filter(({ name }) => proposedNames.includes(name));
  return { candidates: decidedCandidates, assumedRequired };
}

/** Asks which of the names are required. A star marks the proposed ones, which Enter chooses. */
function askRequiredNames(
  names: readonly string[],
  proposedNames: readonly string[],
  context: Context,
): Promise<ReadonlySet<string>> {
  const isProposed = (name: string): boolean => proposedNames.includes(name);
  if (!names.some(isProposed)) {
    const heading = "Which of these variables are required? Their sources do not say it:";
    const question = "Numbers or names, `all`, or Enter for none:";
    return askNames({ heading, rows: names.map(printable), question, names }, context);
  }
  const rows = names.map((name) => `${isProposed(name) ? "*" : " "} ${printable(name)}`);
  const heading = "Which of these variables are required? The code reads those with * without a fallback:";
  const question = "Enter for those with *; else the numbers or names of all that are, `all` or `none`:";
  return askNames({ heading, rows, question, names, defaults: proposedNames }, context);
}

/** A question with a numbered list of names. */
interface NameQuestion {
  readonly heading: string;
  /** The names from which the user chooses. */
  readonly names: readonly string[];
  /** The text of each name's row in the list. */
  readonly rows: readonly string[];
  /** The columns by which continuation lines of a row are indented; by default 0. */
  readonly rowIndent?: number;
  /** The line after the list, behind which the user answers. */
  readonly question: string;
  /** The names that an empty answer chooses; by default none. If there are some, the user may answer `none`. */
  readonly defaults?: readonly string[];
}

/** Asks the user to choose among names. The question is repeated until each word of the answer is in the list. */
export async function askNames(
  { heading, names, rows, rowIndent = 0, question, defaults = [] }: NameQuestion,
  context: Context,
): Promise<ReadonlySet<string>> {
  const findSimilarName = createNameFinder(names);
  const list = rows.map((row, index): Line => {
    const number = `${String(index + 1).padStart(4)}  `;
    return { text: number + row, hangingIndent: number.length + rowIndent };
  });
  // The list is shown with the first question only.
  for (let shownList: readonly Line[] = [heading, ...list]; ; shownList = []) {
    const line = await context.readLine(layOutQuestion(context, [...shownList, question]));
    // At the end of the input there is no line, which is the same as Enter.
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
