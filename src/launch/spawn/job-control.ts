import { sleep } from "../../system/sleep.ts";
import { contextSwitches, readProcessStat } from "../proc/process-stat.ts";
import { send, signalName, withoutListeners } from "../signals.ts";

/** Keeps this process in the same job state as the program, so that the shell sees what the program does. */
export interface JobControl {
  /** The program is stopped. */
  readonly stopped: () => boolean;
  /** The program's state may have changed (SIGCHLD): if it stopped, this process stops by the same signal. */
  readonly mirror: () => void;
  /** The SIGCONT that has just arrived has ended a stop of `mirror`, which has dealt with it. */
  readonly resumed: () => boolean;
  /** A stop of `mirror` has just ended: a stop signal whose event comes now was sent before it. */
  readonly resuming: () => boolean;
}

/** @param pid the running program's PID, undefined when there is none */
export function jobControl(pid: () => number | undefined): JobControl {
  // Counts the stops of this process, and those for which the SIGCONT was seen or cannot come any more.
  // Several can happen before the first event comes: waiting events are delivered in one go, and each may stop us.
  let stops = 0;
  let continued = 0;
  /** The stop that has just ended; 0 when there is none. */
  let awakening = 0;

  return {
    stopped: () => isStopped(pid()),
    mirror: () => {
      const program = pid();
      if (program === undefined || !isStopped(program)) return;
      // STOP and KILL in quick succession are meant to kill: while stopped, this process could not tell its parent.
      sleep(2);
      const stop = readProcessStat(program);
      if (stop?.state !== "T") return;
      const before = contextSwitches(program);
      const thisStop = ++stops;
      // Every stop ends by one SIGCONT, whose event is still to come, at an unknown time, since another thread may run the
      // handler. A stop that the kernel refused has none; it is not expected for longer than a second.
      setTimeout(() => (continued = Math.max(continued, thisStop)), 1000).unref();
      const signal = signalName(stop.exitCode) ?? "SIGSTOP";
      // Returns when this process was continued; in an orphaned group the kernel ignores TSTP, TTIN and TTOU: at once.
      withoutListeners(signal, () => process.kill(process.pid, signal));
      // A signal that came before the stop is delivered in the same turn of the event loop as this event.
      awakening = thisStop;
      setImmediate(() =>
        setImmediate(() => {
          if (awakening === thisStop) awakening = 0;
        }),
      );
      // `fg` and `bg` continue the whole group; a SIGCONT to the launcher alone was meant for the program. Synchronously:
      // further SIGCHLDs may be waiting, and each would stop us again. A program that ran and was stopped once more has
      // caused a SIGCHLD of its own.
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

/**
 * Continues a program that seems to have run and to be stopped once more, but for which no SIGCHLD comes: it had
 * not yet left the processor when its context switches were first counted.
 */
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
