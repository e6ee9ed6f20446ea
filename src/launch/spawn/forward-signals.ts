/**
 * Forwards signals to the program if this process is its parent (spawn.ts).
 *
 * Users, supervisors and shells send signals to this process, and each signal must reach the program exactly once. For Ctrl-C,
 * Ctrl-Z, a resize or a hang-up, the kernel sends a signal to the terminal's whole foreground group, and so to the program as well.
 * Node.js does not show who has sent a signal, so this process looks whether it is in the foreground group (terminal.ts).
 *
 * When the program stops, this process stops as well (job-control.ts). As PID 1 it also reaps orphans.
 */
import { catchesSignal, countWaits, readProcessStat } from "../proc/process-stat.ts";
import { catchableSignals, send, signalNumber } from "../signals.ts";
import { listenToSignals, type RemoveListeners } from "../event-listeners.ts";
import { JobControl } from "./job-control.ts";
import { watchTerminal } from "./terminal.ts";

/** On a slow and busy machine, a signal that was sent before the program existed may arrive until this time after the start. */
const STARTUP_MS = 100;
/** A program that has waited for something more often than this has been running for a while. */
const MAX_WAITS_AT_START = 1;

/** The handlers of masking, if the program writes to a pseudo-terminal and this process to the real terminal. */
export interface TerminalSignals {
  /** Handles a new size of the real terminal. The program gets the signal afterwards. */
  readonly resized: () => void;
  /** Handles SIGTTOU. Returns true if the kernel has sent it because this process wrote from the background. */
  readonly isAccess: (signal: NodeJS.Signals, program: number | undefined) => boolean;
  /** Shows the output of a program that has stopped. Called before this process stops. */
  readonly showBeforeStop: () => Promise<void>;
  /** Handles SIGCONT. */
  readonly continued: () => void;
}

/** The process that gets the signals, and further reactions to a signal. */
export interface ForwardingOptions {
  /** Returns undefined if no program runs. */
  readonly pid: () => number | undefined;
  /** True for PID 1. */
  readonly isFirstProcess: boolean;
  /** True if V8's profiler in this process uses SIGPROF. */
  readonly profiled: boolean;
  /**
   * True if mostly writes of this process cause SIGPIPE and SIGXFSZ. These are not forwarded, because they would end the program.
   */
  readonly ignoresWriteSignals: boolean;
  /** Returns true for a signal that the kernel may have sent for a write of this process. It is not forwarded. */
  readonly isOfWrite?: (signal: NodeJS.Signals) => boolean;
  /** Called for SIGCHLD by PID 1. */
  readonly reapOrphans?: (() => void) | undefined;
  readonly terminal?: TerminalSignals | undefined;
  /** Called for each signal, before it is handled. */
  readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
  /** Called after TERM, INT or QUIT was forwarded. */
  readonly onStopRequest?: () => void;
}

/**
 * Listens to every signal that can be caught, and forwards it by the rules above. Must be called before the program is started, in
 * the same turn of the event loop. Then a signal that comes before the program exists is handled when the program exists.
 */
export function forwardSignals(forwarding: ForwardingOptions): RemoveListeners {
  const {
    pid,
    isFirstProcess,
    profiled,
    ignoresWriteSignals,
    isOfWrite,
    reapOrphans,
    terminal: maskedTerminal,
    onSignal,
    onStopRequest,
  } = forwarding;
  // The Windows console sends these signals to all its processes. This process must only survive them.
  if (process.platform === "win32") {
    return listenToSignals(["SIGINT", "SIGBREAK", "SIGHUP"], () => onSignal?.("SIGINT"));
  }
  const terminal = watchTerminal();
  const job = new JobControl(pid);
  const mayHaveMissed = createMissedTest(pid);
  const forward = (signal: NodeJS.Signals): void => {
    const program = pid();
    if (program !== undefined) send(program, signal);
  };
  const handleKey = (signal: NodeJS.Signals): void => {
    if (terminal.sendsKeys() && !mayHaveMissed(signal)) return;
    forward(signal);
    onStopRequest?.();
  };
  const handleStop = (signal: NodeJS.Signals): void => {
    if (job.hasJustContinued() || job.isProgramStopped()) return;
    if (!terminal.deliversToGroup() || mayHaveMissed(signal)) forward(signal);
  };
  const rules: Partial<Record<NodeJS.Signals, (signal: NodeJS.Signals) => void>> = {
    SIGINT: handleKey,
    SIGQUIT: handleKey,
    SIGTERM: (signal) => {
      forward(signal);
      onStopRequest?.();
    },
    // The terminals of macOS and the BSDs send this signal for Ctrl-T.
    SIGINFO: (signal) => {
      if (!terminal.sendsKeys()) forward(signal);
    },
    SIGWINCH: (signal) => {
      maskedTerminal?.resized();
      if (maskedTerminal !== undefined || !terminal.deliversToGroup()) forward(signal);
    },
    SIGTSTP: handleStop,
    SIGTTIN: handleStop,
    SIGTTOU: (signal) => {
      if (maskedTerminal?.isAccess(signal, pid()) !== true) handleStop(signal);
    },
    SIGHUP: (signal) => {
      if (!terminal.hungUp() || mayHaveMissed(signal)) forward(signal);
    },
    SIGCONT: (signal) => {
      maskedTerminal?.continued();
      if (!job.takeExpectedContinue() && !terminal.deliversToGroup()) forward(signal);
    },
    SIGCHLD: () => {
      if (isFirstProcess) reapOrphans?.();
      else if (maskedTerminal === undefined || !job.isProgramStopped()) job.mirrorStop();
      else void maskedTerminal.showBeforeStop().then(() => job.mirrorStop());
    },
  };
  return listenToSignals(
    forwardedSignals(catchableSignals(), {
      profiled,
      ignoresWriteSignals,
      hasProcessStates: readProcessStat("self") !== undefined,
    }),
    (signal) => {
      if (isOfWrite?.(signal) === true) return;
      onSignal?.(signal);
      (rules[signal] ?? forward)(signal);
    },
  );
}

/**
 * Returns a function that returns true for a signal of the terminal that the program may have missed.
 *
 * A signal that came just before the program existed has reached only this process, and looks like a signal that came just after.
 * So it is forwarded in doubt: a program without a handler dies of it only once. A second SIGTSTP would do harm if the program was
 * continued in between. But that takes longer than the first turns of the event loop, and the program has waited for something by
 * then.
 */
function createMissedTest(pid: () => number | undefined): (signal: NodeJS.Signals) => boolean {
  const startSeconds = process.uptime();
  let isInFirstTurns = true;
  setImmediate(() => setImmediate(() => (isInFirstTurns = false)));
  return (signal) => {
    const program = pid();
    if (program === undefined) return false;
    if (signal === "SIGTSTP" && (!isInFirstTurns || countWaits(program) > MAX_WAITS_AT_START)) return false;
    const elapsedMs = (process.uptime() - startSeconds) * 1000;
    return elapsedMs <= STARTUP_MS && !catchesSignal(program, signalNumber(signal));
  };
}

interface SignalSelection extends Pick<ForwardingOptions, "profiled" | "ignoresWriteSignals"> {
  /**
   * False without /proc. Then this process cannot see that the program was stopped, so that the stop signals of the terminal must
   * stop both processes by default.
   */
  readonly hasProcessStates: boolean;
}

/** Selects the signals to listen to. */
export function forwardedSignals(
  signals: readonly NodeJS.Signals[],
  { profiled, ignoresWriteSignals, hasProcessStates }: SignalSelection,
): readonly NodeJS.Signals[] {
  const ignored = new Set<NodeJS.Signals>(profiled ? ["SIGPROF"] : []);
  if (!hasProcessStates) for (const signal of ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const) ignored.add(signal);
  if (ignoresWriteSignals) for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) ignored.add(signal);
  return signals.filter((signal) => !ignored.has(signal));
}
