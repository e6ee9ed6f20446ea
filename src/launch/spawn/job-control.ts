/**
 * Stops this process when the program stops, if this process is the program's parent (Linux).
 *
 * The shell sees only this process. So when the program has stopped, for which the kernel sends SIGCHLD, this process stops itself by
 * the same signal. The shell's `fg` and `bg` send SIGCONT to the whole process group, and so to the program, too. If another process
 * sends SIGCONT to this process alone, it is passed on to the program.
 */
import { sleep } from "../../system/blocking.ts";
import { contextSwitches, readProcessStat } from "../proc/process-stat.ts";
import { send, signalName, callWithoutListeners } from "../signals.ts";

/** A program that gets STOP and then KILL has ended after this time. */
const SETTLING_MS = 2;
/** The time for which this process waits for the SIGCONT that ends its stop. None comes if the kernel has refused the stop. */
const CONTINUE_MS = 1000;
/** The time in which a SIGCONT for the whole group reaches the program. */
const PROGRAM_CONTINUE_MS = 8;
/** The pause before a program is examined again that seems to have stopped again. */
const RECHECK_MS = 50;

/** Follows the stops of a program. */
export class JobControl {
  readonly #pid: () => number | undefined;
  /** Several stops can happen before the first event: pending SIGCHLDs are delivered together, and each may stop this process. */
  #stopCount = 0;
  /** The number of stops whose SIGCONT was handled, or cannot come any more. */
  #continuedCount = 0;
  /** The number of the stop that has just ended; 0 if there is none. */
  #endedStop = 0;

  /** @param pid returns undefined if no program runs */
  constructor(pid: () => number | undefined) {
    this.#pid = pid;
  }

  isProgramStopped(): boolean {
    return isStopped(this.#pid());
  }

  /** Handles SIGCHLD: stops this process if the program has stopped. */
  mirrorStop(): void {
    const program = this.#pid();
    if (program === undefined || !isStopped(program)) return;
    // If the program is killed now, this process must not stop, since it could not report the death to its parent.
    sleep(SETTLING_MS);
    const stat = readProcessStat(program);
    if (stat?.state !== "T") return;
    const switchesBefore = contextSwitches(program);
    this.#stopThisProcess(signalName(stat.exitCode) ?? "SIGSTOP");
    const thisStop = this.#stopCount;
    // If the SIGCONT did not reach the program, it is sent now. The wait for that is synchronous, since pending SIGCHLDs would stop
    // this process again. A program that has run and stopped again causes another SIGCHLD.
    const isStillStopped = (): boolean => isStopped(program) && contextSwitches(program) === switchesBefore;
    for (let waitedMs = 0; waitedMs < PROGRAM_CONTINUE_MS && isStillStopped(); waitedMs++) sleep(1);
    if (isStillStopped()) send(program, "SIGCONT");
    else continueIfForgotten(program, () => this.#stopCount === thisStop && this.#pid() === program);
  }

  /** Handles SIGCONT. Returns true if the signal ended a stop by `mirrorStop`, so that nothing else must be done. */
  takeExpectedContinue(): boolean {
    if (this.#continuedCount === this.#stopCount) return false;
    this.#continuedCount++;
    return true;
  }

  /** Returns true if a stop by `mirrorStop` has just ended. A stop signal that is handled now was sent before that stop. */
  hasJustContinued(): boolean {
    return this.#endedStop !== 0;
  }

  /** Stops this process by a signal. Returns once it was continued. */
  #stopThisProcess(signal: NodeJS.Signals): void {
    const thisStop = ++this.#stopCount;
    // The SIGCONT that ends the stop is handled later, since another thread may get it. It is expected for a limited time.
    setTimeout(() => (this.#continuedCount = Math.max(this.#continuedCount, thisStop)), CONTINUE_MS).unref();
    // This returns after the SIGCONT. In an orphaned group, where the kernel ignores TSTP, TTIN and TTOU, it returns at once.
    callWithoutListeners(signal, () => process.kill(process.pid, signal));
    // Signals from before the stop are delivered within two turns of the event loop.
    this.#endedStop = thisStop;
    setImmediate(() =>
      setImmediate(() => {
        if (this.#endedStop === thisStop) this.#endedStop = 0;
      }),
    );
  }
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
  }, RECHECK_MS).unref();
}

function isStopped(program: number | undefined): boolean {
  return program !== undefined && readProcessStat(program)?.state === "T";
}
