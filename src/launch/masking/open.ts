/** Opens all that stands between the program and its outputs if they are masked, before the program is started. */
import type { Launch, OutputMasking } from "../types.ts";
import { messageWriter } from "./messages.ts";
import { Outputs, syncAll, type Pumps } from "./outputs.ts";
import { openPartTerminal } from "./part-terminal.ts";
import { openSession } from "./terminal-session.ts";
import { isWholeTerminal, planOutputs, prepareOutput, type PreparedOutput } from "./streams.ts";
import { duplicate, type System, type TerminalPair } from "./masking-system.ts";

export { openSystem } from "./masking-system.ts";

/**
 * Opens a pipe in place of each output that has a reader, and a pseudo-terminal in place of a terminal.
 *
 * @param mayHaveSession true if the monitor can start the program in a session of its own
 * @param isRenewed true if the program may be restarted
 * @throws SophiaError (125) if that is not possible
 */
export function openOutputs(
  launch: Launch,
  outputMasking: OutputMasking,
  system: System | undefined,
  { mayHaveSession, isRenewed }: { readonly mayHaveSession: boolean; readonly isRenewed: boolean },
): Outputs {
  const addon = system?.addon;
  const planned = planOutputs(addon);
  const hasWholeTerminal = mayHaveSession && isWholeTerminal(planned, addon);
  const { requiresTerminal } = outputMasking;
  const prepared = planned.map((output) => prepareOutput(output, { requiresTerminal, hasWholeTerminal }, system));
  const streams = prepared.map(({ output, isTerminal }) => ({ isErrors: output.descriptors.includes(2), isTerminal }));
  const messageTarget = prepared.find((_, stream) => streams[stream]?.isErrors)?.target;
  const messages = messageWriter(messageTarget, hasWholeTerminal ? "\r\n" : "\n");
  const pumps: Pumps = new Map();
  const terminalOutput = prepared.find(({ isTerminal }) => isTerminal);
  const terminal = system && terminalOutput && openTerminal(terminalOutput, pumps, system);
  const session =
    terminalOutput && terminal && hasWholeTerminal
      ? openSessionOn(terminal, terminalOutput, pumps, launch.inherited.numbers)
      : undefined;
  const partTerminal = terminal && session === undefined ? openPartTerminal(terminal) : undefined;
  const opened = { prepared, system, messages, pumps, session, partTerminal };
  return new Outputs(opened, outputMasking, {
    streams,
    open: new Set(),
    hasSession: session !== undefined,
    isRenewed,
    hasNotice: outputMasking.notice !== undefined,
    // PID 1 cannot hand over to another process, since all others end with it.
    mayHandOver: addon !== undefined && !launch.preparation.isFirstProcess,
    isRestored: false,
    isIncomplete: false,
  });
}

/** Duplicates the descriptors of a terminal, since the originals are closed when the stream has no writer any more. */
function openTerminal({ target, source }: PreparedOutput, pumps: Pumps, system: System): TerminalPair {
  const real = duplicate(system.addon, target);
  const master = duplicate(system.addon, source?.descriptor ?? -1);
  return { ...system, real, master, sync: () => syncAll(pumps) };
}

/** Prepares a session of the program's own on the terminal. */
function openSessionOn(
  terminal: TerminalPair,
  { programSide }: PreparedOutput,
  pumps: Pumps,
  inherited: readonly number[],
) {
  return openSession({
    ...terminal,
    input: duplicate(terminal.addon, 0),
    slave: typeof programSide === "number" ? programSide : -1,
    inherited,
    hangUp: () => pumps.forEach((pump) => pump.breakOff()),
  });
}
