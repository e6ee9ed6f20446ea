import { isBun } from "../../system/runtime.ts";
import { catchesSignal, readProcessStat, softLimit, waits } from "../proc/process-stat.ts";
import { catchableSignals, send, signalNumber } from "../signals.ts";
import { listen, type Undo } from "../listen.ts";
import { jobControl } from "./job-control.ts";
import { watchTerminal } from "./terminal.ts";

/** How long after the start a signal may have come before the program existed, on a slow, busy machine. */
const STARTUP_MS = 100;
/** A program that has waited for something more often than this has been running for a while. */
const WAITS_OF_STARTUP = 1;

/** What signals of the terminal mean to who shows on it what the program writes. */
export interface TerminalSignals {
  /** Its size has changed; the program gets the signal afterwards, whoever else has sent it. */
  readonly resized: () => void;
  /**
   * Whether the kernel has sent the signal for what is shown from the background; it has stopped the job until now, unless
   * the program ignores the signal.
   */
  readonly isAccess: (signal: NodeJS.Signals, program: number | undefined) => boolean;
  /** The program was stopped: shows what it has written, before this process stops, too. */
  readonly settled: () => Promise<void>;
  readonly continued: () => void;
}

export interface Forwarding {
  /** The running program's PID; undefined before it is started and after it has ended. */
  readonly pid: () => number | undefined;
  readonly firstProcess: boolean;
  /** SIGPROF is for V8's profiler in this process. */
  readonly profiled: boolean;
  /** Reaps the orphans that PID 1 inherits, where that can be done. */
  readonly reapOrphans?: (() => void) | undefined;
  /** Where the program's outputs are pseudo-terminals in front of the terminal. */
  readonly terminal?: TerminalSignals | undefined;
  /** Called first for every signal that arrives, whatever becomes of it. */
  readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
  /** Called after a signal was forwarded that asks the program to end. */
  readonly onStopRequest?: () => void;
}

/**
 * Listens to every signal that can be caught and sends it to the program (its PID, never the group), unless the
 * kernel has sent it there already. Each arrives once, in the order in which this process got them.
 *
 * Call it before the program is started: events wait until the running JavaScript ends, and by then the program exists.
 */
export function forwardSignals(forwarding: Forwarding): Undo {
  const { pid, firstProcess, profiled, reapOrphans, terminal: shown, onSignal, onStopRequest } = forwarding;
  // The Windows console sends these to every process of the group; this one only has to outlive the event.
  if (process.platform === "win32") {
    return listen(["SIGINT", "SIGBREAK", "SIGHUP"], () => onSignal?.("SIGINT"));
  }
  const terminal = watchTerminal();
  const job = jobControl(pid);
  const forward = (signal: NodeJS.Signals): void => {
    const program = pid();
    if (program !== undefined) send(program, signal);
  };

  const start = process.uptime();
  let firstTurns = true;
  setImmediate(() => setImmediate(() => (firstTurns = false)));
  // What the terminal sent just before the program existed reached this process alone, and looks the same as what came
  // just after. A program that handles the signal might count it twice; any other dies of it only once. A second stop
  // does harm if the program was continued in between, or stops itself after its handler. That takes longer than
  // the first turns of the event loop, and if this process had to wait for the processor, the program has waited, too.
  const mayHaveMissed = (signal: NodeJS.Signals): boolean => {
    const program = pid();
    if (program === undefined) return false;
    if (signal === "SIGTSTP" && (!firstTurns || waits(program) > WAITS_OF_STARTUP)) return false;
    return (process.uptime() - start) * 1000 <= STARTUP_MS && !catchesSignal(program, signalNumber(signal));
  };
  const unlessDelivered = (signal: NodeJS.Signals): void => {
    if (!terminal.deliversToGroup()) forward(signal);
  };
  const fromKeyboard = (signal: NodeJS.Signals): void => {
    if (terminal.sendsKeys() && !mayHaveMissed(signal)) return;
    forward(signal);
    onStopRequest?.();
  };
  // This process stops only when the program does, see SIGCHLD.
  const jobStop = (signal: NodeJS.Signals): void => {
    if (job.resuming() || job.stopped()) return;
    if (!terminal.deliversToGroup() || mayHaveMissed(signal)) forward(signal);
  };
  const rules: Partial<Record<NodeJS.Signals, (signal: NodeJS.Signals) => void>> = {
    SIGINT: fromKeyboard,
    SIGQUIT: fromKeyboard,
    SIGTERM: (signal) => {
      forward(signal);
      onStopRequest?.();
    },
    // Ctrl-T of macOS and the BSDs.
    SIGINFO: (signal) => {
      if (!terminal.sendsKeys()) forward(signal);
    },
    SIGWINCH: (signal) => {
      shown?.resized();
      if (shown === undefined) unlessDelivered(signal);
      else forward(signal);
    },
    SIGTSTP: jobStop,
    SIGTTIN: jobStop,
    SIGTTOU: (signal) => {
      if (shown?.isAccess(signal, pid()) !== true) jobStop(signal);
    },
    SIGHUP: (signal) => {
      if (!terminal.hungUp() || mayHaveMissed(signal)) forward(signal);
    },
    SIGCONT: (signal) => {
      shown?.continued();
      if (!job.resumed()) unlessDelivered(signal);
    },
    SIGCHLD: () => {
      // PID 1 cannot stop, and nobody could continue it.
      if (firstProcess) reapOrphans?.();
      else if (shown === undefined || !job.stopped()) job.mirror();
      else void shown.settled().then(job.mirror);
    },
  };
  return listen(
    forwarded(catchableSignals(), { profiled, tellsStates: readProcessStat("self") !== undefined }),
    (signal) => {
      onSignal?.(signal);
      (rules[signal] ?? forward)(signal);
    },
  );
}

/**
 * The signals to listen to. Where the system does not tell whether the program is stopped, this process could not stop with
 * it: there the kernel stops both, as it does every process of a job.
 */
export function forwarded(
  signals: readonly NodeJS.Signals[],
  { profiled, tellsStates }: { readonly profiled: boolean; readonly tellsStates: boolean },
): readonly NodeJS.Signals[] {
  const left: ReadonlySet<NodeJS.Signals> = new Set([
    ...(profiled ? (["SIGPROF"] as const) : []),
    ...(tellsStates ? [] : (["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const)),
    // Under such a limit the kernel sends it for files in memory that Bun makes larger.
    ...(isBun && softLimit("self", "Max file size") !== "unlimited" ? (["SIGXFSZ"] as const) : []),
  ]);
  return signals.filter((signal) => !left.has(signal));
}
