/**
 * The class ChildProcess of node:child_process. It emits the events of Node.js in their order:
 *
 *   started   spawn, exit (the process has ended), close (its output streams have ended, too)
 *   failed    error, close
 *
 * The kernel reports the end of any child by SIGCHLD, and several ends may come with one signal. So each SIGCHLD makes all
 * running children ask whether they have ended.
 */
import { codedError, systemFailure } from "../../errors.ts";
import { watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { DescriptorStream } from "../descriptor-stream.ts";
import { EventEmitter } from "../events.ts";
import { process } from "../process.ts";
import { signalName, signals } from "../signals.ts";
import { launchChild, type SpawnArguments } from "./start.ts";
import { closeParentEnds, openStdio, type StdioEntry } from "./stdio.ts";

interface Natives {
  readonly errorName: (error: number) => string;
  /** @returns undefined while the child runs */
  readonly reap: (pid: number) => readonly [status: number, signal: number] | undefined;
}

const native = natives<Natives>();

/** The errors of a start that the child emits as an event. `start` throws all others. */
const EMITTED_ERRORS: ReadonlySet<string> = new Set(["EACCES", "EAGAIN", "EMFILE", "ENFILE", "ENOENT"]);
/** After these errors the child has no streams, because the system may have no descriptors for them. */
const ERRORS_OF_DESCRIPTORS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);
const NO_DESCRIPTOR = -1;

const runningChildren = new Set<ChildProcess>();

function reapEndedChildren(): void {
  for (const child of runningChildren) child.reap();
}

export class ChildProcess extends EventEmitter {
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: string | null = null;
  killed = false;
  spawnfile = "";
  spawnargs: readonly string[] = [];
  stdin: DescriptorStream | null = null;
  stdout: DescriptorStream | null = null;
  stderr: DescriptorStream | null = null;
  stdio: readonly (DescriptorStream | null)[] = [];
  /** The number of ends that must come before the event `close`: that of the process, and one of each output stream. */
  #pendingEnds = 1;
  /** Watches nothing, but keeps the event loop alive until the child has ended. */
  readonly #loopReference = watch(NO_DESCRIPTOR, 0, () => {});

  /** @throws an error of the system that is not emitted as an event, and for an invalid option `stdio` */
  start(spawnArguments: SpawnArguments): this {
    const { file, argv, options } = spawnArguments;
    this.spawnfile = file;
    this.spawnargs = argv;
    const stdio = this.#endIfThrown([], () => openStdio(options.stdio));
    if (typeof stdio === "number") return this.#fail(stdio, []);
    if (runningChildren.size === 0) process.on("SIGCHLD", reapEndedChildren);
    runningChildren.add(this);
    const result = this.#endIfThrown(stdio, () => launchChild(spawnArguments, stdio));
    if (result < 0) return this.#fail(-result, stdio);
    this.pid = result;
    process.nextTick(() => this.emit("spawn"));
    this.#openStreams(stdio);
    return this;
  }

  /** @returns true if the signal was sent @throws for an unknown signal */
  kill(signal: string | number = "SIGTERM"): boolean {
    const number = signalNumber(signal);
    if (!runningChildren.has(this) || this.pid === undefined) return false;
    try {
      process.kill(this.pid, number);
    } catch (error) {
      // The child has ended, but its SIGCHLD has not been handled yet.
      if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
      this.emit("error", error);
      return false;
    }
    this.killed = true;
    return true;
  }

  ref(): void {
    this.#loopReference.ref();
  }

  unref(): void {
    this.#loopReference.unref();
  }

  /** Asks the kernel whether the child has ended, and emits `exit` if it has. */
  reap(): void {
    const end = this.pid === undefined ? undefined : native.reap(this.pid);
    if (end === undefined) return;
    const [status, signal] = end;
    const name = signalName(signal);
    if (name !== undefined) this.signalCode = name;
    // Real-time signals have no names. Their status is that of a shell, while Node.js reports 0.
    else this.exitCode = signal === 0 ? status : 128 + signal;
    this.#end();
    this.emit("exit", this.exitCode, this.signalCode);
    this.#finishStreams();
  }

  #end(): void {
    runningChildren.delete(this);
    if (runningChildren.size === 0) process.removeListener("SIGCHLD", reapEndedChildren);
    this.#loopReference.close();
    this.stdin?.destroy();
  }

  /** Calls a function. If it throws, this process keeps neither descriptors nor the event loop for the child. */
  #endIfThrown<Result>(stdio: readonly StdioEntry[], call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      closeParentEnds(stdio);
      this.#end();
      throw error;
    }
  }

  /** Ends a child that could not be started. @param error the system's number */
  #fail(error: number, stdio: readonly StdioEntry[]): this {
    const code = native.errorName(error);
    if (!EMITTED_ERRORS.has(code)) {
      closeParentEnds(stdio);
      this.#end();
      throw systemFailure(-error, "spawn");
    }
    // As in Node.js, a caller can use the streams of a child that failed. They end at once.
    if (ERRORS_OF_DESCRIPTORS.has(code)) closeParentEnds(stdio);
    else this.#openStreams(stdio);
    process.nextTick(() => {
      this.exitCode = -error;
      this.#end();
      const path = this.spawnfile;
      const failure = systemFailure(-error, `spawn ${path}`);
      this.emit("error", Object.assign(failure, { path, spawnargs: this.spawnargs.slice(1) }));
      this.#finishStreams();
    });
    return this;
  }

  #openStreams(stdio: readonly StdioEntry[]): void {
    this.stdio = stdio.map(({ isPipe, parentDescriptor }, index) => {
      if (!isPipe) return null;
      const isInput = index === 0;
      const stream = new DescriptorStream(parentDescriptor, { readable: !isInput, isSocket: true });
      if (!isInput) {
        this.#pendingEnds += 1;
        stream.on("close", () => this.#countEnd());
      }
      return stream;
    });
    [this.stdin = null, this.stdout = null, this.stderr = null] = this.stdio;
  }

  /** Counts the end of the process, and reads the streams that the caller does not read to their ends. */
  #finishStreams(): void {
    process.nextTick(() => {
      for (const stream of this.stdio) if (stream?.readable === true) stream.resume();
    });
    this.#countEnd();
  }

  #countEnd(): void {
    this.#pendingEnds -= 1;
    if (this.#pendingEnds === 0) this.emit("close", this.exitCode, this.signalCode);
  }
}

/** Returns the number of a signal that is given by name or number. @throws an Error of Node.js for an unknown name */
export function signalNumber(signal: string | number): number {
  const number = typeof signal === "number" ? signal : signals[signal];
  if (number !== undefined) return number;
  throw codedError("ERR_UNKNOWN_SIGNAL", `Unknown signal: ${signal}`, TypeError);
}
