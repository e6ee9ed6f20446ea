/**
 * Forwards signals to the program, for the parent process in JavaScript.
 *
 * Users, supervisors and shells signal this process: each signal must reach the program, once. The kernel sends those of the
 * terminal (Ctrl-C, Ctrl-Z, resize, hang-up) to the whole foreground group, and so to the program. Node.js does not show the
 * sender: the terminal's foreground group decides (terminal.ts). Stops are mirrored (job-control.ts). PID 1 reaps orphans.
 */
import { catchesSignal, readProcessStat, waits } from "../proc/process-stat.ts";
import { catchableSignals, send, signalNumber } from "../signals.ts";
import { listen, type Undo } from "../event-listeners.ts";
import { jobControl } from "./job-control.ts";
import { watchTerminal } from "./terminal.ts";

/** The time after the start in which a signal may be older than the program, on a slow, busy machine. */
const STARTUP_MS = 100;
/** The number of waits after which a program has been running for a while. */
const WAITS_OF_STARTUP = 1;

/** Handlers for a terminal on which this process shows the program's output. */
export interface TerminalSignals {
  /** The size has changed; the program gets the signal afterwards. */
  readonly resized: () => void;
  /** Returns true if the kernel sent the signal for output from the background, after a stop of the job. */
  readonly isAccess: (signal: NodeJS.Signals, program: number | undefined) => boolean;
  /** The program was stopped: shows its output before this process stops. */
  readonly settled: () => Promise<void>;
  readonly continued: () => void;
}

export interface Forwarding {
  readonly pid: () => number | undefined;
  readonly firstProcess: boolean;
  /** SIGPROF belongs to V8's profiler in this process. */
  readonly profiled: boolean;
  /** SIGPIPE and SIGXFSZ are mostly those of this process's own writes, which would end the program. */
  readonly writesAlone: boolean;
  /** True for a signal that the kernel may have sent for a write of this process: it must not end the program. */
  readonly isOfWrite?: (signal: NodeJS.Signals) => boolean;
  readonly reapOrphans?: (() => void) | undefined;
  readonly terminal?: TerminalSignals | undefined;
  readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
  /** Called after TERM, INT or QUIT was forwarded. */
  readonly onStopRequest?: () => void;
}

/** Listens to every signal that can be caught. Must be called before the program is started: events wait until it exists. */
export function forwardSignals(forwarding: Forwarding): Undo {
  const {
    pid,
    firstProcess,
    profiled,
    writesAlone,
    isOfWrite,
    reapOrphans,
    terminal: shown,
    onSignal,
    onStopRequest,
  } = forwarding;
  // The Windows console sends these to all its processes; this one must only survive them.
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
  // A signal of the terminal just before the program existed reached only this process, and looks like one just after. A
  // program without a handler dies of it only once. A second stop would do harm if the program was continued in between:
  // that takes longer than the first turns of the event loop, and the program has waited for something by then.
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
      if (firstProcess) reapOrphans?.();
      else if (shown === undefined || !job.stopped()) job.mirror();
      else void shown.settled().then(job.mirror);
    },
  };
  return listen(
    forwardedSignals(catchableSignals(), { profiled, writesAlone, tellsStates: readProcessStat("self") !== undefined }),
    (signal) => {
      if (isOfWrite?.(signal) === true) return;
      onSignal?.(signal);
      (rules[signal] ?? forward)(signal);
    },
  );
}

/** Selects the signals to listen to. Without /proc a stop of the program is invisible here: the kernel must stop both. */
export function forwardedSignals(
  signals: readonly NodeJS.Signals[],
  {
    profiled,
    writesAlone,
    tellsStates,
  }: { readonly profiled: boolean; readonly writesAlone: boolean; readonly tellsStates: boolean },
): readonly NodeJS.Signals[] {
  const left = new Set<NodeJS.Signals>(profiled ? ["SIGPROF"] : []);
  if (!tellsStates) for (const signal of ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const) left.add(signal);
  if (writesAlone) for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) left.add(signal);
  return signals.filter((signal) => !left.has(signal));
}
