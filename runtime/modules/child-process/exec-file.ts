/** The function execFile of node:child_process, which runs a program, and calls back with its whole output. */
import { codedError, invalidValue } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import { natives } from "../../native.ts";
import { clearTimeout, setTimeout } from "../timers.ts";
import { parseSpawnArguments, type SpawnOptions } from "./start.ts";
import { ChildProcess, signalNumber } from "./child.ts";

interface Natives {
  /** Returns a name such as ENOENT. @param errno a positive errno */
  readonly errorName: (errno: number) => string;
}

const native = natives<Natives>();

interface ExecFileOptions extends SpawnOptions {
  /** If it is null or "buffer", the callback gets bytes. */
  readonly encoding?: BufferEncoding | "buffer" | null;
  /** The number of bytes that the child may write to each of its two outputs. A child that writes more is killed. */
  readonly maxBuffer?: number;
}

type Output = string | Uint8Array;
type ExecFileCallback = (error: Error | null, stdout: Output, stderr: Output) => void;

/** The default of Node.js for `maxBuffer`. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Takes (file, args, options, callback), of which args and options may be missing. Calls back once, when the child and its
 * output have ended. The error is null only if the child's status is 0.
 */
export function execFile(file: unknown, ...furtherArguments: readonly unknown[]): ChildProcess {
  const callback = furtherArguments.at(-1);
  if (!isCallback(callback)) throw invalidValue("callback", callback);
  const [args, givenOptions] = furtherArguments.slice(0, -1);
  const spawnArguments = parseSpawnArguments(file, args, givenOptions);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node.js describe what callers pass
  const options = spawnArguments.options as ExecFileOptions;
  // An unknown signal is refused before the child runs.
  signalNumber(options.killSignal ?? "SIGTERM");
  const child = new ChildProcess().start({ ...spawnArguments, options: { ...options, stdio: "pipe" } });
  const command = [spawnArguments.file, ...spawnArguments.argv.slice(1)].join(" ");
  new OutputCollector(child, command, options, callback).collect();
  return child;
}

/** Collects the output of a child that is running, and calls back when the child has ended. */
class OutputCollector {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #options: ExecFileOptions;
  readonly #callback: ExecFileCallback;
  #failure: Error | undefined;
  /** True if the child was sent `killSignal`, because of its timeout or too much output. */
  #wasStopped = false;
  #hasCalledBack = false;

  constructor(child: ChildProcess, command: string, options: ExecFileOptions, callback: ExecFileCallback) {
    this.#child = child;
    this.#command = command;
    this.#options = options;
    this.#callback = callback;
  }

  collect(): void {
    const { timeout = 0 } = this.#options;
    const readStdout = this.#collectStream("stdout");
    const readStderr = this.#collectStream("stderr");
    const timer = timeout > 0 ? setTimeout(() => this.#stopChild(), timeout) : undefined;
    const finish = (status: number, signal: string | null): void => {
      clearTimeout(timer);
      this.#callBack(status, signal, readStdout(), readStderr());
    };
    this.#child.on("close", finish);
    this.#child.on("error", (error) => {
      this.#failure = error;
      this.#closeOutput();
      finish(0, null);
    });
  }

  /** @returns a function that returns the bytes that have come so far, up to `maxBuffer` */
  #collectStream(name: "stdout" | "stderr"): () => Buffer {
    const { maxBuffer = MAX_OUTPUT_BYTES } = this.#options;
    const chunks: Uint8Array[] = [];
    let length = 0;
    this.#child[name]?.on("data", (chunk: Uint8Array) => {
      const bytesAllowed = Math.max(0, maxBuffer - length);
      chunks.push(chunk.subarray(0, bytesAllowed));
      length += chunk.length;
      if (length <= maxBuffer) return;
      const message = `${name} maxBuffer length exceeded`;
      this.#failure ??= codedError("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", message, RangeError);
      this.#stopChild();
    });
    return () => Buffer.concat(chunks);
  }

  /** Sends `killSignal`. As in Node.js, the output ends at once, even if the child or its children keep the pipes open. */
  #stopChild(): void {
    this.#closeOutput();
    this.#wasStopped = true;
    this.#child.kill(this.#options.killSignal ?? "SIGTERM");
  }

  #closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** @param status the exit status of the child; a negative errno if it could not be started */
  #callBack(status: number, signal: string | null, stdoutBytes: Buffer, stderrBytes: Buffer): void {
    // A child that could not be started emits both 'error' and 'close'.
    if (this.#hasCalledBack) return;
    this.#hasCalledBack = true;
    const stdout = this.#decode(stdoutBytes);
    const stderr = this.#decode(stderrBytes);
    if (this.#failure === undefined && (status !== 0 || signal !== null)) {
      const code = status < 0 ? native.errorName(-status) : status;
      const killed = this.#child.killed || this.#wasStopped;
      const message = `Command failed: ${this.#command}\n${String(stderr)}`;
      this.#failure = Object.assign(new Error(message), { code, killed, signal });
    }
    if (this.#failure !== undefined) Object.assign(this.#failure, { cmd: this.#command });
    this.#callback(this.#failure ?? null, stdout, stderr);
  }

  #decode(bytes: Buffer): Output {
    const { encoding = "utf8" } = this.#options;
    return encoding === null || encoding === "buffer" ? bytes : bytes.toString(encoding);
  }
}

function isCallback(value: unknown): value is ExecFileCallback {
  return typeof value === "function";
}
