/**
 * The global `process` of the executable's runtime. It has only the properties that sophia-run's code uses.
 *
 * This file may be loaded when the executable is built: the memory of a process in which the modules are loaded becomes a part of the
 * executable (runtime/native/image.h). So nothing that differs between processes may be read while this file is loaded. `begin` reads
 * it in each process that starts.
 */
import { EventEmitter } from "./events.ts";
import { signals } from "./signals.ts";
import { catchSignal, nextTick, releaseSignal } from "../loop.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly processor: string;
  /** The command line, of which the first word is the name of this program. */
  readonly words: readonly string[];
  /** Returns the environment, alternately a name and a value, each followed by NUL; undefined if it is empty. */
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
  /** Returns milliseconds of a clock that is never set. */
  readonly now: () => number;
}

const native = natives<Natives>();
/** The result of `native.now()` when this process started. */
let startTime = 0;

/** Variables by which a user configures Node.js for the program. Libraries in sophia-run's code must not act on them. */
const VARIABLES_OF_NODE: ReadonlySet<string> = new Set(["NODE_OPTIONS", "NODE_DEBUG", "NODE_V8_COVERAGE"]);

function readEnvironment(): Record<string, string | undefined> {
  const variables: Record<string, string | undefined> = {};
  const list = native.environment()?.split("\0") ?? [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] ?? "";
    // If a name occurs twice, the first entry wins, as in getenv(3).
    if (!VARIABLES_OF_NODE.has(name) && !Object.hasOwn(variables, name)) variables[name] = list[index + 1];
  }
  return variables;
}

/** No process can catch these two signals. */
const SIGKILL = 9;
const SIGSTOP = 19;

class Process extends EventEmitter {
  readonly platform = "linux";
  readonly arch = native.processor;
  // Some libraries check the version of Node.js.
  readonly version = "v24.0.0";
  readonly versions = { node: "24.0.0" };
  pid = 0;
  argv: string[] = [];
  readonly execArgv: readonly string[] = [];
  readonly execPath = "/proc/self/exe";
  exitCode: number | undefined = undefined;
  #isExiting = false;
  #variables: Record<string, string | undefined> | undefined;

  /** Reads what belongs to this process. Must be called before other code of the process uses this object. */
  begin(): void {
    startTime = native.now();
    this.pid = native.ownId();
    this.argv = ["/proc/self/exe", ...native.words];
  }

  get env(): Record<string, string | undefined> {
    // Without a PID, this is the process that builds the executable, which must not contain that environment.
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

  /** Sets the mask if one is passed, and returns the former mask. */
  umask = (mask?: number): number => {
    // umask(2) can only be read by setting it. Without an argument, the former mask is set again.
    const formerMask = native.setUmask(mask ?? 0);
    if (mask === undefined) native.setUmask(formerMask);
    return formerMask;
  };

  hrtime = (): [number, number] => {
    const now = native.now();
    return [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
  };

  /** Does nothing, because warnings of the runtime are not for the users of sophia-run. */
  emitWarning = (): void => {};

  /** Sends a signal. @throws the system's error, or ERR_UNKNOWN_SIGNAL for an unknown name */
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

/** Counts milliseconds from the start of the process. The engine's own clock starts when the modules are loaded. */
export const performance = { now: (): number => native.now() - startTime };

/** Makes this process catch each signal for which `process` has a listener. Other signals keep their default effect. */
function listenToSignals(): void {
  process.on("newListener", (event: unknown) => {
    const name = String(event);
    const number = signals[name];
    // 'newListener' is emitted before the listener is added, so that the count is 0 for the first listener.
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

/** Handles an error that no code has caught. Without a listener of 'uncaughtException', it throws the error, which ends the process. */
export function handleUncaught(error: unknown): void {
  if (process.listenerCount("uncaughtException") > 0)
    return void process.emit("uncaughtException", error, "uncaughtException");
  throw error;
}
