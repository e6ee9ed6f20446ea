/** Asks the user yes-or-no questions at the terminal. */
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { layOutQuestion } from "../../output/stderr.ts";

/** Returns true if the user can be asked, which needs terminals as standard input and standard error. */
export function canAskUser({ isTerminal }: Context): boolean {
  return isTerminal(0) && isTerminal(2);
}

/**
 * Asks a yes-or-no question. Only `y` and `yes` mean yes; an empty answer means no. Input that was typed before the question does
 * not answer it.
 *
 * @param question one line, or several lines, of which the last is the question
 */
export async function askYesOrNo(question: string | readonly string[], context: Context): Promise<boolean> {
  const lines = [question].flat();
  const prompt = layOutQuestion(context, [...lines.slice(0, -1), `${lines.at(-1) ?? ""} [y/N]`]);
  const answer = await context.readLine(prompt);
  // The user pressed Ctrl-D, which ends the input, but leaves the cursor behind the question.
  if (answer === undefined) context.err("\n");
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

/**
 * Returns true if the user confirms a change, by `--yes` or by an answer at the terminal.
 *
 * @param isConfirmed the value of `--yes`
 * @throws SophiaError (not-confirmed, 125) without `--yes` and without a terminal
 */
export async function askForConfirmation(question: string, isConfirmed: boolean, context: Context): Promise<boolean> {
  if (isConfirmed) return true;
  if (canAskUser(context)) return askYesOrNo(question, context);
  throw new SophiaError({
    code: "not-confirmed",
    message: "nothing was changed (not interactive: confirmation required)",
    hint: "--yes makes the change without asking; --dry-run only shows it",
  });
}
