/**
 * Mirrors the program's stops, for the parent process in JavaScript (Linux).
 *
 * The shell sees only this process. So when the program has stopped, for which the kernel sends SIGCHLD, this process stops itself by
 * the same signal. The shell's `fg` and `bg` send SIGCONT to the whole process group, and so to the program, too. If another process
 * sends SIGCONT to this process alone, it is passed on to the program.
 */
import { sleep } from "../../system/blocking.ts";
import { contextSwitches, readProcessStat } from "../proc/process-stat.ts";
import { send, signalName, withoutListeners } from "../signals.ts";

export interface JobControl {
  /** Returns true if the program is stopped. */
  readonly stopped: () => boolean;
  /** Handles SIGCHLD: stops this process if the program has stopped. */
  readonly mirror: () => void;
  /** Handles SIGCONT. Returns true if it ended a stop of `mirror`, so that nothing else must be done. */
  readonly resumed: () => boolean;
  /** Returns true if a stop of `mirror` has just ended: a stop signal whose event comes now was sent before that stop. */
  readonly resuming: () => boolean;
}

/** Follows the stops of a program. @param pid undefined if no program runs */
export function jobControl(pid: () => number | undefined): JobControl {
  // Counts the stops, and those of them whose SIGCONT was seen or cannot come any more. Several stops can happen before the first
  // event: pending SIGCHLDs are delivered together, and each may stop this process.
  let stopCount = 0;
  let continuedCount = 0;
  /** The number of the stop that has just ended; 0 if there is none. */
  let endedStop = 0;

  return {
    stopped: () => isStopped(pid()),
    mirror: () => {
      const program = pid();
      if (program === undefined || !isStopped(program)) return;
      // The program may get STOP and then KILL. This process must not stop then, since it could not report the death to its parent.
      sleep(2);
      const stop = readProcessStat(program);
      if (stop?.state !== "T") return;
      const switchesBefore = contextSwitches(program);
      const thisStop = ++stopCount;
      // Every stop ends by a SIGCONT. Its event comes later, since another thread may run the handler. After a stop that the kernel
      // refused there is no SIGCONT, so that it is expected for at most a second.
      setTimeout(() => (continuedCount = Math.max(continuedCount, thisStop)), 1000).unref();
      const signal = signalName(stop.exitCode) ?? "SIGSTOP";
      // This returns after the SIGCONT. In an orphaned group, where the kernel ignores TSTP, TTIN and TTOU, it returns at once.
      withoutListeners(signal, () => process.kill(process.pid, signal));
      // Signals from before the stop are delivered in the same turn of the event loop as this event.
      endedStop = thisStop;
      setImmediate(() =>
        setImmediate(() => {
          if (endedStop === thisStop) endedStop = 0;
        }),
      );
      // If the SIGCONT did not reach the program, it is sent now. The wait for that is synchronous, since pending SIGCHLDs would stop
      // this process again. A program that has run and stopped again causes another SIGCHLD.
      const isStillStopped = (): boolean => isStopped(program) && contextSwitches(program) === switchesBefore;
      for (let waitedMs = 0; waitedMs < 8 && isStillStopped(); waitedMs++) sleep(1);
      if (isStillStopped()) send(program, "SIGCONT");
      else continueIfForgotten(program, () => stopCount === thisStop && pid() === program);
    },
    resumed: () => {
      if (continuedCount === stopCount) return false;
      continuedCount++;
      return true;
    },
    resuming: () => endedStop !== 0,
  };
}

/**
 * Continues a program that only seems to have stopped again: it was still on the processor when its context switches were first
 * counted.
 *
 * @param isLatestStop returns false if the program has stopped again meanwhile
 */
function continueIfForgotten(program: number, isLatestStop: () => boolean): void {
  if (!isStopped(program)) return;
  const switchesBefore = contextSwitches(program);
  setTimeout(() => {
    if (isLatestStop() && isStopped(program) && contextSwitches(program) === switchesBefore) send(program, "SIGCONT");
  }, 50).unref();
}

function isStopped(program: number | undefined): boolean {
  return program !== undefined && readProcessStat(program)?.state === "T";
}
