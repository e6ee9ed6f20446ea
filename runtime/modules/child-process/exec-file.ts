/** Runs a program and collects its output. */
import { codedError, invalidValue } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import type { DescriptorStream } from "../descriptor-stream.ts";
import { natives } from "../../native.ts";
import { clearTimeout, setTimeout } from "../timers.ts";
import { startOf, type SpawnOptions } from "./start.ts";
import { ChildProcess, signalNumber } from "./child.ts";

interface Natives {
  readonly errorName: (error: number) => string;
}

const native = natives<Natives>();

interface Options extends SpawnOptions {
  /** "buffer": the output is bytes. */
  readonly encoding?: BufferEncoding | "buffer" | null;
  /** The largest number of bytes of each output. */
  readonly maxBuffer?: number;
}

type Output = string | Uint8Array;
type Callback = (error: Error | null, stdout: Output, stderr: Output) => void;

const MEBIBYTE = 1024 * 1024;

/** Calls back once when the child and its output have ended, with an error unless its status is 0. */
export function execFile(file: unknown, ...rest: readonly unknown[]): ChildProcess {
  const callback = rest.at(-1);
  if (!isCallback(callback)) throw invalidValue("callback", callback);
  const [args, given] = rest.slice(0, -1);
  const start = startOf(file, args, given);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node.js describe what callers pass
  const options = start.options as Options;
  const { encoding = "utf8", killSignal = "SIGTERM", maxBuffer = MEBIBYTE, timeout = 0 } = options;
  signalNumber(killSignal);
  const child = new ChildProcess().start({ ...start, options: { ...options, stdio: "pipe" } });
  const text = encoding === null || encoding === "buffer" ? undefined : encoding;
  let failure: Error | undefined;
  let isKilled = false;
  let isOver = false;
  const stop = (): void => {
    child.stdout?.destroy();
    child.stderr?.destroy();
    isKilled = true;
    child.kill(killSignal);
  };
  const tooLong = (name: string) => (): void => {
    const message = `${name} maxBuffer length exceeded`;
    failure ??= codedError("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", message, RangeError);
    stop();
  };
  const stdout = collect(child.stdout, maxBuffer, tooLong("stdout"));
  const stderr = collect(child.stderr, maxBuffer, tooLong("stderr"));
  const timer = timeout > 0 ? setTimeout(stop, timeout) : undefined;
  const end = (status: number, signal: string | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    const [output, errors] = [stdout, stderr].map((read) => (text === undefined ? read() : read().toString(text)));
    const command = [start.file, ...start.argv.slice(1)].join(" ");
    if (failure === undefined && (status !== 0 || signal !== null)) {
      const code = status < 0 ? native.errorName(-status) : status;
      const killed = child.killed || isKilled;
      failure = Object.assign(new Error(`Command failed: ${command}\n${String(errors)}`), { code, killed, signal });
    }
    if (failure !== undefined) Object.assign(failure, { cmd: command });
    callback(failure ?? null, output ?? "", errors ?? "");
  };
  child.on("close", end);
  child.on("error", (error) => {
    failure = error;
    child.stdout?.destroy();
    child.stderr?.destroy();
    end(0, null);
  });
  return child;
}

function isCallback(value: unknown): value is Callback {
  return typeof value === "function";
}

function collect(stream: DescriptorStream | null, most: number, exceeded: () => void): () => Buffer {
  const chunks: Uint8Array[] = [];
  let length = 0;
  stream?.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk.subarray(0, Math.max(0, most - length)));
    length += chunk.length;
    if (length > most) exceeded();
  });
  return () => Buffer.concat(chunks);
}
