import { fstatSync, readlinkSync, type Stats } from "node:fs";
import { constants } from "node:fs";
import { initialEnvironment } from "../../system/own-environment.ts";
import { openFlags } from "../proc/descriptors.ts";
import type { RedactAddon } from "./addon.ts";

/** One stream of output. */
export interface Output {
  /** The descriptors of the program that share it. */
  readonly descriptors: readonly [1 | 2, ...(1 | 2)[]];
  readonly kind: "terminal" | "file" | "stream";
  /** The path of a regular file, if the system tells it. */
  readonly file?: string;
}

/** The access mode among the flags of open(2). */
const O_ACCMODE = 3;
/** The major number of /dev/null, /dev/full and the like (Linux): nobody reads there what was written. */
const MEMORY_DEVICES = 1;

/**
 * Returns the standard output and error, unless nobody can read them. If both are the same pipe, terminal or open file
 * (`2>&1`), one stream carries both, so that the order of writing stays.
 */
export function planOutputs(addon: Pick<RedactAddon, "isSameOpenFile"> | undefined): readonly Output[] {
  const [out, err] = [examine(1), examine(2)];
  if (out === undefined || err === undefined || !isShared(out, err, addon)) {
    return [out, err].flatMap((one) => (one === undefined ? [] : [outputOf(one, [one.descriptor])]));
  }
  return [outputOf(out, [1, 2])];
}

/** Returns true if all three standard streams are the controlling terminal: then its keys are the program's. */
export function isWholeTerminal(
  outputs: readonly Output[],
  addon: Pick<RedactAddon, "foregroundGroup"> | undefined,
): boolean {
  const [only, other] = outputs;
  if (addon === undefined || only?.kind !== "terminal" || only.descriptors.length < 2 || other !== undefined)
    return false;
  const [input, output] = [fstatSync(0), fstatSync(1)];
  return input.isCharacterDevice() && input.rdev === output.rdev && addon.foregroundGroup(1) !== -1;
}

interface Examined {
  readonly descriptor: 1 | 2;
  readonly stats: Stats;
}

/** @returns undefined if the descriptor is closed, is for reading only, leads nowhere, or is an IPC channel */
function examine(descriptor: 1 | 2): Examined | undefined {
  let stats: Stats;
  try {
    stats = fstatSync(descriptor);
  } catch {
    return undefined;
  }
  if (stats.isCharacterDevice() && process.platform === "linux" && stats.rdev >> 8 === MEMORY_DEVICES) return undefined;
  // Messages, and no text: the program has the channel to a Node.js parent as it is.
  if (stats.isSocket() && initialEnvironment().get("NODE_CHANNEL_FD") === String(descriptor)) return undefined;
  const flags = openFlags(descriptor);
  if (flags !== undefined && (flags & O_ACCMODE) === constants.O_RDONLY) return undefined;
  return { descriptor, stats };
}

function isShared(one: Examined, other: Examined, addon: Pick<RedactAddon, "isSameOpenFile"> | undefined): boolean {
  if (one.stats.dev !== other.stats.dev || one.stats.ino !== other.stats.ino) return false;
  if (!one.stats.isFile()) return true;
  // Opened twice, a file has two offsets, unless both append.
  const appends = [1, 2].every((descriptor) => ((openFlags(descriptor) ?? 0) & constants.O_APPEND) !== 0);
  return appends || addon === undefined || addon.isSameOpenFile(one.descriptor, other.descriptor) === 1;
}

function outputOf({ descriptor, stats }: Examined, descriptors: Output["descriptors"]): Output {
  if (stats.isFile()) return { descriptors, kind: "file", ...pathOf(descriptor) };
  const { isatty } = process.getBuiltinModule("node:tty");
  return { descriptors, kind: stats.isCharacterDevice() && isatty(descriptor) ? "terminal" : "stream" };
}

function pathOf(descriptor: number): { readonly file?: string } {
  try {
    return { file: readlinkSync(`/proc/self/fd/${descriptor}`) };
  } catch {
    return {};
  }
}
