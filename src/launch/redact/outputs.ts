import type { ChildProcess } from "node:child_process";
import { listen, type Undo } from "../listen.ts";
import type { TerminalSignals } from "../spawn/forward.ts";
import type { Launch, Redaction } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { openPartTerminal } from "./part-terminal.ts";
import { isWholeTerminal, planOutputs } from "./plan.ts";
import { startPump, type Pump } from "./pump.ts";
import { openSession, type Session } from "./session.ts";
import { closeQuietly, readFromStream } from "./source.ts";
import { makeSpeaker } from "./speaker.ts";
import * as stages from "./stages.ts";
import { closeTarget, prepare, type Prepared } from "./streams.ts";
import { duplicate, type System } from "./system.ts";

export { openSystem } from "./system.ts";

/** The standard error stays open so long for the launcher's own line after the program has closed it. */
const LAST_WORDS_MS = 100;
/** They end a launcher that waits for a slow reader after the program's end. */
const ENDING: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/** The program's standard output and standard error while secrets are masked in them. */
export interface Outputs {
  /** The program gets these for its descriptors: another one, or a pipe that Node.js makes. */
  readonly given: ReadonlyMap<number, number | "pipe">;
  /** The descriptors, of 1 and 2, that are still written to here. */
  readonly kept: readonly number[];
  /** Set if the program runs on a terminal of its own. */
  readonly session: Session | undefined;
  /** Set if an output is a terminal and the program has no session of its own. */
  readonly terminal: TerminalSignals | undefined;
  /** Called once the program runs. */
  readonly start: (child: ChildProcess | undefined) => void;
  /** Writes whole lines to the standard error, between those of the program. */
  readonly write: (text: string) => void;
  /**
   * Passes on what the program has written until its end. Another process goes on for its background processes, or this
   * one if the program is not the last.
   */
  readonly finish: (isLast: boolean, wasKilled: boolean) => Promise<void>;
  /** The program's background processes may still write. */
  readonly isOpen: () => boolean;
}

/**
 * Puts a pipe in front of each output that can be read by others, or a pseudo-terminal in front of a terminal.
 *
 * @param how whether the program can be started by the monitor, and whether another may take its place
 * @throws SophiaError (125) where that is not possible
 */
export function openOutputs(
  { inherited, preparation }: Launch,
  redaction: Redaction,
  system: System | undefined,
  { mayHaveSession, isRenewed }: { readonly mayHaveSession: boolean; readonly isRenewed: boolean },
): Outputs {
  const addon = system?.addon;
  const planned = planOutputs(addon);
  const isWhole = mayHaveSession && isWholeTerminal(planned, addon);
  const prepared = planned.map((output) => prepare(output, redaction.requiresTerminal, isWhole, system));
  const streams = prepared.map(({ output, isTerminal }) => ({ isErrors: output.descriptors.includes(2), isTerminal }));
  const speaker = makeSpeaker(prepared.find((_, index) => streams[index]?.isErrors)?.target, isWhole ? "\r\n" : "\n");
  const pumps = new Map<number, Pump>();
  const ofAll = async (act: (pump: Pump, stream: number) => Promise<unknown>): Promise<void> =>
    void (await Promise.all(Array.from(pumps, ([stream, pump]) => act(pump, stream))));
  const settle = (): Promise<void> => ofAll((pump) => pump.settle());
  const one = prepared.find(({ isTerminal }) => isTerminal);
  // Of their own: the others are closed when nobody can write any more.
  const terminal = system &&
    one && {
      ...system,
      real: duplicate(system.addon, one.target),
      master: duplicate(system.addon, one.source?.descriptor ?? -1),
      settle,
    };
  const session =
    terminal !== undefined && isWhole
      ? openSession({
          ...terminal,
          input: duplicate(terminal.addon, 0),
          slave: typeof one?.given === "number" ? one.given : -1,
          inherited: inherited.numbers,
          hangUp: () => pumps.forEach((pump) => pump.breakOff()),
        })
      : undefined;
  const shown = terminal === undefined || session !== undefined ? undefined : openPartTerminal(terminal);
  const given = prepared.flatMap(({ output, given: its }) =>
    output.descriptors.map((number) => [number, its] as const),
  );
  let state: stages.State = {
    streams,
    open: new Set(),
    hasSession: session !== undefined,
    isRenewed,
    tellsMasking: redaction.notice !== undefined,
    // PID 1 takes all others with it.
    mayHandOver: addon !== undefined && !preparation.firstProcess,
    isSettled: false,
  };

  return {
    given: new Map(given),
    session,
    terminal: shown?.signals,
    kept: addon === undefined ? given.map(([number]) => number) : [],
    start: (child) => {
      prepared.forEach((its, stream) => startStream(its, stream, child));
      // In the time in which the program starts.
      setImmediate(() => redaction.masking.prepare(addon));
    },
    write: speaker.write,
    isOpen: () => state.open.size > 0,
    finish: async (isLast, wasKilled) => {
      let stopListening: Undo = () => {};
      const abandoned = new Promise<void>((resolve) => {
        stopListening = listen(ENDING, (signal) => session?.isOwn(signal) === true || resolve());
      });
      // Without the threads whose writes nobody reads: they are left as they are.
      await Promise.race([end({ kind: "finish", isLast, wasKilled }), abandoned]).finally(
        () => isLast || stopListening(),
      );
    },
  };

  function startStream(its: Prepared, stream: number, child: ChildProcess | undefined): void {
    if (typeof its.given === "number" && session === undefined) closeQuietly(its.given);
    const piped = its.output.descriptors[0] === 1 ? child?.stdout : child?.stderr;
    const source = its.source ?? (piped ? readFromStream(piped) : undefined);
    if (source === undefined) return;
    const pump = startPump(source, its.target, redaction.masking.stream(), {
      came: its.isTerminal ? shown?.looked : undefined,
      masked: () => {
        const line = redaction.notice?.(its.output.file);
        if (line !== undefined) speaker.say(line);
      },
      wrote: async (last) => (streams[stream]?.isErrors === true ? speaker.wrote(last) : undefined),
      failed: (code) => happen({ kind: "failed", stream, code }),
      ended: () => happen({ kind: "ended", stream }),
    });
    pumps.set(stream, pump);
    state = { ...state, open: new Set([...state.open, stream]) };
    system?.watcher.whenUnread(its.target, () => happen({ kind: "unread", stream }));
  }

  function happen(event: stages.StreamEvent): void {
    const [next, effects] = stages.step(state, event);
    state = next;
    effects.forEach(perform);
  }

  async function end(event: stages.EndEvent): Promise<void> {
    const [next, effects] = stages.end(state, event);
    state = next;
    for (const effect of effects) await performEnding(effect);
  }

  function perform(effect: stages.Effect): void {
    switch (effect.kind) {
      case "say":
        return speaker.say(effect.line);
      case "mute":
        return speaker.mute();
      case "close terminal":
        return shown?.close();
      case "lose session":
        return session?.lose();
      case "lose reader":
        return pumps.get(effect.stream)?.loseReader();
      case "close target":
        if (effect.later) setTimeout(() => close(effect.stream), LAST_WORDS_MS);
        else close(effect.stream);
    }
  }

  async function performEnding(effect: stages.Ending): Promise<unknown> {
    switch (effect.kind) {
      case "collect keys":
        return session?.collect();
      case "settle":
        return settle();
      case "drain": {
        const left: number[] = [];
        await ofAll(async (pump, stream) => (await pump.drain()) || left.push(stream));
        return end({ kind: "drained", left, wasKilled: effect.wasKilled });
      }
      case "flush":
        return ofAll(async (pump, stream) => (effect.streams.includes(stream) ? pump.flush() : undefined));
      case "last words":
        return speaker.finish();
      case "end terminal":
        return shown?.end(effect.wasKilled);
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

  function close(stream: number): void {
    const its = prepared[stream];
    if (streams[stream]?.isErrors === true) speaker.mute();
    // Without the addon it is the launcher's own, which the next program gets.
    if (its !== undefined && (system !== undefined || !isRenewed)) closeTarget(its, system);
  }
}
