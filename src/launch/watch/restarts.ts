import { readProcessStat } from "../proc/process-stat.ts";
import { send } from "../signals.ts";
import type { Undo } from "../listen.ts";
import type { Launch, Renewal, Watch } from "../types.ts";

/** Decides when the program is restarted, and when its end is the launcher's. */
export interface Restarts {
  /** A signal has reached this process. It is passed on by others; here it may end a restart. */
  readonly heard: (signal: NodeJS.Signals) => void;
  /** The program runs. @param write writes to the standard error, between the program's own lines */
  readonly begun: (pid: number | undefined, write: (text: string) => void) => void;
  /** The program has ended. @returns the next one; undefined if it ended by itself, or was asked to by others */
  readonly after: (end: NodeJS.Signals | number) => Launch | undefined;
  /** False if a stop was requested since `after`: the next program must not start. */
  readonly isWanted: () => boolean;
  /** The program was asked to end, or has ended, and another takes its place. */
  readonly isUnderWay: () => boolean;
}

/** Gives a renewal its place. @throws SophiaError where it cannot be started */
export type Renew = (renewal: Renewal) => Promise<Launch>;

/** They ask the program to end: it is not restarted then, however long it takes. */
const STOPPING: ReadonlySet<string> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"]);
/** They mean nothing to a program that does not run yet. */
const HARMLESS: ReadonlySet<string> = new Set(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGURG", "SIGIO"]);
const JOB_STOPS: ReadonlySet<string> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);
/** The step in which the grace period is counted: it does not run while the whole job is stopped. */
const STEP_MS = 100;

export function makeRestarts({ signal: stopSignal, graceMs, follow }: Watch, renew: Renew): Restarts {
  const hadTerminal = (readProcessStat("self")?.terminal ?? 0) !== 0;
  let program: number | undefined;
  /** What takes the program's place as soon as it has ended. */
  let next: Launch | undefined;
  let isStarting = false;
  let isOver = false;
  let stopFollowing: Undo | undefined;
  let stopCounting: Undo | undefined;
  /** What came meanwhile: of these the program may have died. */
  const meanwhile = new Set<NodeJS.Signals>();
  const missed: NodeJS.Signals[] = [];
  let write: (text: string) => void = () => {};

  const giveUp = (): void => {
    isOver = true;
    next = undefined;
    stopCounting?.();
    stopFollowing?.();
  };
  const restart = async (renewal: Renewal): Promise<void> => {
    const launch = await renew(renewal);
    if (isOver || program === undefined) return;
    const isAsked = next !== undefined;
    // Asked to end already: it is started with the latest.
    if (isAsked) next = launch;
    // Ended, and the event is on its way: it did that by itself.
    if (isAsked || readProcessStat(program)?.state === "Z") return;
    next = launch;
    send(program, stopSignal);
    stopCounting = countDown(graceMs, () => program !== undefined && send(program, "SIGKILL"));
  };

  return {
    heard: (signal) => {
      if (isOver) return;
      const isHungUp = signal === "SIGHUP" && hadTerminal && readProcessStat("self")?.terminal === 0;
      if (STOPPING.has(signal) || isHungUp) return giveUp();
      if (next !== undefined) meanwhile.add(signal);
      if (!isStarting || HARMLESS.has(signal)) return;
      // Before a program runs a signal acts on the launcher.
      if (JOB_STOPS.has(signal)) missed.push(signal);
      else giveUp();
    },
    begun: (pid, writeBetween) => {
      program = pid;
      write = writeBetween;
      isStarting = false;
      if (pid !== undefined) for (const signal of missed.splice(0)) send(pid, signal);
      if (!isOver) stopFollowing ??= follow(restart, (text) => write(text));
    },
    after: (end) => {
      program = undefined;
      stopCounting?.();
      const isOwn = typeof end === "string" && meanwhile.has(end) && end !== stopSignal;
      const launch = isOwn ? undefined : next;
      next = undefined;
      meanwhile.clear();
      if (launch === undefined) giveUp();
      isStarting = launch !== undefined;
      return launch;
    },
    isWanted: () => !isOver,
    isUnderWay: () => isStarting || next !== undefined,
  };
}

function countDown(ms: number, done: () => void): Undo {
  const step = Math.min(ms, STEP_MS);
  let left = ms;
  const timer = setInterval(() => {
    left -= step;
    if (left > 0) return;
    clearInterval(timer);
    done();
  }, step);
  return () => clearInterval(timer);
}
