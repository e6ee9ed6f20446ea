/**
 * Runs the program in a session of its own, on a pseudo-terminal. job.ts, which describes the scenario, decides what happens at each
 * event. This file turns events of the system into calls of job.ts, and performs the effects.
 */
import { closeSync } from "node:fs";
import { AS_GIVEN, RAW, RAW_OUTPUT } from "../../../native/shared.ts";
import { ignoresSignal, readProcessStat, takesSignal } from "../proc/process-stat.ts";
import { catchableSignals, send, signalName, signalNumber, withoutListeners } from "../signals.ts";
import { listen, type Undo } from "../event-listeners.ts";
import type { Forwarding } from "../spawn/forward-signals.ts";
import type { Program, ProgramEnd, Running } from "../types.ts";
import { isOrphaned, isStoppedByAccess, stopsWriters } from "./background.ts";
import { closeQuietly } from "./io.ts";
import * as job from "./job.ts";
import { forwardKeys } from "./keyboard.ts";
import { startMonitored, type Monitor } from "./monitor.ts";
import type { TerminalPair } from "./masking-system.ts";

const POLL_MS = 200;
/** The time for which this process waits for the SIGCONT that ends a stop. The kernel may have refused the stop. */
const CONTINUE_MS = 1000;
/** The pause after a stop that the kernel has refused. Without it a program that stops again at once would use all of a processor. */
const REFUSED_MS = 50;

interface SessionParts extends TerminalPair {
  /** The real terminal, for reading keys; the session closes it. */
  readonly input: number;
  /** The program's side of the pseudo-terminal; the session closes it once the program has it. */
  readonly slave: number;
  readonly inherited: readonly number[];
  /** Closes the other descriptors of the master side: the kernel hangs up once all are closed. */
  readonly hangUp: () => void;
}

/** Prepares a session, in which `execute` starts the program. */
export function openSession(parts: SessionParts) {
  const { addon, real, master, slave, sync, hangUp } = parts;
  const group = readProcessStat("self")?.group ?? -1;
  const isInFront = (): boolean => {
    const foregroundGroup = addon.foregroundGroup(real);
    // A terminal that has hung up has no foreground group. Until job.ts knows that, the job is where it was.
    if (foregroundGroup === -1 && state.terminal === "there") return state.isForeground;
    return foregroundGroup === group;
  };
  const formerSettings = addon.settingsOf(real) ?? new Uint8Array();
  /** The signals of keys, which this process sends to the whole group, and the SIGCONT that ends a stop. */
  const expected = expectedSignals();
  let monitor: Monitor | undefined;
  let forwarding: Forwarding | undefined;
  let resolveEnded: (end: ProgramEnd) => void = () => {};
  let pollTimer: NodeJS.Timeout | undefined;
  const keys = forwardKeys({
    ...parts,
    expect: expected.expect,
    monitor: () => monitor,
    hasEnded: () => state.end !== undefined,
    gone: () => happen({ kind: "terminal gone" }),
  });
  addon.copySize(real, master);
  const [initialState, initialEffects] = job.begin(addon.foregroundGroup(real) === group);
  let state = initialState;
  initialEffects.forEach(perform);

  return {
    /** Listens to signals in place of forward-signals.ts. */
    forward: (to: Forwarding): Undo => {
      forwarding = to;
      return listen(catchableSignals(), (signal) => {
        if (to.isOfWrite?.(signal) === true) return;
        to.onSignal?.(signal);
        if (signal !== "SIGCHLD") happen(eventOf(signal, to.pid()));
        else if (to.isFirstProcess) to.reapOrphans?.();
      });
    },
    /** @returns the code of the system's error if the program was not executed */
    execute: (program: Program): Running | string => {
      const ended = new Promise<ProgramEnd>((resolve) => {
        resolveEnded = resolve;
      });
      const monitorOrCode = startMonitored(
        parts,
        program,
        { ...parts, formerSettings, isForeground: state.isForeground },
        {
          unread: keys.collected,
          continued: () => happen({ kind: "continued" }),
          stopped: (signal) => happen({ kind: "stopped", signal: signalName(signal) ?? "SIGSTOP" }),
          ended: (end) => {
            happen({ kind: "ended", end });
            resolveEnded("status" in end ? end.status : (signalName(end.signal) ?? 128 + end.signal));
          },
        },
      );
      if (typeof monitorOrCode === "string") return monitorOrCode;
      monitor = monitorOrCode;
      closeSync(slave);
      happen({ kind: "executed" });
      return { pid: monitorOrCode.pid, ended };
    },
    /** Collects the keys that a program which has ended did not read. */
    collect: async (): Promise<void> => {
      clearInterval(pollTimer);
      await keys.collect(true);
    },
    /** Reports that nothing reads the real terminal any more. */
    lose: (): void => happen({ kind: "unread" }),
    /** Returns true for a signal that is being delivered, and that this process has sent to the whole group. */
    isOwn: expected.isOwn,
    /** Restores the real terminal. Later events have no effect. */
    restore: (): void => happen({ kind: "finished" }),
    /** Closes the descriptors of both terminals. */
    close: (): void => {
      if (state.terminal === "there") closeQuietly(master);
      closeQuietly(real);
    },
  };

  function happen(event: job.Event): void {
    const [nextState, effects] = job.step(state, event, isInFront());
    state = nextState;
    effects.forEach(perform);
  }

  function eventOf(signal: NodeJS.Signals, program: number | undefined): job.Event {
    if (signal === "SIGHUP") return { kind: signal, hasTerminal: readProcessStat("self")?.terminal !== 0 };
    if (signal !== "SIGTTOU") return { kind: "signal", signal, isExpected: expected.arrives(signal) };
    const number = signalNumber(signal);
    // The output of an ended program is shown in the foreground.
    if (program === undefined || takesSignal(program, number)) return { kind: signal, program: "takes" };
    return { kind: signal, program: ignoresSignal(program, number) ? "ignores" : "handles" };
  }

  function perform(effect: job.Effect): void {
    switch (effect.kind) {
      case "forward":
        return forward(effect.signal);
      case "request stop":
        return forwarding?.onStopRequest?.();
      case "resize":
        if (addon.copySize(real, master) === 0) forward(effect.signal);
        return;
      case "enter foreground":
        clearInterval(pollTimer);
        if (effect.adopts) copySettings(real, master, AS_GIVEN);
        copySettings(real, real, RAW);
        addon.copySize(real, master);
        return;
      case "leave foreground":
        keys.pause();
        if (effect.hasTerminal) copySettings(master, master, RAW_OUTPUT);
        clearInterval(pollTimer);
        pollTimer = setInterval(() => happen({ kind: "polled" }), POLL_MS).unref();
        return;
      case "continue":
        return monitor?.continue(effect.isForeground);
      case "read keys":
        return keys.resume();
      case "hold keys":
        return keys.pause();
      case "show":
        return void show(effect.certainly, effect.signal);
      case "stop":
        return stop(effect.restores, effect.signal);
      case "resume later":
        return void setTimeout(() => happen({ kind: "resumed" }), REFUSED_MS);
      case "ignore SIGTTOU":
        return addon.ignoreSigttou();
      case "accept SIGTTOU":
        if (isStoppedByAccess("SIGTTOU", isInFront)) happen({ kind: "resumed" });
        return;
      case "hang up":
        if (effect.detaches) monitor?.detach();
        keys.close();
        closeQuietly(master);
        return hangUp();
      case "close keys":
        clearInterval(pollTimer);
        return keys.close();
      case "restore terminal":
        addon.applySettings(real, (effect.left ? addon.settingsOf(master) : undefined) ?? formerSettings, AS_GIVEN);
        // The real terminal makes the line ends of background processes, too.
        copySettings(master, master, RAW_OUTPUT);
        if (effect.returnsKeys) keys.giveBack();
        return;
      case "dismiss monitor":
        return monitor?.dismiss();
    }
  }

  function forward(signal: NodeJS.Signals): void {
    const program = forwarding?.pid();
    if (program !== undefined) send(program, signal);
  }

  function copySettings(from: number, to: number, how: 0 | 1 | 2): void {
    const settings = addon.settingsOf(from);
    if (settings !== undefined) addon.applySettings(to, settings, how);
  }

  async function show(certainly: boolean, signal: NodeJS.Signals): Promise<void> {
    keys.pause();
    // A program may have been stopped because it wrote from the background. Then this process must not write for it either.
    if (certainly || !stopsWriters(addon, real)) await sync();
    await keys.collect(false);
    happen({ kind: "shown", signal });
  }

  function stop(restores: boolean, signal: NodeJS.Signals): void {
    if (restores) {
      copySettings(master, real, AS_GIVEN);
      keys.giveBack();
    }
    expected.expect("SIGCONT");
    setTimeout(() => expected.giveUp("SIGCONT"), CONTINUE_MS).unref();
    const startMs = performance.now();
    // The signals of a terminal stop the whole group. This call returns when the group was continued.
    withoutListeners(signal, () => process.kill(signal === "SIGSTOP" ? process.pid : 0, signalNumber(signal)));
    const isRefused = performance.now() - startMs < 1 && !isInFront();
    happen({ kind: "awake", signal, isRefused, isOrphaned: isRefused && isOrphaned() });
  }
}

/** Counts the signals that this process causes to be sent to itself, and must ignore when they arrive. */
function expectedSignals() {
  const counts = new Map<NodeJS.Signals, number>();
  const beingDelivered = new Set<NodeJS.Signals>();
  return {
    expect: (signal: NodeJS.Signals): void => void counts.set(signal, (counts.get(signal) ?? 0) + 1),
    giveUp: (signal: NodeJS.Signals): void => void counts.delete(signal),
    /** Handles a signal that has arrived. @returns true if it was expected */
    arrives: (signal: NodeJS.Signals): boolean => {
      const count = counts.get(signal) ?? 0;
      if (count === 0) return false;
      counts.set(signal, count - 1);
      beingDelivered.add(signal);
      setImmediate(() => beingDelivered.delete(signal));
      return true;
    },
    isOwn: (signal: NodeJS.Signals): boolean => beingDelivered.has(signal),
  };
}
