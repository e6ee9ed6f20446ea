/** The program's standard output and standard error: which of them are masked, and what stands in front of each. */
import { constants, fstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import { loader } from "../../system/addon/addon.ts";
import { errorName } from "../../system/errors.ts";
import { limitOf } from "../../system/limits.ts";
import { initialEnvironment } from "../../system/own-environment.ts";
import { openFlags } from "../proc/descriptors.ts";
import type { MaskingAddon } from "./masking-addon.ts";
import { closeQuietly } from "./io.ts";
import { readFrom, type Source } from "./source.ts";
import { cannotMask, duplicate, type System } from "./masking-system.ts";

export interface Output {
  /** The descriptors of the program that share it. */
  readonly descriptors: readonly [1 | 2, ...(1 | 2)[]];
  readonly kind: "terminal" | "file" | "stream";
  /** The path of a regular file, if /proc has it. */
  readonly file?: string;
}

const O_ACCMODE = 3;
/** The major number of /dev/null, /dev/full and the like (Linux), which have no reader. */
const MEMORY_DEVICES = 1;

/** Returns the outputs that have a reader: one for both, to keep their order, if they share pipe, terminal or open file. */
export function planOutputs(addon: Pick<MaskingAddon, "isSameOpenFile"> | undefined): readonly Output[] {
  const [out, err] = [examine(1), examine(2)];
  if (out !== undefined && err !== undefined && isShared(out, err, addon)) return [outputOf(out, [1, 2])];
  return [out, err].flatMap((one) => (one === undefined ? [] : [outputOf(one, [one.descriptor])]));
}

/** Returns true if all three standard streams are the controlling terminal: then the program gets the keys. */
export function isWholeTerminal(
  outputs: readonly Output[],
  addon: Pick<MaskingAddon, "foregroundGroup"> | undefined,
): boolean {
  const [only] = outputs;
  if (addon === undefined || only?.kind !== "terminal" || only.descriptors.length < 2) return false;
  const [input, output] = [fstatSync(0), fstatSync(1)];
  return input.isCharacterDevice() && input.rdev === output.rdev && addon.foregroundGroup(1) !== -1;
}

interface Examined {
  readonly descriptor: 1 | 2;
  readonly stats: Stats;
}

/** @returns undefined if the descriptor is closed, read-only, has no reader, or is an IPC channel */
function examine(descriptor: 1 | 2): Examined | undefined {
  let stats: Stats;
  try {
    stats = fstatSync(descriptor);
  } catch {
    return undefined;
  }
  if (stats.isCharacterDevice() && process.platform === "linux" && stats.rdev >> 8 === MEMORY_DEVICES) return undefined;
  const variables = loader?.channel ?? initialEnvironment();
  if (stats.isSocket() && variables.get("NODE_CHANNEL_FD") === String(descriptor)) return undefined;
  const flags = openFlags(descriptor);
  if (flags !== undefined && (flags & O_ACCMODE) === constants.O_RDONLY) return undefined;
  return { descriptor, stats };
}

function isShared(out: Examined, err: Examined, addon: Pick<MaskingAddon, "isSameOpenFile"> | undefined): boolean {
  if (out.stats.dev !== err.stats.dev || out.stats.ino !== err.stats.ino) return false;
  if (!out.stats.isFile()) return true;
  // A file that was opened twice has two offsets, which matter unless both append.
  const appends = [1, 2].every((descriptor) => ((openFlags(descriptor) ?? 0) & constants.O_APPEND) !== 0);
  return appends || addon === undefined || addon.isSameOpenFile(out.descriptor, err.descriptor) === 1;
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

/** An output with a pipe or a pseudo-terminal in front of it, before the program runs. */
export interface Prepared {
  readonly output: Output;
  /** The descriptor to which masked output is written. */
  readonly target: number;
  /** undefined if Node.js makes the pipe when it starts the program. */
  readonly source: Source | undefined;
  readonly programSide: number | "pipe";
  readonly isTerminal: boolean;
}

/** @throws SophiaError (system-limit, redact-pipe or redact-terminal, 125) */
export function prepare(output: Output, insists: boolean, isWhole: boolean, system: System | undefined): Prepared {
  const [target] = output.descriptors;
  const ends = output.kind === "terminal" ? system?.addon.makeTerminal(target, isWhole ? 0 : 1) : undefined;
  const isTerminal = typeof ends === "object";
  const error = typeof ends === "number" ? errorName(ends) : undefined;
  if (error !== undefined && limitOf(error) !== undefined) throw cannotMask(error);
  if (output.kind === "terminal" && !isTerminal && insists) {
    throw new SophiaError({
      code: "redact-terminal",
      message: `--redact cannot open a pseudo-terminal for the program${error === undefined ? "" : ` (${error})`}`,
      hint: "send the output through a pipe (| cat), or use --redact=never",
    });
  }
  if (system === undefined) return { output, target, source: undefined, programSide: "pipe", isTerminal: false };
  const { addon, watcher } = system;
  const pair = isTerminal ? ends : addon.makePipe();
  if (typeof pair === "number") throw cannotMask(errorName(pair));
  const [ownSide, programSide] = pair;
  const copy = duplicate(addon, target);
  if (isTerminal) addon.copySize(copy, ownSide);
  return { output, target: copy, source: readFrom(ownSide, watcher), programSide, isTerminal };
}

/** Closes the descriptors of an output whose writers have ended, so that its reader sees the end. */
export function closeTarget({ output, target }: Prepared, system: System | undefined): void {
  system?.watcher.forget(target);
  closeQuietly(target);
  if (system !== undefined) return;
  // open(2) takes the lowest free number.
  for (const descriptor of output.descriptors.slice(1)) closeQuietly(descriptor);
  for (const _ of output.descriptors) openSync("/dev/null", "w");
}
