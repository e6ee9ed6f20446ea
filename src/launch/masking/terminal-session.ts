/**
 * Runs a program whose output is masked in a session of its own, on a pseudo-terminal. open.ts creates a session if all three
 * standard streams are the controlling terminal. job.ts describes the scenario, and decides what happens at each event. This file
 * turns signals, keys and the reports of the monitor (monitor.ts) into events for job.ts, and performs the effects that job.ts
 * returns.
 */
import { closeSync } from "node:fs";
import { AS_GIVEN, RAW, RAW_OUTPUT } from "../../../native/shared.ts";
import { ignoresSignal, readProcessStat, takesSignal } from "../proc/process-stat.ts";
import { catchableSignals, send, signalName, signalNumber, callWithoutListeners } from "../signals.ts";
import { listenToSignals, type RemoveListeners } from "../event-listeners.ts";
import type { ForwardingOptions } from "../spawn/forward-signals.ts";
import type { Program, ProgramEnd, RunningProgram } from "../types.ts";
import { isOrphaned, isStoppedByAccess, stopsWriters } from "./background.ts";
import { closeQuietly } from "./io.ts";
import * as job from "./job.ts";
import { KeyForwarder } from "./keyboard.ts";
import { startMonitored, type Monitor } from "./monitor.ts";
import type { TerminalPair } from "./masking-system.ts";

/** The polling interval in the background, since a shell may put the job into the foreground without a signal. */
const POLL_MS = 200;
/** The time for which this process waits for the SIGCONT that ends a stop. None comes if the kernel has refused the stop. */
const CONTINUE_MS = 1000;
/** A call that stops this process takes longer than this. A shorter call means that the kernel may have refused the stop. */
const MIN_STOP_MS = 1;
/**
 * The pause after a stop that the kernel has refused. Without it a program that stops again at once would use all of a processor.
 */
const REFUSED_MS = 50;

interface SessionParts extends TerminalPair {
  /** The real terminal, for reading keys. The session closes it. */
  readonly input: number;
  /** The program's side of the pseudo-terminal. The session closes it once the program has it. */
  readonly slave: number;
  /** The descriptors that the program inherits besides the standard streams. */
  readonly inherited: readonly number[];
  /** Closes all descriptors of the master side but `master`. The kernel sends SIGHUP once all are closed. */
  readonly closeOtherMasters: () => void;
}

/**
 * The session of one program. `execute` starts the program. If that fails, it may be called again, as for a script without `#!`.
 */
export class TerminalSession {
  readonly #parts: SessionParts;
  /** The process group of this process, which the shell moves between foreground and background. */
  readonly #group = readProcessStat("self")?.group ?? -1;
  /** The settings of the real terminal before the program. If the terminal has hung up, it has none, and `execute` fails. */
  readonly #formerSettings: Uint8Array;
  readonly #expectedSignals = new ExpectedSignals();
  readonly #keys: KeyForwarder;
  #state: job.State;
  /** Set once the program was started. */
  #monitor: Monitor | undefined;
  /** Set once this session listens to signals. */
  #forwarding: ForwardingOptions | undefined;
  #pollTimer: NodeJS.Timeout | undefined;

  constructor(parts: SessionParts) {
    const { addon, userTerminal, master } = parts;
    this.#parts = parts;
    this.#formerSettings = addon.settingsOf(userTerminal) ?? new Uint8Array();
    this.#keys = new KeyForwarder({
      ...parts,
      expectSignal: (signal) => this.#expectedSignals.expect(signal),
      monitor: () => this.#monitor,
      hasProgramEnded: () => this.#state.end !== undefined,
      onHangUp: () => this.#handle({ kind: "terminal gone" }),
    });
    addon.copySize(userTerminal, master);
    const [state, effects] = job.begin(addon.foregroundGroup(userTerminal) === this.#group);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** Listens to signals, in place of forward-signals.ts. */
  listenToSignals(forwarding: ForwardingOptions): RemoveListeners {
    this.#forwarding = forwarding;
    return listenToSignals(catchableSignals(), (signal) => {
      if (forwarding.isOfWrite?.(signal) === true) return;
      forwarding.onSignal?.(signal);
      if (signal !== "SIGCHLD") this.#handle(this.#eventOf(signal, forwarding.pid()));
      else if (forwarding.isFirstProcess) forwarding.reapOrphans?.();
    });
  }

  /** Starts the program. @returns the code of the system's error if the program was not executed */
  execute(program: Program): RunningProgram | string {
    let resolveEnded: (end: ProgramEnd) => void = () => {};
    const ended = new Promise<ProgramEnd>((resolve) => {
      resolveEnded = resolve;
    });
    const terminals = {
      ...this.#parts,
      formerSettings: this.#formerSettings,
      isForeground: this.#state.isForeground,
    };
    const monitorOrCode = startMonitored(this.#parts, program, terminals, {
      unread: (keys) => this.#keys.addUnread(keys),
      continued: () => this.#handle({ kind: "continued" }),
      stopped: (signal) => this.#handle({ kind: "stopped", signal: signalName(signal) ?? "SIGSTOP" }),
      ended: (end) => {
        this.#handle({ kind: "ended", end });
        resolveEnded("status" in end ? end.status : (signalName(end.signal) ?? 128 + end.signal));
      },
    });
    if (typeof monitorOrCode === "string") return monitorOrCode;
    this.#monitor = monitorOrCode;
    closeSync(this.#parts.slave);
    this.#handle({ kind: "executed" });
    return { pid: monitorOrCode.pid, ended };
  }

  /** Collects the keys that a program which has ended did not read. `restore` gives them back to the real terminal. */
  async collectKeys(): Promise<void> {
    clearInterval(this.#pollTimer);
    await this.#keys.collectUnread({ hasProgramEnded: true });
  }

  /** Must be called when the real terminal has no reader any more. */
  handleLostReader(): void {
    this.#handle({ kind: "unread" });
  }

  /** Returns true for a signal that is being delivered, and that this process has sent to its whole group. */
  isSentByThisProcess(signal: NodeJS.Signals): boolean {
    return this.#expectedSignals.isBeingDelivered(signal);
  }

  /** Restores the real terminal. Later events have no effect. */
  restore(): void {
    this.#handle({ kind: "finished" });
  }

  /** Closes the descriptors of both terminals. */
  close(): void {
    // Otherwise the effect `hang up` has closed the master.
    if (this.#state.terminal === "there") closeQuietly(this.#parts.master);
    closeQuietly(this.#parts.userTerminal);
  }

  #handle(event: job.Event): void {
    const [state, effects] = job.step(this.#state, event, this.#isForegroundNow());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #isForegroundNow(): boolean {
    const foregroundGroup = this.#parts.addon.foregroundGroup(this.#parts.userTerminal);
    // A terminal that has hung up has no foreground group. Until job.ts knows of the hang-up, the job is where it was.
    if (foregroundGroup === -1 && this.#state.terminal === "there") return this.#state.isForeground;
    return foregroundGroup === this.#group;
  }

  #eventOf(signal: NodeJS.Signals, program: number | undefined): job.Event {
    if (signal === "SIGHUP") return { kind: signal, hasTerminal: readProcessStat("self")?.terminal !== 0 };
    if (signal !== "SIGTTOU") return { kind: "signal", signal, isExpected: this.#expectedSignals.take(signal) };
    const number = signalNumber(signal);
    // After the program's end, SIGTTOU stops the job by default, so that the rest of the output is shown in the foreground.
    if (program === undefined || takesSignal(program, number)) return { kind: signal, program: "takes" };
    return { kind: signal, program: ignoresSignal(program, number) ? "ignores" : "handles" };
  }

  #perform(effect: job.Effect): void {
    const { addon, userTerminal, master } = this.#parts;
    switch (effect.kind) {
      case "forward":
        return this.#forward(effect.signal);
      case "request stop":
        return this.#forwarding?.onStopRequest?.();
      case "resize":
        // If the size was different, the kernel has sent SIGWINCH to the program.
        if (addon.copySize(userTerminal, master) === 0) this.#forward(effect.signal);
        return;
      case "enter foreground":
        clearInterval(this.#pollTimer);
        if (effect.adoptsSettings) this.#copySettings(userTerminal, master, AS_GIVEN);
        this.#copySettings(userTerminal, userTerminal, RAW);
        addon.copySize(userTerminal, master);
        return;
      case "leave foreground":
        this.#keys.pause();
        if (effect.hasTerminal) this.#copySettings(master, master, RAW_OUTPUT);
        clearInterval(this.#pollTimer);
        this.#pollTimer = setInterval(() => this.#handle({ kind: "polled" }), POLL_MS).unref();
        return;
      case "continue":
        return this.#monitor?.continue({ isForeground: effect.isForeground });
      case "read keys":
        return this.#keys.resume();
      case "hold keys":
        return this.#keys.pause();
      case "show":
        return void this.#showOutput(effect.signal, effect.cannotStop);
      case "stop":
        return this.#stop(effect.signal, effect.restoresTerminal);
      case "resume later":
        return void setTimeout(() => this.#handle({ kind: "resumed" }), REFUSED_MS);
      case "ignore SIGTTOU":
        return addon.ignoreSigttou();
      case "accept SIGTTOU":
        if (isStoppedByAccess("SIGTTOU", () => this.#isForegroundNow())) this.#handle({ kind: "resumed" });
        return;
      case "hang up":
        if (effect.detaches) this.#monitor?.detach();
        this.#keys.close();
        closeQuietly(master);
        return this.#parts.closeOtherMasters();
      case "close keys":
        clearInterval(this.#pollTimer);
        return this.#keys.close();
      case "restore terminal": {
        const programSettings = effect.keepsSettings ? addon.settingsOf(master) : undefined;
        addon.applySettings(userTerminal, programSettings ?? this.#formerSettings, AS_GIVEN);
        // Background processes may still write. The real terminal converts their `\n` to `\r\n`, so the pseudo-terminal must not.
        this.#copySettings(master, master, RAW_OUTPUT);
        if (effect.returnsKeys) this.#keys.giveBack();
        return;
      }
      case "dismiss monitor":
        return this.#monitor?.dismiss();
    }
  }

  #forward(signal: NodeJS.Signals): void {
    const program = this.#forwarding?.pid();
    if (program !== undefined) send(program, signal);
  }

  /** Copies the settings of one terminal to another, or to itself, with a change such as RAW. */
  #copySettings(source: number, target: number, change: 0 | 1 | 2): void {
    const { addon } = this.#parts;
    const settings = addon.settingsOf(source);
    if (settings !== undefined) addon.applySettings(target, settings, change);
  }

  /** Shows the program's output, and collects its keys, before the job stops by a signal. */
  async #showOutput(signal: NodeJS.Signals, cannotStop: boolean): Promise<void> {
    const { addon, userTerminal, showOutput } = this.#parts;
    this.#keys.pause();
    // A program may have been stopped because it wrote from the background. Then this process must not write for it either.
    if (cannotStop || !stopsWriters(addon, userTerminal)) await showOutput();
    await this.#keys.collectUnread({ hasProgramEnded: false });
    this.#handle({ kind: "shown", signal });
  }

  #stop(signal: NodeJS.Signals, restoresTerminal: boolean): void {
    if (restoresTerminal) {
      this.#copySettings(this.#parts.master, this.#parts.userTerminal, AS_GIVEN);
      this.#keys.giveBack();
    }
    this.#expectedSignals.expect("SIGCONT");
    setTimeout(() => this.#expectedSignals.giveUp("SIGCONT"), CONTINUE_MS).unref();
    const startMs = performance.now();
    // A terminal would send its signals to the whole group. This call returns when the group was continued.
    callWithoutListeners(signal, () => process.kill(signal === "SIGSTOP" ? process.pid : 0, signalNumber(signal)));
    const isRefused = performance.now() - startMs < MIN_STOP_MS && !this.#isForegroundNow();
    this.#handle({ kind: "awake", signal, isRefused, isOrphaned: isRefused && isOrphaned() });
  }
}

/**
 * Counts the signals that this process causes to be sent to itself, and must ignore when they arrive: the signals of keys, which it
 * sends to the whole group, and the SIGCONT that ends a stop.
 */
class ExpectedSignals {
  readonly #counts = new Map<NodeJS.Signals, number>();
  readonly #beingDelivered = new Set<NodeJS.Signals>();

  expect(signal: NodeJS.Signals): void {
    this.#counts.set(signal, (this.#counts.get(signal) ?? 0) + 1);
  }

  giveUp(signal: NodeJS.Signals): void {
    this.#counts.delete(signal);
  }

  /** Handles a signal that has arrived. @returns true if it was expected: each call of `expect` is for one arrival */
  take(signal: NodeJS.Signals): boolean {
    const count = this.#counts.get(signal) ?? 0;
    if (count === 0) return false;
    this.#counts.set(signal, count - 1);
    this.#beingDelivered.add(signal);
    setImmediate(() => this.#beingDelivered.delete(signal));
    return true;
  }

  /** Returns true in the turn of the event loop in which `take` has returned true for the signal. */
  isBeingDelivered(signal: NodeJS.Signals): boolean {
    return this.#beingDelivered.has(signal);
  }
}
