/**
 * Decides whether the program's standard output and standard error are masked, and opens what the program gets in place of each: a
 * pipe, or a pseudo-terminal in place of a terminal.
 */
import { constants, fstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import { loader } from "../../system/addon/addon.ts";
import { errorName } from "../../system/errors.ts";
import { findSystemLimit } from "../../system/system-limits.ts";
import { readInitialEnvironment } from "../../system/process-environment.ts";
import { openFlags } from "../proc/descriptors.ts";
import type { MaskingAddon } from "./masking-addon.ts";
import { closeQuietly } from "./io.ts";
import { readFrom, type Source } from "./source.ts";
import { cannotMask, duplicate, type System } from "./masking-system.ts";

/** A destination of the program's output. */
export interface Output {
  /** The program's descriptors of this destination: 1, 2, or both. */
  readonly descriptors: readonly [1 | 2, ...(1 | 2)[]];
  readonly kind: "terminal" | "file" | "stream";
  /** The path of a regular file, if /proc shows it. */
  readonly file?: string;
}

/** The bits of the flags of open(2) that say whether a descriptor is read-only, write-only, or both. */
const O_ACCMODE = 3;
/** The major number of /dev/null, /dev/full and similar devices (Linux), from which no process reads. */
const MEMORY_DEVICES_MAJOR = 1;

/**
 * Returns the outputs that have a reader. If both descriptors are the same pipe, terminal or open file, there is one output for
 * both, so that the order in which the program writes to them is kept.
 */
export function planOutputs(addon: Pick<MaskingAddon, "isSameOpenFile"> | undefined): readonly Output[] {
  const standardOutput = readStreamStatus(1);
  const standardError = readStreamStatus(2);
  if (standardOutput && standardError && areSameDestination(standardOutput, standardError, addon)) {
    return [createOutput(standardOutput, [1, 2])];
  }
  return [standardOutput, standardError].flatMap((stream) =>
    stream === undefined ? [] : [createOutput(stream, [stream.descriptor])],
  );
}

/**
 * Returns true if the program must run in a session of its own (terminal-session.ts): all three standard streams are the
 * controlling terminal.
 */
export function isSessionRequired(
  outputs: readonly Output[],
  addon: Pick<MaskingAddon, "foregroundGroup"> | undefined,
): boolean {
  const [firstOutput] = outputs;
  if (addon === undefined || firstOutput?.kind !== "terminal" || firstOutput.descriptors.length < 2) return false;
  const [input, output] = [fstatSync(0), fstatSync(1)];
  return input.isCharacterDevice() && input.rdev === output.rdev && addon.foregroundGroup(1) !== -1;
}

/** A descriptor to which the program may write, and its status. */
interface OpenStream {
  readonly descriptor: 1 | 2;
  readonly stats: Stats;
}

/** Reads the status of a descriptor. @returns undefined if the descriptor is closed, read-only, an IPC channel, or has no reader */
function readStreamStatus(descriptor: 1 | 2): OpenStream | undefined {
  let stats: Stats;
  try {
    stats = fstatSync(descriptor);
  } catch {
    // The descriptor is closed.
    return undefined;
  }
  if (stats.isCharacterDevice() && process.platform === "linux" && stats.rdev >> 8 === MEMORY_DEVICES_MAJOR) {
    return undefined;
  }
  const variables = loader?.channel ?? readInitialEnvironment();
  if (stats.isSocket() && variables.get("NODE_CHANNEL_FD") === String(descriptor)) return undefined;
  const flags = openFlags(descriptor);
  if (flags !== undefined && (flags & O_ACCMODE) === constants.O_RDONLY) return undefined;
  return { descriptor, stats };
}

/** Returns true if two streams are the same pipe, the same terminal, or the same open file. */
function areSameDestination(
  first: OpenStream,
  second: OpenStream,
  addon: Pick<MaskingAddon, "isSameOpenFile"> | undefined,
): boolean {
  if (first.stats.dev !== second.stats.dev || first.stats.ino !== second.stats.ino) return false;
  if (!first.stats.isFile()) return true;
  // A file that was opened twice has two offsets. These do not matter if both descriptors append.
  const doBothAppend = [first, second].every(
    ({ descriptor }) => ((openFlags(descriptor) ?? 0) & constants.O_APPEND) !== 0,
  );
  return doBothAppend || addon === undefined || addon.isSameOpenFile(first.descriptor, second.descriptor) === 1;
}

function createOutput({ descriptor, stats }: OpenStream, descriptors: Output["descriptors"]): Output {
  if (stats.isFile()) return { descriptors, kind: "file", ...pathOf(descriptor) };
  const { isatty } = process.getBuiltinModule("node:tty");
  return { descriptors, kind: stats.isCharacterDevice() && isatty(descriptor) ? "terminal" : "stream" };
}

/** Returns the path of an open file, if /proc shows it. */
function pathOf(descriptor: number): Pick<Output, "file"> {
  try {
    return { file: readlinkSync(`/proc/self/fd/${descriptor}`) };
  } catch {
    return {};
  }
}

/** An output, and the pipe or pseudo-terminal that the program gets in its place. */
export interface PreparedOutput {
  readonly output: Output;
  /** The descriptor to which this process writes masked output. */
  readonly target: number;
  /** Reads what the program writes; undefined if Node.js makes the pipe when it starts the program. */
  readonly source: Source | undefined;
  /** The program's end of the pipe or pseudo-terminal; `pipe` if Node.js makes it. */
  readonly programSide: number | "pipe";
  readonly isTerminal: boolean;
}

interface TerminalNeeds {
  /** True: the launch fails if a terminal cannot be replaced by a pseudo-terminal. False: the program then gets a pipe. */
  readonly requiresTerminal: boolean;
  /** True if the program will run in a session of its own ({@link isSessionRequired}). */
  readonly requiresSession: boolean;
}

/**
 * Opens the pipe or pseudo-terminal that the program gets in place of an output.
 *
 * @throws SophiaError (system-limit, redact-pipe or redact-terminal, 125)
 */
export function prepareOutput(
  output: Output,
  { requiresTerminal, requiresSession }: TerminalNeeds,
  system: System | undefined,
): PreparedOutput {
  const [target] = output.descriptors;
  // In a session the real terminal is raw, so that the pseudo-terminal must make the line ends.
  const isPlain = requiresSession ? 0 : 1;
  const terminalOrError = output.kind === "terminal" ? system?.addon.makeTerminal(target, isPlain) : undefined;
  const isTerminal = typeof terminalOrError === "object";
  const error = typeof terminalOrError === "number" ? errorName(terminalOrError) : undefined;
  if (error !== undefined && findSystemLimit(error) !== undefined) throw cannotMask(error);
  if (output.kind === "terminal" && !isTerminal && requiresTerminal) {
    throw new SophiaError({
      code: "redact-terminal",
      message: `--redact cannot open a pseudo-terminal for the program${error === undefined ? "" : ` (${error})`}`,
      hint: "send the output through a pipe (| cat), or use --redact=never",
    });
  }
  if (system === undefined) return { output, target, source: undefined, programSide: "pipe", isTerminal: false };
  const { addon, watcher } = system;
  const sidesOrError = isTerminal ? terminalOrError : addon.makePipe();
  if (typeof sidesOrError === "number") throw cannotMask(errorName(sidesOrError));
  const [launcherSide, programSide] = sidesOrError;
  const targetCopy = duplicate(addon, target);
  if (isTerminal) addon.copySize(targetCopy, launcherSide);
  return { output, target: targetCopy, source: readFrom(launcherSide, watcher), programSide, isTerminal };
}

/** Closes the target of an output that has no writer any more, so that its reader sees the end. */
export function closeTarget({ output, target }: PreparedOutput, system: System | undefined): void {
  system?.watcher.forget(target);
  closeQuietly(target);
  if (system !== undefined) return;
  // Without the addon the target is one of the standard streams. /dev/null takes its number: open(2) returns the lowest free one.
  for (const descriptor of output.descriptors.slice(1)) closeQuietly(descriptor);
  for (const _ of output.descriptors) openSync("/dev/null", "w");
}
