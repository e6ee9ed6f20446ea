/** The function spawnSync of node:child_process, which runs a program, and blocks this process until the program has ended. */
import { natives } from "../../native.ts";
import { Buffer } from "../buffer.ts";
import { process } from "../process.ts";
import { signalName, signals } from "../signals.ts";
import { launchChild, parseSpawnArguments } from "./start.ts";
import { closeChildEnds, closeParentEnds, NO_DESCRIPTOR, openStdio } from "./stdio.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  /** Returns the milliseconds of a clock that only advances. */
  readonly now: () => number;
  /** Reads at the current position of the descriptor if `position` is -1. @returns the number of bytes; 0 at the end */
  readonly read: (descriptor: number, target: Uint8Array, offset: number, length: number, position: number) => number;
  /** Waits for a child without blocking. @returns undefined while the child runs */
  readonly reap: (pid: number) => readonly [status: number, signal: number] | undefined;
  /** @param errno a positive errno */
  readonly systemError: (errno: number, syscall: string) => Error;
  /** Waits for input, without a limit if `milliseconds` is -1. @returns false if none came */
  readonly waitForInput: (descriptor: number, milliseconds: number) => boolean;
}

const native = natives<Natives>();

const CHUNK_BYTES = 65_536;
/** A child that has closed its output may still run. This process then polls for its end. */
const POLLING_INTERVAL_MS = 1;
const EINVAL = 22;

interface SpawnSyncResult {
  readonly error?: Error;
  readonly pid: number;
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
}

/**
 * Runs a program without input, and returns its standard output as text. Unlike in Node.js, the standard output must be a pipe,
 * and no other descriptor may be one.
 *
 * @throws EINVAL if the option `stdio` asks for other pipes
 */
export function spawnSync(file: unknown, args: unknown, givenOptions: unknown): SpawnSyncResult {
  const spawnArguments = parseSpawnArguments(file, args, givenOptions);
  const { stdio: stdioOption, timeout = 0 } = spawnArguments.options;
  const stdio = openStdio(stdioOption);
  if (typeof stdio === "number") throw native.systemError(stdio, "spawnSync");
  const pipeCount = stdio.filter(({ isPipe }) => isPipe).length;
  const outputDescriptor = stdio[1]?.parentDescriptor ?? NO_DESCRIPTOR;
  if (pipeCount !== 1 || outputDescriptor === NO_DESCRIPTOR) {
    closeParentEnds(stdio);
    closeChildEnds(stdio);
    throw native.systemError(EINVAL, "spawnSync");
  }
  const pid = launchChild(spawnArguments, stdio);
  if (pid < 0) {
    native.close(outputDescriptor);
    const error = native.systemError(-pid, `spawnSync ${spawnArguments.file}`);
    return { error, pid: 0, status: null, signal: null, stdout: "" };
  }
  const deadlineMs = timeout > 0 ? native.now() + timeout : Infinity;
  const stdout = readToEnd(outputDescriptor, deadlineMs);
  const [status, signal] = waitForEnd(pid, deadlineMs);
  return { pid, status: signal === 0 ? status : null, signal: signalName(signal) ?? null, stdout };
}

/** Reads until the end of the output or until the deadline, and closes the descriptor. */
function readToEnd(descriptor: number, deadlineMs: number): string {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const milliseconds = deadlineMs === Infinity ? -1 : Math.max(0, deadlineMs - native.now());
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const hasInput = native.waitForInput(descriptor, milliseconds);
    const length = hasInput ? native.read(descriptor, chunk, 0, CHUNK_BYTES, -1) : 0;
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
  }
  native.close(descriptor);
  return Buffer.concat(chunks).toString();
}

/** Waits until the child has ended. At the deadline, the child gets SIGTERM. */
function waitForEnd(pid: number, deadlineMs: number): readonly [status: number, signal: number] {
  let wasSigtermSent = false;
  for (;;) {
    const processEnd = native.reap(pid);
    if (processEnd !== undefined) return processEnd;
    if (!wasSigtermSent && native.now() >= deadlineMs) {
      process.kill(pid, signals["SIGTERM"]);
      wasSigtermSent = true;
    }
    // Sleeps, because there is no descriptor.
    native.waitForInput(NO_DESCRIPTOR, POLLING_INTERVAL_MS);
  }
}
