/**
 * Restarts a watched program: this process asks the program to end, kills it after the grace period, and starts the next one.
 *
 * The user's signals reach the program as usual. TERM, INT and QUIT also end the launcher once the program has ended. A program that the
 * user has killed by another signal is not restarted either. While no program runs, a signal acts on the launcher itself.
 */
import { AS_GIVEN } from "../../../native/shared.ts";
import { locate } from "../program/find-executable.ts";
import { validate } from "../program/program-strings.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { loadMaskingAddon } from "../masking/masking-addon.ts";
import { send } from "../signals.ts";
import type { Undo } from "../event-listeners.ts";
import type { Launch, OutputMasking, ProgramEnd, Renewal, Watch } from "../types.ts";

export type Restarts = ReturnType<typeof makeRestarts>;

/** The signals by which the user asks launcher and program to end. */
const STOPPING: ReadonlySet<string> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"]);
/** The signals that have no effect while no program runs. */
const HARMLESS: ReadonlySet<string> = new Set(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGURG", "SIGIO"]);
const JOB_STOPS: ReadonlySet<string> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);

/** The masked outputs of a program. Background processes of the program may write to them after its end. */
interface MaskedOutputs {
  readonly isOpen: () => boolean;
  readonly maskBy: (outputMasking: OutputMasking) => void;
}

/** The grace period is counted in steps of this length, so that it does not pass while the whole job is stopped. */
const STEP_MS = 100;

/** The time within which a signal arrives that was sent when the program ended. The thread that gets it may wait for a processor. */
const LATE_SIGNAL_MS = 100;

/** Returns the restarts of one watch. @param firstLaunch the launch whose command each restart starts again */
export function makeRestarts({ signal: stopSignal, graceMs, follow }: Watch, firstLaunch: Launch) {
  const hadTerminal = (readProcessStat("self")?.terminal ?? 0) !== 0;
  /** `stopping`: the program was asked to end. `starting`: the next program is about to start. `over`: there are no more restarts. */
  let phase: "running" | "stopping" | "starting" | "over" = "running";
  let program: number | undefined;
  let next: Launch | undefined;
  let stopFollowing: Undo | undefined;
  let stopCounting: Undo | undefined;
  /** The signals that came while the program was stopping: it may have died of one of them. */
  const signalsWhileStopping = new Set<NodeJS.Signals>();
  /** The stop signals that came while no program ran, for the next program. */
  const signalsWhileStarting: NodeJS.Signals[] = [];
  let write: (text: string) => void = () => {};
  let outputs: readonly MaskedOutputs[] = [];
  /** The latest masking; undefined if it is that of the latest renewal. A program that is being started may have an older one. */
  let masking: OutputMasking | undefined;

  const giveUp = (): void => {
    phase = "over";
    next = undefined;
    stopCounting?.();
    stopFollowing?.();
  };
  const restart = async (renewal: Renewal): Promise<void> => {
    const launch = await renewLaunch(firstLaunch, renewal);
    masking = undefined;
    if (phase === "stopping" || phase === "starting") return void (next = launch);
    if (phase === "over" || program === undefined) return;
    // The program has ended by itself, and `takeNextLaunch` will be called soon.
    if (readProcessStat(program)?.state === "Z") return;
    phase = "stopping";
    next = launch;
    send(program, stopSignal);
    stopCounting = countDown(graceMs, () => program !== undefined && send(program, "SIGKILL"));
  };

  const mask = (outputMasking: OutputMasking): void => {
    masking = outputMasking;
    for (const programOutputs of outputs) programOutputs.maskBy(outputMasking);
  };

  return {
    /** Must be called for each signal of the user. */
    onSignal: (signal: NodeJS.Signals): void => {
      if (phase === "over") return;
      const isHungUp = signal === "SIGHUP" && hadTerminal && readProcessStat("self")?.terminal === 0;
      if (STOPPING.has(signal) || isHungUp) return giveUp();
      if (phase === "stopping") signalsWhileStopping.add(signal);
      if (phase !== "starting" || HARMLESS.has(signal)) return;
      if (JOB_STOPS.has(signal)) signalsWhileStarting.push(signal);
      else giveUp();
    },
    /** Must be called once a program runs. @param writeBetween writes to the standard error, between the program's lines */
    started: (pid: number | undefined, writeBetween: (text: string) => void, masked?: MaskedOutputs): void => {
      program = pid;
      write = writeBetween;
      outputs = [
        ...outputs.filter((earlierOutputs) => earlierOutputs.isOpen()),
        ...(masked === undefined ? [] : [masked]),
      ];
      if (masking !== undefined) masked?.maskBy(masking);
      if (phase === "starting") phase = "running";
      if (pid !== undefined) for (const signal of signalsWhileStarting.splice(0)) send(pid, signal);
      if (phase !== "over") stopFollowing ??= follow(restart, (text) => write(text), mask);
    },
    /** Must be called when the program has ended. @returns the next launch; undefined if the launcher must end */
    takeNextLaunch: (end: ProgramEnd): Launch | undefined => {
      program = undefined;
      stopCounting?.();
      const wasKilledByUser = typeof end === "string" && signalsWhileStopping.has(end) && end !== stopSignal;
      const launch = wasKilledByUser ? undefined : next;
      next = undefined;
      signalsWhileStopping.clear();
      if (launch === undefined) giveUp();
      else phase = "starting";
      return launch;
    },
    /**
     * Waits for a request to end that was sent to the program as well, such as Ctrl-C. On a busy machine this process may see the
     * program's end before the signal, since other threads get signals.
     */
    awaitLateSignals: (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATE_SIGNAL_MS)),
    /** Returns the launch of a change since `takeNextLaunch`, if there was one: it may take long to read the output of the former program. */
    takeNewer: (): Launch | undefined => {
      if (phase !== "starting") return undefined;
      const newer = next;
      next = undefined;
      return newer;
    },
    /** Returns false if the user has asked for an end since `takeNextLaunch`. Then the next program must not be started. */
    isWanted: (): boolean => phase !== "over",
    /** Returns true from the request to end until the next program runs. */
    isUnderWay: (): boolean => phase === "stopping" || phase === "starting",
  };
}

/** Prepares another start of the same command. @throws SophiaError if it cannot be started */
async function renewLaunch(firstLaunch: Launch, renewal: Renewal): Promise<Launch> {
  const request = { ...firstLaunch, ...renewal };
  validate(request);
  return { ...request, program: await locate(request) };
}

/** Calls `done` after a time, in which this process was not stopped. @returns the undo */
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
 * Remembers the state of the terminal. A program that was killed may leave it in raw mode, with a process group of its own in the
 * foreground. A shell repairs both between two programs, and so does this process.
 *
 * @returns a function that repairs the terminal after a program; undefined without a terminal, in the background, or without the addon
 */
export async function rememberTerminal(): Promise<((end: ProgramEnd) => void) | undefined> {
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
