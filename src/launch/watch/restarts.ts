/**
 * Restarts of a watched program: this process asks it to end, kills it after the grace period, and starts the next one. The
 * user's signals go to the program as usual. TERM, INT and QUIT request an end of the launcher, and a program that dies of a
 * signal of the user's is not restarted. While no program runs, a signal acts on the launcher itself.
 */
import { AS_GIVEN } from "../../../native/shared.ts";
import { locate } from "../program/find-executable.ts";
import { validate } from "../program/program-strings.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { loadMaskingAddon } from "../masking/masking-addon.ts";
import { send } from "../signals.ts";
import type { Undo } from "../event-listeners.ts";
import type { Launch, OutputMasking, Renewal, Watch } from "../types.ts";

export type Restarts = ReturnType<typeof makeRestarts>;

const STOPPING: ReadonlySet<string> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"]);
/** They have no effect while no program runs. */
const HARMLESS: ReadonlySet<string> = new Set(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGURG", "SIGIO"]);
const JOB_STOPS: ReadonlySet<string> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);

/** The masked outputs of a program. Its background processes may write after its end. */
interface MaskedOutputs {
  readonly isOpen: () => boolean;
  readonly maskBy: (outputMasking: OutputMasking) => void;
}

/** The step in which the grace period is counted: it does not run while the whole job is stopped. */
const STEP_MS = 100;

/** The time for a signal that came with the program's end: the thread that gets it may wait for a processor. */
const LATE_SIGNAL_MS = 100;

export function makeRestarts({ signal: stopSignal, graceMs, follow }: Watch, firstLaunch: Launch) {
  const hadTerminal = (readProcessStat("self")?.terminal ?? 0) !== 0;
  /** `stopping`: the program was asked to end. `starting`: it has ended. `over`: it is not restarted any more. */
  let phase: "running" | "stopping" | "starting" | "over" = "running";
  let program: number | undefined;
  let next: Launch | undefined;
  let stopFollowing: Undo | undefined;
  let stopCounting: Undo | undefined;
  /** Signals while stopping, of which the program may die. */
  const meanwhile = new Set<NodeJS.Signals>();
  /** Signals while starting, for the next program. */
  const missed: NodeJS.Signals[] = [];
  let write: (text: string) => void = () => {};
  let outputs: readonly MaskedOutputs[] = [];
  /** The latest masking, if it is not that of the latest renewal: a program that is being started has an older one. */
  let masking: OutputMasking | undefined;

  const giveUp = (): void => {
    phase = "over";
    next = undefined;
    stopCounting?.();
    stopFollowing?.();
  };
  const restart = async (renewal: Renewal): Promise<void> => {
    const launch = await renewed(firstLaunch, renewal);
    masking = undefined;
    if (phase === "stopping" || phase === "starting") return void (next = launch);
    if (phase === "over" || program === undefined) return;
    // It has ended by itself, and the event is to come.
    if (readProcessStat(program)?.state === "Z") return;
    phase = "stopping";
    next = launch;
    send(program, stopSignal);
    stopCounting = countDown(graceMs, () => program !== undefined && send(program, "SIGKILL"));
  };

  const mask = (outputMasking: OutputMasking): void => {
    masking = outputMasking;
    for (const one of outputs) one.maskBy(outputMasking);
  };

  return {
    onSignal: (signal: NodeJS.Signals): void => {
      if (phase === "over") return;
      const isHungUp = signal === "SIGHUP" && hadTerminal && readProcessStat("self")?.terminal === 0;
      if (STOPPING.has(signal) || isHungUp) return giveUp();
      if (phase === "stopping") meanwhile.add(signal);
      if (phase !== "starting" || HARMLESS.has(signal)) return;
      if (JOB_STOPS.has(signal)) missed.push(signal);
      else giveUp();
    },
    /** @param writeBetween writes to the standard error, between the program's lines */
    started: (pid: number | undefined, writeBetween: (text: string) => void, masked?: MaskedOutputs): void => {
      program = pid;
      write = writeBetween;
      outputs = [...outputs.filter((one) => one.isOpen()), ...(masked === undefined ? [] : [masked])];
      if (masking !== undefined) masked?.maskBy(masking);
      if (phase === "starting") phase = "running";
      if (pid !== undefined) for (const signal of missed.splice(0)) send(pid, signal);
      if (phase !== "over") stopFollowing ??= follow(restart, (text) => write(text), mask);
    },
    /** The program has ended. @returns the next one; undefined if the launcher must end */
    ended: (end: NodeJS.Signals | number): Launch | undefined => {
      program = undefined;
      stopCounting?.();
      const isOfUser = typeof end === "string" && meanwhile.has(end) && end !== stopSignal;
      const launch = isOfUser ? undefined : next;
      next = undefined;
      meanwhile.clear();
      if (launch === undefined) giveUp();
      else phase = "starting";
      return launch;
    },
    /**
     * Waits for a request to end that was sent to the program as well, such as Ctrl-C. Threads of this process get the
     * signals, so that on a busy machine the program's end may be seen first.
     */
    lateSignals: (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATE_SIGNAL_MS)),
    /** Takes the launch of a change since `ended`: the output of the former program may take long to be read. */
    takeNewer: (): Launch | undefined => {
      if (phase !== "starting") return undefined;
      const newer = next;
      next = undefined;
      return newer;
    },
    /** Returns false if a stop was requested since `ended`: the next program must not start. */
    isWanted: (): boolean => phase !== "over",
    /** Returns true from the request to end until the next program runs. */
    isUnderWay: (): boolean => phase === "stopping" || phase === "starting",
  };
}

/** Prepares another start of the same command. @throws SophiaError if it cannot be started */
async function renewed(firstLaunch: Launch, renewal: Renewal): Promise<Launch> {
  const request = { ...firstLaunch, ...renewal };
  validate(request);
  return { ...request, program: await locate(request) };
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

/**
 * Keeps the terminal between two programs, as a shell does. A killed program may have left it in raw mode, with a process
 * group of its own in the foreground. @returns the undo; undefined without a terminal, in the background, without the addon
 */
export async function keepTerminal(): Promise<((end: NodeJS.Signals | number) => void) | undefined> {
  const { isatty } = process.getBuiltinModule("node:tty");
  const terminal = [0, 1, 2].find((descriptor) => isatty(descriptor));
  const addon = terminal === undefined ? undefined : loadMaskingAddon();
  const ownGroup = readProcessStat("self")?.group;
  if (terminal === undefined || addon === undefined || ownGroup === undefined) return undefined;
  if (addon.foregroundGroup(terminal) !== ownGroup) return undefined;
  const settings = addon.settingsOf(terminal);
  return (end) => {
    if (addon.foregroundGroup(terminal) !== ownGroup) addon.takeForeground(terminal, ownGroup);
    if (typeof end === "string" && settings !== undefined) addon.applySettings(terminal, settings, AS_GIVEN);
  };
}
