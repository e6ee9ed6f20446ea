/** Refusals and the notice of the commands that print values. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printLines } from "../../output/stderr.ts";
import { agentBy, readerName } from "../run/agents.ts";

interface Printer {
  /** The beginning of the message: `export would print secrets`. */
  readonly prints: string;
  /** The remedy, if a coding agent would read the output. */
  readonly underAgent: string;
  readonly atTerminal: string;
}

/** Refuses pipes too: an agent reads their output. @throws SophiaError (terminal, 125) */
export function refuseAgent({ prints, underAgent }: Printer, { environment }: Context): void {
  const variable = agentBy(environment);
  if (variable === undefined) return;
  throw new SophiaError({
    code: "terminal",
    message: `${prints} to ${readerName(variable)}`,
    details: ["use sophia-run -- COMMAND to start the program instead"],
    hint: underAgent,
  });
}

/** @throws SophiaError (terminal, 125) if the stream with the values is a terminal */
export function refuseTerminal({ prints, atTerminal }: Printer, context: Context, stream: 1 | 2 = 1): void {
  if (!context.isTerminal(stream)) return;
  throw new SophiaError({ code: "terminal", message: `${prints} to a terminal`, hint: atTerminal });
}

/** Reports that the command prints real keys, if the user has dummies for programs. @param words the notice */
export function warnOfBroker(
  context: Context,
  { broker, quiet }: Pick<Settings, "broker" | "quiet">,
  words: string,
): void {
  if (broker && !quiet) printLines(context, [words]);
}
