import { readProcessStat } from "./process-stat.ts";
import { namesOf, send, signalName } from "./signals.ts";

/** Keeps this process in the same job state as the program, so that the shell sees what the program does. */
export interface JobControl {
  /** The program is stopped. */
  readonly stopped: () => boolean;
  /** The program's state may have changed (SIGCHLD): if it stopped, this process stops by the same signal. */
  readonly mirror: () => void;
  /** The SIGCONT that has just arrived is the one that ended a stop of {@link mirror}, which it has dealt with. */
  readonly resumed: () => boolean;
}

/** @param pid the running program's PID, undefined when there is none */
export function jobControl(pid: () => number | undefined): JobControl {
  let resuming = false;

  return {
    stopped: () => {
      const program = pid();
      return program !== undefined && isStopped(program);
    },
    mirror: () => {
      const program = pid();
      const stat = program === undefined ? undefined : readProcessStat(program);
      if (program === undefined || stat?.state !== "T") return;
      // The signal handler of a waking SIGCONT runs at once, but its event comes with the next poll of the event
      // loop: after the second turn it can only be another one.
      resuming = true;
      setImmediate(() => setImmediate(() => (resuming = false)));
      stopSelf(signalName(stat.exitCode) ?? "SIGSTOP");
      // Awake again. `fg` and `bg` continue the whole group, the program is about to run; whoever continued the
      // launcher alone meant the program. Synchronously: further SIGCHLDs may be waiting, and each would stop us anew.
      for (let waited = 0; waited < 8 && isStopped(program); waited++) sleep(1);
      if (isStopped(program)) send(program, "SIGCONT");
    },
    resumed: () => {
      const was = resuming;
      resuming = false;
      return was;
    },
  };
}

/**
 * Really stops this process: listeners off, so that the kernel acts; returns when it was continued. In an orphaned
 * process group the kernel ignores TSTP, TTIN and TTOU and this returns at once.
 */
export function stopSelf(signal: NodeJS.Signals): void {
  const undone = namesOf(signal).map((name) => {
    // Copied, because the list shrinks while it is emptied.
    const listeners = signal === "SIGSTOP" ? [] : process.listeners(name);
    for (const listener of listeners) process.removeListener(name, listener);
    return { name, listeners };
  });
  process.kill(process.pid, signal);
  for (const { name, listeners } of undone) {
    for (const listener of listeners) process.on(name, listener);
  }
}

function isStopped(program: number): boolean {
  return readProcessStat(program)?.state === "T";
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
