import type { ChildProcess } from "node:child_process";
import { listen, type Undo } from "../listen.ts";
import type { Launch, Redaction } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { closeQuietly } from "./io.ts";
import { messageWriter } from "./messages.ts";
import { openPartTerminal } from "./part-terminal.ts";
import { startPump, type Pump } from "./pump.ts";
import { openSession } from "./session.ts";
import { readFromStream } from "./source.ts";
import * as stages from "./stages.ts";
import { closeTarget, isWholeTerminal, planOutputs, prepare, type Prepared } from "./streams.ts";
import { duplicate, type System } from "./system.ts";

export { openSystem } from "./system.ts";

/**
 * The time for which the standard error stays open for a message after the program has closed it: in steps, since each gives the
 * event loop a turn for the last output, also in a process that had no processor for longer than that.
 */
const LAST_MESSAGE_MS = 100;
const STEP_MS = 10;
/** They end a launcher that waits for a slow reader after the program's end. */
const ENDING: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

export type Outputs = ReturnType<typeof openOutputs>;

/**
 * Puts a pipe in front of each output that has a reader, or a pseudo-terminal in front of a terminal.
 *
 * @param mayHaveSession the monitor can start the program
 * @param isRenewed the program may be restarted
 * @throws SophiaError (125) if that is not possible
 */
export function openOutputs(
  { inherited, preparation }: Launch,
  first: Redaction,
  system: System | undefined,
  { mayHaveSession, isRenewed }: { readonly mayHaveSession: boolean; readonly isRenewed: boolean },
) {
  const addon = system?.addon;
  let redaction = first;
  const planned = planOutputs(addon);
  const isWhole = mayHaveSession && isWholeTerminal(planned, addon);
  const prepared = planned.map((output) => prepare(output, redaction.requiresTerminal, isWhole, system));
  const streams = prepared.map(({ output, isTerminal }) => ({ isErrors: output.descriptors.includes(2), isTerminal }));
  const errors = prepared.find((_, index) => streams[index]?.isErrors)?.target;
  const messages = messageWriter(errors, isWhole ? "\r\n" : "\n");
  const pumps = new Map<number, Pump>();
  const ofAll = async (act: (pump: Pump, stream: number) => Promise<unknown>): Promise<void> =>
    void (await Promise.all(Array.from(pumps, ([stream, pump]) => act(pump, stream))));
  const sync = (): Promise<void> => ofAll((pump) => pump.sync());
  const one = prepared.find(({ isTerminal }) => isTerminal);
  // Copies: the originals are closed when the stream has no writer any more.
  const terminal = system &&
    one && {
      ...system,
      real: duplicate(system.addon, one.target),
      master: duplicate(system.addon, one.source?.descriptor ?? -1),
      sync,
    };
  const session =
    terminal !== undefined && isWhole
      ? openSession({
          ...terminal,
          input: duplicate(terminal.addon, 0),
          slave: typeof one?.programSide === "number" ? one.programSide : -1,
          inherited: inherited.numbers,
          hangUp: () => pumps.forEach((pump) => pump.breakOff()),
        })
      : undefined;
  const partTerminal = terminal === undefined || session !== undefined ? undefined : openPartTerminal(terminal);
  const given = prepared.flatMap(({ output, programSide }) =>
    output.descriptors.map((number) => [number, programSide] as const),
  );
  let state: stages.State = {
    streams,
    open: new Set(),
    hasSession: session !== undefined,
    isRenewed,
    hasNotice: redaction.notice !== undefined,
    // The end of PID 1 ends all other processes.
    mayHandOver: addon !== undefined && !preparation.firstProcess,
    isRestored: false,
    isIncomplete: false,
  };

  return {
    /** The program's side of each output: a descriptor, or a pipe that Node.js makes. */
    given: new Map(given),
    session,
    terminal: partTerminal?.signals,
    /** The descriptors, of 1 and 2, to which this process still writes. */
    kept: addon === undefined ? given.map(([number]) => number) : [],
    start: (child: ChildProcess | undefined): void => {
      prepared.forEach((output, stream) => startStream(output, stream, child));
      setImmediate(() => redaction.masking.prepare(addon));
    },
    write: messages.write,
    /** Masks later output by other secrets, which include the present ones. */
    maskBy: (next: Redaction): void => {
      redaction = next;
      next.masking.prepare(addon);
      pumps.forEach((pump) => pump.maskBy(next.masking));
    },
    isOpen: (): boolean => state.open.size > 0,
    isIncomplete: (): boolean => state.isIncomplete,
    /** Passes on the output of an ended program. For its background processes another process continues, or this one. */
    finish: async (isLast: boolean, wasKilled: boolean): Promise<void> => {
      let stopListening: Undo = () => {};
      const abandoned = new Promise<void>((resolve) => {
        stopListening = listen(ENDING, (signal) => session?.isOwn(signal) === true || resolve());
      });
      // Threads whose writes have no reader are abandoned.
      await Promise.race([end({ kind: "finish", isLast, wasKilled }), abandoned]).finally(
        () => isLast || stopListening(),
      );
    },
  };

  function startStream(started: Prepared, stream: number, child: ChildProcess | undefined): void {
    const { output, target, programSide, isTerminal } = started;
    if (typeof programSide === "number" && session === undefined) closeQuietly(programSide);
    const piped = output.descriptors[0] === 1 ? child?.stdout : child?.stderr;
    const source = started.source ?? (piped ? readFromStream(piped) : undefined);
    if (source === undefined) return;
    const pump = startPump(source, target, redaction.masking.stream(undefined, addon), {
      came: isTerminal ? partTerminal?.wrote : undefined,
      masked: () => {
        const line = redaction.notice?.(output.file);
        if (line !== undefined) writeLine(line);
      },
      wrote: async (last) => (streams[stream]?.isErrors === true ? messages.wrote(last) : undefined),
      failed: (code) => happen({ kind: "failed", stream, code }),
      ended: () => happen({ kind: "ended", stream }),
    });
    pumps.set(stream, pump);
    state = { ...state, open: new Set([...state.open, stream]) };
    system?.watcher.whenUnread(target, () => happen({ kind: "unread", stream }));
  }

  function writeLine(line: string): void {
    messages.write(`sophia-run: ${line}\n`);
  }

  function happen(event: stages.StreamEvent): void {
    const [next, effects] = stages.step(state, event);
    state = next;
    effects.forEach(perform);
  }

  async function end(event: stages.EndEvent): Promise<void> {
    const [next, effects] = stages.end(state, event);
    state = next;
    for (const effect of effects) await performEnd(effect);
  }

  function perform(effect: stages.Effect): void {
    switch (effect.kind) {
      case "write":
        return writeLine(effect.line);
      case "disable messages":
        return messages.disable();
      case "close terminal":
        return partTerminal?.close();
      case "lose session":
        return session?.lose();
      case "lose reader":
        return void pumps.get(effect.stream)?.loseReader();
      case "close target":
        closeAfter(effect.later ? LAST_MESSAGE_MS : 0, effect.stream);
    }
  }

  async function performEnd(effect: stages.EndEffect): Promise<unknown> {
    switch (effect.kind) {
      case "collect keys":
        return session?.collect();
      case "sync":
        return sync();
      case "drain": {
        const left: number[] = [];
        await ofAll(async (pump, stream) => (await pump.source.drain()) || left.push(stream));
        return end({ kind: "drained", left, wasKilled: effect.wasKilled });
      }
      case "flush":
        return ofAll(async (pump, stream) => (effect.streams.includes(stream) ? pump.flush() : undefined));
      case "finish messages":
        return messages.finish();
      case "end terminal":
        return partTerminal?.end(effect.wasKilled);
      case "restore session":
        return session?.restore();
      case "close session":
        return session?.close();
      case "hand over":
        return handOver(
          effect.streams.flatMap((stream) => pumps.get(stream) ?? []),
          redaction.secrets,
        );
    }
  }

  function closeAfter(ms: number, stream: number): void {
    if (ms <= 0) void close(stream);
    else setTimeout(() => closeAfter(ms - STEP_MS, stream), STEP_MS);
  }

  async function close(stream: number): Promise<void> {
    const output = prepared[stream];
    if (streams[stream]?.isErrors === true) {
      // A message may be on its way, or wait for the end of a line.
      await messages.finish();
      messages.disable();
    }
    // Without the addon the target is the launcher's own descriptor, which the next program gets.
    if (output !== undefined && (system !== undefined || !isRenewed)) closeTarget(output, system);
  }
}
