import { closeSync } from "node:fs";
import { AS_GIVEN, RAW, RAW_OUTPUT } from "../../system/shared.ts";
import { ignoresSignal, readProcessStat, takesSignal } from "../proc/process-stat.ts";
import { catchableSignals, send, signalName, signalNumber, withoutListeners } from "../signals.ts";
import { listen, type Undo } from "../listen.ts";
import type { Forwarding } from "../spawn/forward.ts";
import type { Program, Running } from "../types.ts";
import { isOrphaned, isStoppedByAccess, stopsWriters } from "./background.ts";
import { expectedSignals } from "./expected.ts";
import * as job from "./job.ts";
import { startMonitored, type Monitor } from "./monitor.ts";
import { closeQuietly } from "./source.ts";
import type { Terminal } from "./system.ts";
import { openTyping } from "./typing.ts";

/** The polling interval in the background: a shell may put the job into the foreground without a signal. */
const LOOK_MS = 200;
/** The time limit for the SIGCONT that has ended a stop; the kernel may have refused the stop. */
const CONTINUE_MS = 1000;
/** The pause after a stop that the kernel refused: the program may stop at once again. */
const REFUSED_MS = 50;

export type Session = ReturnType<typeof openSession>;

interface SessionParts extends Terminal {
  /** The real terminal, for reading; it is closed. */
  readonly input: number;
  /** The program's side of the pseudo-terminal. */
  readonly slave: number;
  /** The descriptors that the program gets besides. */
  readonly inherited: readonly number[];
  /** The real terminal is gone: gives up what else there is of the launcher's side, by which the kernel hangs up. */
  readonly hangUp: () => void;
}

/** Opens a session of its own for the program, on a pseudo-terminal: performs what `job.ts` decides. */
export function openSession(parts: SessionParts) {
  const { addon, watcher, real, master, slave, settle, hangUp } = parts;
  const group = readProcessStat("self")?.group ?? -1;
  const isInFront = (): boolean => addon.foregroundGroup(real) === group;
  const found = addon.settingsOf(real) ?? new Uint8Array();
  /** The keys' signals that are sent to the whole group, and the SIGCONT that ends a stop. */
  const expected = expectedSignals();
  let monitor: Monitor | undefined;
  let forwarding: Forwarding | undefined;
  let finish: (how: NodeJS.Signals | number) => void = () => {};
  let poll: NodeJS.Timeout | undefined;
  const typing = openTyping({
    ...parts,
    expected,
    monitor: () => monitor,
    isOver: () => state.end !== undefined,
    gone: () => happen({ kind: "terminal gone" }),
  });
  addon.copySize(real, master);
  const [begun, effects] = job.begin(isInFront());
  let state = begun;
  effects.forEach(perform);

  return {
    forward: (to: Forwarding): Undo => {
      forwarding = to;
      return listen(catchableSignals(), (signal) => {
        to.onSignal?.(signal);
        if (signal !== "SIGCHLD") happen(eventOf(signal, to.pid()));
        else if (to.firstProcess) to.reapOrphans?.();
      });
    },
    /** @returns the code of the system's error if it was not executed */
    execute: (program: Program): Running | string => {
      const ended = new Promise<NodeJS.Signals | number>((resolve) => {
        finish = resolve;
      });
      const outcome = startMonitored(addon, watcher, program, parts, found, state.isForeground, {
        unread: typing.collected,
        continued: () => happen({ kind: "continued" }),
        stopped: (signal) => happen({ kind: "stopped", signal: signalName(signal) ?? "SIGSTOP" }),
        ended: (end) => {
          happen({ kind: "ended", end });
          finish("status" in end ? end.status : (signalName(end.signal) ?? 128 + end.signal));
        },
      });
      if (typeof outcome === "string") return outcome;
      monitor = outcome;
      closeSync(slave);
      happen({ kind: "executed" });
      return { pid: outcome.pid, ended };
    },
    /** Takes back what was typed and not read by a program that has ended. */
    collect: async (): Promise<void> => {
      clearInterval(poll);
      await typing.collect(true);
    },
    /** The real terminal is gone. */
    lose: (): void => happen({ kind: "unread" }),
    /** True for a signal that is being delivered and was sent to the whole group here, not to this process. */
    isOwn: expected.isOwn,
    /** Gives the real terminal the settings that an ended program has left, or those from before if it was killed. */
    restore: (): void => happen({ kind: "finished" }),
    close: (): void => {
      if (state.terminal === "there") closeQuietly(master);
      closeQuietly(real);
    },
  };

  function happen(event: job.Event): void {
    const [next, toPerform] = job.step(state, event, isInFront());
    state = next;
    toPerform.forEach(perform);
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
        clearInterval(poll);
        if (effect.adopts) copySettings(real, master, AS_GIVEN);
        copySettings(real, real, RAW);
        addon.copySize(real, master);
        return;
      case "leave foreground":
        typing.pause();
        if (effect.hasTerminal) copySettings(master, master, RAW_OUTPUT);
        clearInterval(poll);
        poll = setInterval(() => happen({ kind: "polled" }), LOOK_MS).unref();
        return;
      case "continue":
        return monitor?.continue(effect.isForeground);
      case "read keys":
        return typing.resume();
      case "show":
        return void show(effect.certainly, effect.signal);
      case "stop":
        return stop(effect.restores, effect.signal);
      case "resume later":
        return void setTimeout(() => happen({ kind: "resumed" }), REFUSED_MS);
      case "ignore access":
        return addon.ignoreAccess();
      case "undergo access":
        if (isStoppedByAccess("SIGTTOU", isInFront)) happen({ kind: "resumed" });
        return;
      case "hang up":
        if (effect.forsakes) monitor?.forsake();
        typing.close();
        closeQuietly(master);
        return hangUp();
      case "close keys":
        clearInterval(poll);
        return typing.close();
      case "restore terminal":
        addon.applySettings(real, (effect.left ? addon.settingsOf(master) : undefined) ?? found, AS_GIVEN);
        if (effect.returnsKeys) typing.giveBack();
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
    typing.pause();
    // Otherwise the program may have been stopped because it wrote from the background.
    if (certainly || !stopsWriters(addon, real)) await settle();
    await typing.collect(false);
    happen({ kind: "shown", signal });
  }

  function stop(restores: boolean, signal: NodeJS.Signals): void {
    if (restores) {
      copySettings(master, real, AS_GIVEN);
      typing.giveBack();
    }
    expected.expect("SIGCONT");
    setTimeout(() => expected.giveUp("SIGCONT"), CONTINUE_MS).unref();
    const before = performance.now();
    stopGroup(signal);
    const isRefused = performance.now() - before < 1 && !isInFront();
    happen({ kind: "awoken", signal, isRefused, isOrphaned: isRefused && isOrphaned() });
  }
}

/** Stops this process, and by a signal of the terminal's its whole group. Returns when it was continued. */
function stopGroup(signal: NodeJS.Signals): void {
  withoutListeners(signal, () => process.kill(signal === "SIGSTOP" ? process.pid : 0, signalNumber(signal)));
}
