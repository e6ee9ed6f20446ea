/** A child process, with the events of Node.js in their order. */
import { codedError, systemFailure } from "../../errors.ts";
import { watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { DescriptorStream } from "../descriptor-stream.ts";
import { EventEmitter } from "../events.ts";
import { process } from "../process.ts";
import { signalName, signals } from "../signals.ts";
import { type Start, launchChild } from "./start.ts";
import { closeOwn, openStdio, type Stdio } from "./stdio.ts";

interface Natives {
  readonly errorName: (error: number) => string;
  readonly reap: (pid: number) => readonly [status: number, signal: number] | undefined;
}

const native = natives<Natives>();

/** Errors that a child reports by an event; others are thrown. */
const REPORTED: ReadonlySet<string> = new Set(["EACCES", "EAGAIN", "EMFILE", "ENFILE", "ENOENT"]);
/** There may be no descriptor left for a pipe of this process. */
const WITHOUT_STREAMS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);
const EMPTY = -1;

const running = new Set<ChildProcess>();

function reapEnded(): void {
  for (const child of running) child.reap();
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
  /** Ends of the process and its streams that are to come. */
  #closesLeft = 1;
  /** Keeps the event loop alive. */
  readonly #handle = watch(EMPTY, 0, () => {});

  start(start: Start): this {
    const { file, argv, options } = start;
    this.spawnfile = file;
    this.spawnargs = argv;
    const stdio = this.#orClose(() => openStdio(options.stdio), []);
    if (typeof stdio === "number") return this.#failed(stdio, []);
    if (running.size === 0) process.on("SIGCHLD", reapEnded);
    running.add(this);
    const result = this.#orClose(() => launchChild(start, stdio), stdio);
    if (result < 0) return this.#failed(-result, stdio);
    this.pid = result;
    process.nextTick(() => this.emit("spawn"));
    this.#openStreams(stdio);
    return this;
  }

  /** @returns whether the signal was sent @throws if there is no such signal */
  kill(signal: string | number = "SIGTERM"): boolean {
    const number = signalNumber(signal);
    if (!running.has(this) || this.pid === undefined) return false;
    try {
      process.kill(this.pid, number);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
      this.emit("error", error);
      return false;
    }
    this.killed = true;
    return true;
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  reap(): void {
    const end = this.pid === undefined ? undefined : native.reap(this.pid);
    if (end === undefined) return;
    const [status, signal] = end;
    const name = signalName(signal);
    if (name !== undefined) this.signalCode = name;
    // As a shell says it. Node.js reports 0 for a real-time signal, which has no name.
    else this.exitCode = signal === 0 ? status : 128 + signal;
    this.#end();
    this.emit("exit", this.exitCode, this.signalCode);
    this.#flush();
  }

  #end(): void {
    running.delete(this);
    if (running.size === 0) process.removeListener("SIGCHLD", reapEnded);
    this.#handle.close();
    this.stdin?.destroy();
  }

  /** Calls a function. If it throws, this process keeps neither descriptors nor the event loop for the child. */
  #orClose<Result>(act: () => Result, stdio: readonly Stdio[]): Result {
    try {
      return act();
    } catch (error) {
      closeOwn(stdio);
      this.#end();
      throw error;
    }
  }

  #failed(error: number, stdio: readonly Stdio[]): this {
    const code = native.errorName(error);
    if (!REPORTED.has(code)) {
      closeOwn(stdio);
      this.#end();
      throw systemFailure(-error, "spawn");
    }
    if (WITHOUT_STREAMS.has(code)) closeOwn(stdio);
    else this.#openStreams(stdio);
    process.nextTick(() => {
      this.exitCode = -error;
      this.#end();
      const path = this.spawnfile;
      this.emit(
        "error",
        Object.assign(systemFailure(-error, `spawn ${path}`), { path, spawnargs: this.spawnargs.slice(1) }),
      );
      this.#flush();
    });
    return this;
  }

  #openStreams(stdio: readonly Stdio[]): void {
    this.stdio = stdio.map(({ kind, own }, index) => {
      if (kind !== "pipe") return null;
      const stream = new DescriptorStream(own, { readable: index > 0, isSocket: true });
      if (index > 0) {
        this.#closesLeft += 1;
        stream.on("close", () => this.#closeOne());
      }
      return stream;
    });
    [this.stdin = null, this.stdout = null, this.stderr = null] = this.stdio;
  }

  /** Reads unread streams to their ends. */
  #flush(): void {
    process.nextTick(() => {
      for (const stream of this.stdio) if (stream?.readable === true) stream.resume();
    });
    this.#closeOne();
  }

  #closeOne(): void {
    this.#closesLeft -= 1;
    if (this.#closesLeft === 0) this.emit("close", this.exitCode, this.signalCode);
  }
}

export function signalNumber(signal: string | number): number {
  const number = typeof signal === "number" ? signal : signals[signal];
  if (number !== undefined) return number;
  throw codedError("ERR_UNKNOWN_SIGNAL", `Unknown signal: ${signal}`, TypeError);
}
