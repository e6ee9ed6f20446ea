import { isBun } from "../../system/runtime.ts";
import { catchesSignal, readProcessStat, softLimit, waits } from "../proc/process-stat.ts";
import { catchableSignals, send, signalNumber } from "../signals.ts";
import { listen, type Undo } from "../listen.ts";
import { jobControl } from "./job-control.ts";
import { watchTerminal } from "./terminal.ts";

/** The time after the start in which a signal may have come before the program existed, on a slow, busy machine. */
const STARTUP_MS = 100;
/** A program that has waited for something more often than this has been running for a while. */
const WAITS_OF_STARTUP = 1;

/** The signals of a terminal on which this process shows what the program writes. */
export interface TerminalSignals {
  /** Its size has changed; the program gets the signal afterwards. */
  readonly resized: () => void;
  /** Returns true if the kernel has sent the signal for what is shown from the background, after a stop of the job. */
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
  readonly terminal?: TerminalSignals | undefined;
  /** Called first for every signal that arrives. */
  readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
  /** Called after a signal was forwarded that asks the program to end. */
  readonly onStopRequest?: () => void;
}

/**
 * Listens to every signal that can be caught and sends it to the program (its PID, never the group), unless the
 * kernel has sent it there already. Called before the program is started: events wait until it exists.
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
  // A signal of the terminal that came just before the program existed reached this process alone, and looks the same as
  // one that came just after. A program without a handler dies of it only once. A second stop does harm if the program was continued in
  // between. That takes longer than the first turns of the event loop, and the program has waited for something then.
  const mayHaveMissed = (signal: NodeJS.Signals): boolean => {
    const program = pid();
    if (program === undefined) return false;
    if (signal === "SIGTSTP" && (!firstTurns || waits(program) > WAITS_OF_STARTUP)) return false;
    return (process.uptime() - start) * 1000 <= STARTUP_MS && !catchesSignal(program, signalNumber(signal));
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
      if (shown !== undefined || !terminal.deliversToGroup()) forward(signal);
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
      if (!job.resumed() && !terminal.deliversToGroup()) forward(signal);
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
  const left = new Set<NodeJS.Signals>(profiled ? ["SIGPROF"] : []);
  if (!tellsStates) for (const signal of ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const) left.add(signal);
  // Under such a limit the kernel sends it for files in memory that Bun makes larger.
  if (isBun && softLimit("self", "Max file size") !== "unlimited") left.add("SIGXFSZ");
  return signals.filter((signal) => !left.has(signal));
}
