/**
 * Restarts the program with `--watch`. At a change, this process asks the program to end, kills it after the grace period, and
 * starts it again. spawn.ts loads this file only with `--watch`.
 *
 * The user's signals reach the program as usual. TERM, INT and QUIT also end this process once the program has ended. If the user
 * has killed the program by another signal, it is not restarted either. While no program runs, a signal acts on this process
 * itself.
 */
import { AS_GIVEN } from "../../../native/shared.ts";
import { locate } from "../program/find-executable.ts";
import { validateStrings } from "../program/program-strings.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { loadMaskingAddon } from "../masking/masking-addon.ts";
import { send } from "../signals.ts";
import type { RemoveListeners } from "../event-listeners.ts";
import type { Launch, OutputMasking, ProgramEnd, Renewal, Watch } from "../types.ts";

/** The signals by which the user asks this process and the program to end. */
const STOPPING: ReadonlySet<string> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"]);
/** The signals that have no effect while no program runs. */
const HARMLESS: ReadonlySet<string> = new Set(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGURG", "SIGIO"]);
const JOB_STOPS: ReadonlySet<string> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);

/** The masked outputs of a program. Background processes of the program may write to them after its end. */
interface MaskedOutputs {
  /** Returns true if a background process may still write. */
  readonly hasWriter: () => boolean;
  readonly maskBy: (outputMasking: OutputMasking) => void;
}

/** The grace period is counted in steps of this length, so that it does not pass while the whole job is stopped. */
const STEP_MS = 100;

/**
 * The time within which a signal arrives that was sent when the program ended. The thread that gets it may wait for a processor.
 */
const LATE_SIGNAL_MS = 100;

/** The restarts of one watched program. start-child.ts and spawn.ts report to it what happens to the program. */
export class Restarts {
  readonly #watch: Watch;
  /** The launch whose command each restart starts again. */
  readonly #firstLaunch: Launch;
  readonly #hadTerminal = (readProcessStat("self")?.terminal ?? 0) !== 0;
  /**
   * `stopping`: the program was asked to end. `starting`: the next program is about to start. `over`: there are no more restarts.
   */
  #phase: "running" | "stopping" | "starting" | "over" = "running";
  /** The PID of the program; undefined if none runs. */
  #program: number | undefined;
  #nextLaunch: Launch | undefined;
  #stopFollowing: RemoveListeners | undefined;
  #stopGracePeriod: RemoveListeners | undefined;
  /** The signals that came while the program was stopping: it may have died of one of them. */
  readonly #signalsWhileStopping = new Set<NodeJS.Signals>();
  /** The stop signals that came while no program ran, for the next program. */
  readonly #signalsWhileStarting: NodeJS.Signals[] = [];
  #write: (text: string) => void = () => {};
  /** The outputs of this program, and of earlier ones whose background processes may still write. */
  #outputs: readonly MaskedOutputs[] = [];
  /** The latest masking, if it is newer than the latest renewal. A program that is being started may have an older masking. */
  #masking: OutputMasking | undefined;

  constructor(watch: Watch, firstLaunch: Launch) {
    this.#watch = watch;
    this.#firstLaunch = firstLaunch;
  }

  /** Must be called for each signal of the user. */
  handleSignal(signal: NodeJS.Signals): void {
    if (this.#phase === "over") return;
    const isHungUp = signal === "SIGHUP" && this.#hadTerminal && readProcessStat("self")?.terminal === 0;
    if (STOPPING.has(signal) || isHungUp) return this.#giveUp();
    if (this.#phase === "stopping") this.#signalsWhileStopping.add(signal);
    if (this.#phase !== "starting" || HARMLESS.has(signal)) return;
    if (JOB_STOPS.has(signal)) this.#signalsWhileStarting.push(signal);
    else this.#giveUp();
  }

  /**
   * Must be called once a program runs.
   *
   * @param write writes to the standard error, between the program's lines
   * @param outputs undefined if the program's output is not masked
   */
  handleStart(pid: number | undefined, write: (text: string) => void, outputs: MaskedOutputs | undefined): void {
    this.#program = pid;
    this.#write = write;
    const earlierOutputs = this.#outputs.filter((candidate) => candidate.hasWriter());
    this.#outputs = outputs === undefined ? earlierOutputs : [...earlierOutputs, outputs];
    if (this.#masking !== undefined) outputs?.maskBy(this.#masking);
    if (this.#phase === "starting") this.#phase = "running";
    if (pid !== undefined) for (const signal of this.#signalsWhileStarting.splice(0)) send(pid, signal);
    // The watch goes on during all restarts, so that it is begun only once.
    if (this.#phase !== "over") {
      this.#stopFollowing ??= this.#watch.follow(
        (renewal) => this.#restart(renewal),
        (text) => this.#write(text),
        (outputMasking) => this.#mask(outputMasking),
      );
    }
  }

  /** Must be called when the program has ended. @returns the next launch; undefined if the launcher must end */
  takeNextLaunch(end: ProgramEnd): Launch | undefined {
    this.#program = undefined;
    this.#stopGracePeriod?.();
    const wasKilledByUser =
      typeof end === "string" && this.#signalsWhileStopping.has(end) && end !== this.#watch.signal;
    const launch = wasKilledByUser ? undefined : this.#nextLaunch;
    this.#nextLaunch = undefined;
    this.#signalsWhileStopping.clear();
    if (launch === undefined) this.#giveUp();
    else this.#phase = "starting";
    return launch;
  }

  /**
   * Waits for a request to end that was sent to the program as well, such as Ctrl-C. On a busy machine this process may see the
   * program's end before the signal, since other threads get signals.
   */
  awaitLateSignals(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, LATE_SIGNAL_MS));
  }

  /**
   * Returns the launch of a change since `takeNextLaunch`, if there was one: it may take long to read the former program's output.
   */
  takeNewerLaunch(): Launch | undefined {
    if (this.#phase !== "starting") return undefined;
    const newerLaunch = this.#nextLaunch;
    this.#nextLaunch = undefined;
    return newerLaunch;
  }

  /** Returns false if the user has asked for an end since `takeNextLaunch`. Then the next program must not be started. */
  isWanted(): boolean {
    return this.#phase !== "over";
  }

  /** Returns true from the request to end until the next program runs. */
  isUnderWay(): boolean {
    return this.#phase === "stopping" || this.#phase === "starting";
  }

  async #restart(renewal: Renewal): Promise<void> {
    const launch = await renewLaunch(this.#firstLaunch, renewal);
    this.#masking = undefined;
    if (this.isUnderWay()) {
      this.#nextLaunch = launch;
      return;
    }
    if (this.#phase === "over" || this.#program === undefined) return;
    // The program has ended by itself, and `takeNextLaunch` will be called soon.
    if (readProcessStat(this.#program)?.state === "Z") return;
    this.#phase = "stopping";
    this.#nextLaunch = launch;
    send(this.#program, this.#watch.signal);
    this.#stopGracePeriod = countDown(this.#watch.graceMs, () => {
      if (this.#program !== undefined) send(this.#program, "SIGKILL");
    });
  }

  #mask(outputMasking: OutputMasking): void {
    this.#masking = outputMasking;
    for (const outputs of this.#outputs) outputs.maskBy(outputMasking);
  }

  #giveUp(): void {
    this.#phase = "over";
    this.#nextLaunch = undefined;
    this.#stopGracePeriod?.();
    this.#stopFollowing?.();
  }
}

/** Prepares another start of the same command. @throws SophiaError if it cannot be started */
async function renewLaunch(firstLaunch: Launch, renewal: Renewal): Promise<Launch> {
  const request = { ...firstLaunch, ...renewal };
  validateStrings(request);
  return { ...request, program: await locate(request) };
}

/** Calls back after a time, without the time for which this process was stopped. @returns the undo */
function countDown(ms: number, callback: () => void): RemoveListeners {
  const stepMs = Math.min(ms, STEP_MS);
  let remainingMs = ms;
  const timer = setInterval(() => {
    remainingMs -= stepMs;
    if (remainingMs > 0) return;
    clearInterval(timer);
    callback();
  }, stepMs);
  return () => clearInterval(timer);
}

/**
 * Remembers the state of the terminal. A program that was killed may leave it in raw mode, with a process group of its own in the
 * foreground. A shell repairs both between two programs, and so does this process.
 *
 * @returns a function that repairs the terminal after a program; undefined without a terminal, in the background, or without the
 *   addon
 */
export async function rememberTerminal(): Promise<((end: ProgramEnd) => void) | undefined> {
  const { isatty } = process.getBuiltinModule("node:tty");
  const terminal = [0, 1, 2].find((descriptor) => isatty(descriptor));
  const addon = terminal === undefined ? undefined : loadMaskingAddon();
  const group = readProcessStat("self")?.group;
  if (terminal === undefined || addon === undefined || group === undefined) return undefined;
  if (addon.foregroundGroup(terminal) !== group) return undefined;
  const settings = addon.settingsOf(terminal);
  return (end) => {
    if (addon.foregroundGroup(terminal) !== group) addon.takeForeground(terminal, group);
    if (typeof end === "string" && settings !== undefined) addon.applySettings(terminal, settings, AS_GIVEN);
  };
}
