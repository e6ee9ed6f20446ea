/**
 * Mirrors the program's stops, for the parent process in JavaScript (Linux).
 *
 * The shell sees only this process, which therefore stops itself by the same signal when the program has stopped (SIGCHLD).
 * `fg` and `bg` send SIGCONT to the whole group. A SIGCONT to this process alone is passed on to the program.
 */
import { sleep } from "../../system/blocking.ts";
import { contextSwitches, readProcessStat } from "../proc/process-stat.ts";
import { send, signalName, withoutListeners } from "../signals.ts";

export interface JobControl {
  readonly stopped: () => boolean;
  /** Handles SIGCHLD: stops this process if the program has stopped. */
  readonly mirror: () => void;
  /** Returns true if the SIGCONT that has just arrived ended a stop of `mirror`, and is handled. */
  readonly resumed: () => boolean;
  /** Returns true if a stop of `mirror` has just ended: a stop signal whose event comes now is older. */
  readonly resuming: () => boolean;
}

/** Follows the stops of a program. @param pid undefined if no program runs */
export function jobControl(pid: () => number | undefined): JobControl {
  // The numbers of stops, and of those whose SIGCONT was seen or cannot come any more. Several stops can happen before the
  // first event: pending SIGCHLDs are delivered together, and each may stop this process.
  let stops = 0;
  let continued = 0;
  /** The number of the stop that has just ended; 0: none. */
  let awakening = 0;

  return {
    stopped: () => isStopped(pid()),
    mirror: () => {
      const program = pid();
      if (program === undefined || !isStopped(program)) return;
      // STOP and KILL in quick succession: a stopped process could not report the death to its parent.
      sleep(2);
      const stop = readProcessStat(program);
      if (stop?.state !== "T") return;
      const before = contextSwitches(program);
      const thisStop = ++stops;
      // Every stop ends by a SIGCONT, whose event comes later, since another thread may run the handler. A stop that the
      // kernel refused has none: it is expected for at most a second.
      setTimeout(() => (continued = Math.max(continued, thisStop)), 1000).unref();
      const signal = signalName(stop.exitCode) ?? "SIGSTOP";
      // Returns after SIGCONT; at once in an orphaned group, where the kernel ignores TSTP, TTIN and TTOU.
      withoutListeners(signal, () => process.kill(process.pid, signal));
      // Signals from before the stop are delivered in the same turn of the event loop as this event.
      awakening = thisStop;
      setImmediate(() =>
        setImmediate(() => {
          if (awakening === thisStop) awakening = 0;
        }),
      );
      // Synchronous, since pending SIGCHLDs would stop this process again. A program that has run and stopped again causes a
      // SIGCHLD of its own.
      const sleepsOn = (): boolean => isStopped(program) && contextSwitches(program) === before;
      for (let waited = 0; waited < 8 && sleepsOn(); waited++) sleep(1);
      if (sleepsOn()) send(program, "SIGCONT");
      else continueIfForgotten(program, () => stops === thisStop && pid() === program);
    },
    resumed: () => {
      if (continued === stops) return false;
      continued++;
      return true;
    },
    resuming: () => awakening !== 0,
  };
}

/** Continues a program that only seems to have stopped again: it was still on the processor at the first count of switches. */
function continueIfForgotten(program: number, isLast: () => boolean): void {
  if (!isStopped(program)) return;
  const before = contextSwitches(program);
  setTimeout(() => {
    if (isLast() && isStopped(program) && contextSwitches(program) === before) send(program, "SIGCONT");
  }, 50).unref();
}

function isStopped(program: number | undefined): boolean {
  return program !== undefined && readProcessStat(program)?.state === "T";
}
