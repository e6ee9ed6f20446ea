/** The parts of the global `process` that the bundle uses. */
import { EventEmitter } from "./events.ts";
import { signals } from "./signals.ts";
import { catchSignal, nextTick, releaseSignal } from "../loop.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly processor: string;
  /** The command line with this program's name. */
  readonly words: readonly string[];
  /** Returns names and values in turns, separated by NUL. */
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
/** When the process started, by `native.now()`. */
let start = 0;

/** Variables for Node.js itself, which are meant for the program alone. */
const FOR_NODE: ReadonlySet<string> = new Set(["NODE_OPTIONS", "NODE_DEBUG", "NODE_V8_COVERAGE"]);

function environment(): Record<string, string | undefined> {
  const variables: Record<string, string | undefined> = {};
  const list = native.environment()?.split("\0") ?? [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] ?? "";
    // The first of two variables with one name wins, as in getenv(3).
    if (!FOR_NODE.has(name) && !Object.hasOwn(variables, name)) variables[name] = list[index + 1];
  }
  return variables;
}

const SIGKILL = 9;
const SIGSTOP = 19;

class Process extends EventEmitter {
  readonly platform = "linux";
  readonly arch = native.processor;
  // Libraries compare it.
  readonly version = "v24.0.0";
  readonly versions = { node: "24.0.0" };
  pid = 0;
  argv: string[] = [];
  readonly execArgv: readonly string[] = [];
  readonly execPath = "/proc/self/exe";
  exitCode: number | undefined = undefined;
  #isExiting = false;
  #variables: Record<string, string | undefined> | undefined;

  /** Takes what belongs to this process. Modules may be loaded in another one, the build's (image.h). */
  begin(): void {
    start = native.now();
    this.pid = native.ownId();
    this.argv = ["/proc/self/exe", ...native.words];
  }

  get env(): Record<string, string | undefined> {
    if (this.pid === 0) throw new Error("a module reads the environment while it loads");
    return (this.#variables ??= environment());
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

  /** @param mask the present one stays if it is left out */
  umask = (mask?: number): number => {
    const former = native.setUmask(mask ?? 0);
    if (mask === undefined) native.setUmask(former);
    return former;
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

  /** Ends the process without `exit`. The package signal-exit needs it, and replaces it. */
  reallyExit = (status: number): never => native.exit(status);

  /** Ends the process after its last callback. */
  end(): never {
    this.emit("beforeExit", this.exitCode ?? 0);
    return this.exit();
  }
}

export const process = new Process();

/** The engine's own counts from the load of modules. */
export const performance = { now: (): number => native.now() - start };

/** Signals are caught while they have a listener. */
function listenToSignals(): void {
  process.on("newListener", (event: unknown) => {
    const number = signals[String(event)];
    if (number === undefined || process.listenerCount(String(event)) > 0) return;
    if (number === SIGKILL || number === SIGSTOP) {
      throw Object.assign(new Error("uv_signal_start EINVAL"), {
        code: "EINVAL",
        errno: -22,
        syscall: "uv_signal_start",
      });
    }
    const name = String(event);
    catchSignal(number, () => process.emit(name, name, number));
  });
  process.on("removeListener", (event: unknown) => {
    const number = signals[String(event)];
    if (number !== undefined && process.listenerCount(String(event)) === 0) releaseSignal(number);
  });
}

listenToSignals();

/** Handles an error that no code has caught. */
export function uncaught(error: unknown): void {
  if (process.listenerCount("uncaughtException") > 0)
    return void process.emit("uncaughtException", error, "uncaughtException");
  throw error;
}
