/**
 * The rules for `get` and `export`, which print secrets. They refuse to print to a coding agent or a terminal, and report that they
 * print real keys if the user has turned the broker on.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printLines } from "../../output/stderr.ts";
import { findAgentVariable, readerName } from "../run/agents.ts";

/** The texts of the errors that differ for each command. */
interface RefusalTexts {
  /** The beginning of the message: `export would print secrets`. */
  readonly messageStart: string;
  /** The remedy if a coding agent would read the output. */
  readonly agentRemedy: string;
  /** The remedy if the output is a terminal. */
  readonly terminalRemedy: string;
}

/**
 * Refuses to print secrets if a coding agent has started this process, since the agent reads pipes as well as terminals.
 *
 * @throws SophiaError (terminal, 125)
 */
export function refuseAgent({ messageStart, agentRemedy }: RefusalTexts, { environment }: Context): void {
  const agentVariable = findAgentVariable(environment);
  if (agentVariable === undefined) return;
  throw new SophiaError({
    code: "terminal",
    message: `${messageStart} to ${readerName(agentVariable)}`,
    details: ["use sophia-run -- COMMAND to start the program instead"],
    hint: agentRemedy,
  });
}

/**
 * Refuses to print secrets to a terminal.
 *
 * @param stream the descriptor to which the command prints the secrets
 * @throws SophiaError (terminal, 125)
 */
export function refuseTerminal(
  { messageStart, terminalRemedy }: RefusalTexts,
  context: Context,
  stream: 1 | 2 = 1,
): void {
  if (!context.isTerminal(stream)) return;
  throw new SophiaError({ code: "terminal", message: `${messageStart} to a terminal`, hint: terminalRemedy });
}

/**
 * Prints a notice if the user has turned the broker on, with which programs get dummies: the command prints the real keys anyway.
 *
 * @param notice the text of the notice
 */
export function printRealKeysNotice(
  context: Context,
  { broker, quiet }: Pick<Settings, "broker" | "quiet">,
  notice: string,
): void {
  if (broker && !quiet) printLines(context, [notice]);
}
