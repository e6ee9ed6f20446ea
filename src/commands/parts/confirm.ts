import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { questionText } from "../../output/stderr.ts";

/** Returns true if the user can be asked: input and standard error are terminals. */
export function canAsk({ isTerminal }: Context): boolean {
  return isTerminal(0) && isTerminal(2);
}

/** Asks a yes-or-no question, which may have several lines. Anything but yes is no, also what was typed before. */
export async function ask(question: string | readonly string[], context: Context): Promise<boolean> {
  const lines = [question].flat();
  const shown = questionText(context, [...lines.slice(0, -1), `${lines.at(-1) ?? ""} [y/N]`]);
  const answer = await context.readLine(shown);
  // Ctrl-D leaves the line of the question open.
  if (answer === undefined) context.err("\n");
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

/** Confirms a change by `--yes` or by an answer at the terminal. @throws SophiaError (not-confirmed, 125) without either */
export async function confirm(question: string, isConfirmed: boolean, context: Context): Promise<boolean> {
  if (isConfirmed) return true;
  if (canAsk(context)) return ask(question, context);
  throw new SophiaError({
    code: "not-confirmed",
    message: "nothing was changed (not interactive: confirmation required)",
    hint: "--yes makes the change without asking; --dry-run only shows it",
  });
}
