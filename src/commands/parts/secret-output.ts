/** The rules for commands that print secrets, `get` and `export`: where they refuse to print, and what they report. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printLines } from "../../output/stderr.ts";
import { agentBy, readerName } from "../run/agents.ts";

/** The texts of the refusals, which differ for each command. */
interface RefusalTexts {
  /** The beginning of the message: `export would print secrets`. */
  readonly prints: string;
  /** The remedy if a coding agent would read the output. */
  readonly underAgent: string;
  /** The remedy if the output is a terminal. */
  readonly atTerminal: string;
}

/**
 * Refuses to print secrets if a coding agent has started this process. The agent reads the output of a pipe as well as that of
 * a terminal. @throws SophiaError (terminal, 125)
 */
export function refuseAgent({ prints, underAgent }: RefusalTexts, { environment }: Context): void {
  const agentVariable = agentBy(environment);
  if (agentVariable === undefined) return;
  throw new SophiaError({
    code: "terminal",
    message: `${prints} to ${readerName(agentVariable)}`,
    details: ["use sophia-run -- COMMAND to start the program instead"],
    hint: underAgent,
  });
}

/** Refuses to print secrets to a terminal. @throws SophiaError (terminal, 125) @param stream the stream that gets the secrets */
export function refuseTerminal({ prints, atTerminal }: RefusalTexts, context: Context, stream: 1 | 2 = 1): void {
  if (!context.isTerminal(stream)) return;
  throw new SophiaError({ code: "terminal", message: `${prints} to a terminal`, hint: atTerminal });
}

/**
 * Prints a notice that the command prints real keys although the user has turned the broker on: programs get dummies then.
 *
 * @param notice the text of the notice
 */
export function noticeRealKeys(
  context: Context,
  { broker, quiet }: Pick<Settings, "broker" | "quiet">,
  notice: string,
): void {
  if (broker && !quiet) printLines(context, [notice]);
}
