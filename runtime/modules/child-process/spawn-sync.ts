/** Runs a program while nothing else runs. */
import { natives } from "../../native.ts";
import { Buffer } from "../buffer.ts";
import { process } from "../process.ts";
import { signalName, signals } from "../signals.ts";
import { startOf, launchChild } from "./start.ts";
import { closeChilds, closeOwn, openStdio } from "./stdio.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly now: () => number;
  readonly read: (descriptor: number, to: Uint8Array, offset: number, length: number, position: number) => number;
  readonly reap: (pid: number) => readonly [status: number, signal: number] | undefined;
  readonly systemError: (error: number, syscall: string) => Error;
  readonly waitForInput: (descriptor: number, milliseconds: number) => boolean;
}

const native = natives<Natives>();

const CHUNK_BYTES = 65_536;
/** The pause between two looks at a child that has closed its output. */
const STEP_MS = 1;
const EINVAL = 22;

interface Result {
  readonly error?: Error;
  readonly pid: number;
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
}

/** Takes no input, and returns the standard output as text: one pipe at most. @throws if more is asked for */
export function spawnSync(file: unknown, args: unknown, given: unknown): Result {
  const start = startOf(file, args, given);
  const { options } = start;
  const stdio = openStdio(options.stdio);
  if (typeof stdio === "number") throw native.systemError(stdio, "spawnSync");
  const pipes = stdio.filter(({ kind }) => kind === "pipe");
  const output = stdio[1]?.own ?? -1;
  if (pipes.length !== 1 || output === -1) {
    closeOwn(stdio);
    closeChilds(stdio);
    throw native.systemError(EINVAL, "spawnSync");
  }
  const pid = launchChild(start, stdio);
  if (pid < 0) {
    native.close(output);
    return {
      error: native.systemError(-pid, `spawnSync ${start.file}`),
      pid: 0,
      status: null,
      signal: null,
      stdout: "",
    };
  }
  const { timeout = 0 } = options;
  const end = timeout > 0 ? native.now() + timeout : Infinity;
  const stdout = readToEnd(output, end);
  let ended = native.reap(pid);
  for (let isKilled = false; ended === undefined; ended = native.reap(pid)) {
    if (!isKilled && native.now() >= end) {
      process.kill(pid, signals["SIGTERM"]);
      isKilled = true;
    }
    // Nothing comes there.
    native.waitForInput(-1, STEP_MS);
  }
  const [status, signal] = ended;
  return { pid, status: signal === 0 ? status : null, signal: signalName(signal) ?? null, stdout };
}

function readToEnd(descriptor: number, end: number): string {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const left = end === Infinity ? -1 : Math.max(0, end - native.now());
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = native.waitForInput(descriptor, left) ? native.read(descriptor, chunk, 0, CHUNK_BYTES, -1) : 0;
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
  }
  native.close(descriptor);
  return Buffer.concat(chunks).toString();
}
