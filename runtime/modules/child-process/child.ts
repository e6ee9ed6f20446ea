/**
 * The class ChildProcess of node:child_process. It emits the events of Node.js in their order:
 *
 *   if the child was started    spawn, exit (the process has ended), close (its output streams have ended, too)
 *   if it could not be started  error, close
 *
 * When a child ends, the kernel sends SIGCHLD to this process. One signal may report the ends of several children. So after each
 * SIGCHLD, every ChildProcess that is running asks the kernel whether its child has ended (waitpid(2)).
 */
import { codedError, systemFailure } from "../../errors.ts";
import { watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { DescriptorStream } from "../descriptor-stream.ts";
import { EventEmitter } from "../events.ts";
import { process } from "../process.ts";
import { signalName, signals } from "../signals.ts";
import { launchChild, type SpawnArguments } from "./start.ts";
import { closeParentEnds, NO_DESCRIPTOR, openStdio, type StdioEntry } from "./stdio.ts";

interface Natives {
  /** Returns a name such as ENOENT. @param errno a positive errno */
  readonly errorName: (errno: number) => string;
  /** Waits for a child without blocking. @returns undefined while the child runs */
  readonly reap: (pid: number) => readonly [status: number, signal: number] | undefined;
}

const native = natives<Natives>();

/** The errors of a start that Node.js emits as events. `start` throws all others. */
const EMITTED_ERRORS: ReadonlySet<string> = new Set(["EACCES", "EAGAIN", "EMFILE", "ENFILE", "ENOENT"]);
/** The errors after which the child has no streams, because there are too few descriptors. */
const DESCRIPTOR_ERRORS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

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
  /** The number of ends that must precede the event `close`: the end of the process, and the end of each output stream. */
  #pendingEnds = 1;
  /** Keeps the event loop alive until the child has ended. It watches no descriptor. */
  readonly #loopReference = watch(NO_DESCRIPTOR, 0, () => {});

  /** @throws the errors of the system that are not in EMITTED_ERRORS, and an error for an invalid option `stdio` */
  start(spawnArguments: SpawnArguments): this {
    const { file, argv, options } = spawnArguments;
    this.spawnfile = file;
    this.spawnargs = argv;
    const stdio = this.#cleanUpIfThrown([], () => openStdio(options.stdio));
    if (typeof stdio === "number") return this.#failToStart(stdio, []);
    // The listener comes before the child, so that no SIGCHLD is missed.
    if (runningChildren.size === 0) process.on("SIGCHLD", reapEndedChildren);
    runningChildren.add(this);
    const result = this.#cleanUpIfThrown(stdio, () => launchChild(spawnArguments, stdio));
    if (result < 0) return this.#failToStart(-result, stdio);
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
    const processEnd = this.pid === undefined ? undefined : native.reap(this.pid);
    if (processEnd === undefined) return;
    const [status, signal] = processEnd;
    const name = signalName(signal);
    if (name !== undefined) this.signalCode = name;
    // A real-time signal has no name. The status is then the one that a shell reports, while Node.js reports 0.
    else this.exitCode = signal === 0 ? status : 128 + signal;
    this.#stopWatching();
    this.emit("exit", this.exitCode, this.signalCode);
    this.#finishStreams();
  }

  /** Stops waiting for the end of the child, which has ended or was never started. */
  #stopWatching(): void {
    runningChildren.delete(this);
    if (runningChildren.size === 0) process.removeListener("SIGCHLD", reapEndedChildren);
    this.#loopReference.close();
    this.stdin?.destroy();
  }

  /** Runs one step of the start. If the step throws, closes this process's ends of the pipes, and stops waiting for the child. */
  #cleanUpIfThrown<Result>(stdio: readonly StdioEntry[], runStep: () => Result): Result {
    try {
      return runStep();
    } catch (error) {
      closeParentEnds(stdio);
      this.#stopWatching();
      throw error;
    }
  }

  /** Reports that the child could not be started. @param errno a positive errno */
  #failToStart(errno: number, stdio: readonly StdioEntry[]): this {
    const code = native.errorName(errno);
    if (!EMITTED_ERRORS.has(code)) {
      closeParentEnds(stdio);
      this.#stopWatching();
      throw systemFailure(-errno, "spawn");
    }
    // As in Node.js, the caller can use the streams of a child that could not be started. They end at once.
    if (DESCRIPTOR_ERRORS.has(code)) closeParentEnds(stdio);
    else this.#openStreams(stdio);
    process.nextTick(() => {
      // As in Node.js.
      this.exitCode = -errno;
      this.#stopWatching();
      const path = this.spawnfile;
      const failure = systemFailure(-errno, `spawn ${path}`);
      this.emit("error", Object.assign(failure, { path, spawnargs: this.spawnargs.slice(1) }));
      this.#finishStreams();
    });
    return this;
  }

  #openStreams(stdio: readonly StdioEntry[]): void {
    this.stdio = stdio.map(({ isPipe, parentDescriptor }, index) => {
      if (!isPipe) return null;
      // The child reads descriptor 0, and writes all others.
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

  /** Counts the end of the process. Reads and drops what the caller does not read, because `close` waits for all streams. */
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

/** Returns the number of a signal that is given by name or number. @throws an error such as Node.js throws for an unknown name */
export function signalNumber(signal: string | number): number {
  const number = typeof signal === "number" ? signal : signals[signal];
  if (number !== undefined) return number;
  throw codedError("ERR_UNKNOWN_SIGNAL", `Unknown signal: ${signal}`, TypeError);
}
