/**
 * Opens the masked outputs of a program before the program is started: pipes or pseudo-terminals in place of its standard output and
 * standard error. spawn/start-child.ts loads this file if outputs are masked.
 */
import type { Launch, OutputMasking } from "../types.ts";
import { createMessageWriter } from "./messages.ts";
import { Outputs, syncAll, type OpenedOutputs, type Pumps } from "./outputs.ts";
import { PartTerminal } from "./part-terminal.ts";
import { TerminalSession } from "./terminal-session.ts";
import { isSessionRequired, planOutputs, prepareOutput, type Output, type PreparedOutput } from "./streams.ts";
import { duplicate, type System, type TerminalPair } from "./masking-system.ts";

export { openSystem } from "./masking-system.ts";

interface ProgramNeeds {
  /** True if the monitor may start the program in a session of its own. */
  readonly mayHaveSession: boolean;
  readonly mayRestart: boolean;
}

/**
 * Opens a pipe in place of each output that has a reader, or a pseudo-terminal if the output is a terminal.
 *
 * @param system undefined without the addon: the outputs are then pipes that Node.js makes
 * @throws SophiaError (125) if that is not possible
 */
export function openOutputs(
  launch: Launch,
  outputMasking: OutputMasking,
  system: System | undefined,
  { mayHaveSession, mayRestart }: ProgramNeeds,
): Outputs {
  const addon = system?.addon;
  const planned = planOutputs(addon);
  const requiresSession = mayHaveSession && isSessionRequired(planned, addon);
  const { requiresTerminal } = outputMasking;
  const prepared = planned.map((output) => prepareOutput(output, { requiresTerminal, requiresSession }, system));
  const errorOutput = prepared.find(({ output }) => isStandardError(output));
  // In a session the real terminal is raw, and does not convert `\n`.
  const messages = createMessageWriter(errorOutput?.target, requiresSession ? "\r\n" : "\n");
  const pumps: Pumps = new Map();
  const terminalNeeds = { requiresSession, pumps, inherited: launch.inherited.numbers };
  const { session, partTerminal } = openTerminal(prepared, system, terminalNeeds);
  const opened = { prepared, system, messages, pumps, session, partTerminal };
  return new Outputs(opened, outputMasking, {
    streams: prepared.map(({ output, isTerminal }) => ({ isStandardError: isStandardError(output), isTerminal })),
    open: new Set(),
    hasSession: session !== undefined,
    mayRestart,
    reportsMasking: outputMasking.notice !== undefined,
    // PID 1 cannot hand over to another process, since all others end with it.
    mayHandOver: addon !== undefined && !launch.preparation.isFirstProcess,
    isRestored: false,
    isOutputLost: false,
  });
}

/** Returns true if messages of this process are written to the output as well. */
function isStandardError({ descriptors }: Output): boolean {
  return descriptors.includes(2);
}

interface TerminalNeeds {
  readonly requiresSession: boolean;
  readonly pumps: Pumps;
  /** The descriptors that the program inherits besides the standard streams. */
  readonly inherited: readonly number[];
}

/** Opens what connects the real terminal with the program's pseudo-terminal, if one of the outputs has such a terminal. */
function openTerminal(
  prepared: readonly PreparedOutput[],
  system: System | undefined,
  { requiresSession, pumps, inherited }: TerminalNeeds,
): Pick<OpenedOutputs, "session" | "partTerminal"> {
  const terminalOutput = prepared.find(({ isTerminal }) => isTerminal);
  if (system === undefined || terminalOutput === undefined) return { session: undefined, partTerminal: undefined };
  const { target, source, programSide } = terminalOutput;
  // Duplicates, since the originals are closed when the output has no writer any more.
  const pair: TerminalPair = {
    ...system,
    userTerminal: duplicate(system.addon, target),
    master: duplicate(system.addon, source?.descriptor ?? -1),
    showOutput: () => syncAll(pumps),
  };
  if (!requiresSession) return { session: undefined, partTerminal: new PartTerminal(pair) };
  const session = new TerminalSession({
    ...pair,
    input: duplicate(system.addon, 0),
    slave: typeof programSide === "number" ? programSide : -1,
    inherited,
    // The pumps have the other descriptors of the master side.
    closeOtherMasters: () => pumps.forEach((pump) => pump.breakOff()),
  });
  return { session, partTerminal: undefined };
}
