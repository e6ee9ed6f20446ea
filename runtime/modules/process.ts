/**
 * The parts of the global `process` that the bundle uses. Modules are loaded in the process that builds the executable, whose
 * memory becomes a part of it (runtime/native/image.h); `begin` takes what belongs to the process that runs.
 */
import { EventEmitter } from "./events.ts";
import { signals } from "./signals.ts";
import { catchSignal, nextTick, releaseSignal } from "../loop.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly processor: string;
  /** The command line, which begins with the name of this program. */
  readonly words: readonly string[];
  /** Returns names and values in turn, separated by null bytes; undefined without variables. */
  readonly environment: () => string | undefined;
  readonly workingDirectory: () => string;
  readonly changeFolder: (path: string) => void;
  readonly ownId: () => number;
  readonly parentId: () => number;
  readonly userId: () => number;
  readonly effectiveUserId: () => number;
  readonly groupId: () => number;
  readonly setUmask: (mask: number) => number;
  readonly sendSignal: (pid: number, signal: number) => void;
  readonly exit: (status: number) => never;
  readonly abort: () => never;
  readonly now: () => number;
}

const native = natives<Natives>();
/** The time at which the process started, by `native.now()`. */
let startTime = 0;

/** Variables by which a user configures Node.js. They are meant for the program, and the bundle must not act on them. */
const VARIABLES_OF_NODE: ReadonlySet<string> = new Set(["NODE_OPTIONS", "NODE_DEBUG", "NODE_V8_COVERAGE"]);

function readEnvironment(): Record<string, string | undefined> {
  const variables: Record<string, string | undefined> = {};
  const list = native.environment()?.split("\0") ?? [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] ?? "";
    // If two variables have one name, the first is used, as in getenv(3).
    if (!VARIABLES_OF_NODE.has(name) && !Object.hasOwn(variables, name)) variables[name] = list[index + 1];
  }
  return variables;
}

const SIGKILL = 9;
const SIGSTOP = 19;

class Process extends EventEmitter {
  readonly platform = "linux";
  readonly arch = native.processor;
  // Some libraries check this version.
  readonly version = "v24.0.0";
  readonly versions = { node: "24.0.0" };
  pid = 0;
  argv: string[] = [];
  readonly execArgv: readonly string[] = [];
  readonly execPath = "/proc/self/exe";
  exitCode: number | undefined = undefined;
  #isExiting = false;
  #variables: Record<string, string | undefined> | undefined;

  /** Must be called first in the process that runs, because modules may have been loaded in the process of the build. */
  begin(): void {
    startTime = native.now();
    this.pid = native.ownId();
    this.argv = ["/proc/self/exe", ...native.words];
  }

  get env(): Record<string, string | undefined> {
    // The environment of the build must not get into the executable.
    if (this.pid === 0) throw new Error("a module reads the environment while it loads");
    return (this.#variables ??= readEnvironment());
  }

  get ppid(): number {
    return native.parentId();
  }

  readonly nextTick = (callback: (...args: readonly unknown[]) => void, ...args: readonly unknown[]): void =>
    nextTick(args.length === 0 ? callback : { run: callback, values: args });

  cwd = (): string => native.workingDirectory();
  chdir = (folder: string): void => native.changeFolder(folder);
  getuid = (): number => native.userId();
  geteuid = (): number => native.effectiveUserId();
  getgid = (): number => native.groupId();
  uptime = (): number => performance.now() / 1000;

  /** Sets the mask if there is one, and returns the mask before. */
  umask = (mask?: number): number => {
    // umask(2) can only be read by setting it.
    const formerMask = native.setUmask(mask ?? 0);
    if (mask === undefined) native.setUmask(formerMask);
    return formerMask;
  };

  hrtime = (): [number, number] => {
    const now = native.now();
    return [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
  };

  emitWarning = (): void => {};

  /** @throws the system's error, or ERR_UNKNOWN_SIGNAL */
  kill = (pid: number, signal: string | number = "SIGTERM"): true => {
    const number = typeof signal === "number" ? signal : signals[signal];
    if (number === undefined) {
      throw Object.assign(new TypeError(`Unknown signal: ${signal}`), { code: "ERR_UNKNOWN_SIGNAL" });
    }
    native.sendSignal(pid, number);
    return true;
  };

  abort = (): never => native.abort();

  exit = (status: number | undefined = this.exitCode): never => {
    if (status !== undefined) this.exitCode = status;
    if (!this.#isExiting) {
      this.#isExiting = true;
      this.emit("exit", this.exitCode ?? 0);
    }
    return this.reallyExit(this.exitCode ?? 0);
  };

  /** Ends the process without the event 'exit'. The package signal-exit replaces this method. */
  reallyExit = (status: number): never => native.exit(status);

  /** Ends the process when the event loop has nothing more to do. */
  end(): never {
    this.emit("beforeExit", this.exitCode ?? 0);
    return this.exit();
  }
}

export const process = new Process();

/** Counts from the start of the process. The engine's own clock counts from the load of modules. */
export const performance = { now: (): number => native.now() - startTime };

/** Catches each signal while it has a listener. */
function listenToSignals(): void {
  process.on("newListener", (event: unknown) => {
    const name = String(event);
    const number = signals[name];
    if (number === undefined || process.listenerCount(name) > 0) return;
    if (number === SIGKILL || number === SIGSTOP) {
      throw Object.assign(new Error("uv_signal_start EINVAL"), {
        code: "EINVAL",
        errno: -22,
        syscall: "uv_signal_start",
      });
    }
    catchSignal(number, () => process.emit(name, name, number));
  });
  process.on("removeListener", (event: unknown) => {
    const name = String(event);
    const number = signals[name];
    if (number !== undefined && process.listenerCount(name) === 0) releaseSignal(number);
  });
}

listenToSignals();

/** Handles an error that no code has caught. Without a listener for 'uncaughtException' it ends the process. */
export function handleUncaught(error: unknown): void {
  if (process.listenerCount("uncaughtException") > 0)
    return void process.emit("uncaughtException", error, "uncaughtException");
  throw error;
}
