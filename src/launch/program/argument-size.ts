/**
 * Compares arguments and environment with the system's limits. If a program exceeds a limit, execve(2) fails with E2BIG, which says
 * nothing more. This file finds out which variable or argument is too large, for the message to the user (start-error.ts), and
 * whether a start is certain to succeed (exec/by-node.ts).
 */
import { count, enumerate, printable } from "../../core/text.ts";
import { readSoftLimit } from "../proc/process-stat.ts";
import type { Program } from "../types.ts";

/** The longest argument or `NAME=value` in Linux (MAX_ARG_STRLEN: 32 pages of 4 KiB, without the final NUL). */
const MAX_ENTRY_BYTES = 131_071;
/** Linux accepts this total at any limit on the stack (ARG_MAX). */
const MIN_TOTAL_BYTES = 131_072;
/** The largest total that Linux accepts: three quarters of the default stack of 8 MiB. */
const MAX_TOTAL_BYTES = 6_291_456;
/** The limit of macOS on the total (NCARGS). It has no limit on a single string. */
const MACOS_TOTAL_BYTES = 1_048_576;
/** The limit of Windows on one variable, in UTF-16 units (SetEnvironmentVariable). */
const MAX_WINDOWS_ENTRY = 32_767;
const POINTER_BYTES = 8;

/** The sizes that the system limits. */
export interface Sizes {
  /** The bytes of all strings with their final NUL, and of a pointer for each. */
  readonly total: number;
  readonly largestArgument: { readonly index: number; readonly bytes: number };
  /** Each `NAME=value`, largest first. */
  readonly variables: readonly { readonly name: string; readonly bytes: number }[];
}

/** Measures arguments and environment as execve(2) counts them, in bytes. */
export function measureSizes({ file, argv, environment }: Program): Sizes {
  const largestFirst = (first: { bytes: number }, second: { bytes: number }): number => second.bytes - first.bytes;
  const args = argv.map((argument, index) => ({ index, bytes: Buffer.byteLength(argument) })).toSorted(largestFirst);
  const variables = Array.from(environment, ([name, value]) => ({
    name,
    bytes: Buffer.byteLength(name) + 1 + Buffer.byteLength(value),
  })).toSorted(largestFirst);
  // The kernel also counts the path of the file.
  const total = [...args, ...variables].reduce(
    (sum, { bytes }) => sum + bytes + 1 + POINTER_BYTES,
    Buffer.byteLength(file) + 1,
  );
  return { total, largestArgument: args[0] ?? { index: 0, bytes: 0 }, variables };
}

/** A variable of the environment. */
interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Returns the system's limit on one variable as text, if the variable is larger; otherwise undefined. */
export function reasonTooLargeAlone({ name, value }: Variable): string | undefined {
  const { platform } = process;
  const entry = `${name}=${value}`;
  if (platform === "win32") {
    return entry.length > MAX_WINDOWS_ENTRY ? `${formatNumber(MAX_WINDOWS_ENTRY)} characters` : undefined;
  }
  const limit = platform === "linux" ? MAX_ENTRY_BYTES : MACOS_TOTAL_BYTES;
  return Buffer.byteLength(entry) > limit ? `${formatNumber(limit)} bytes` : undefined;
}

/** Returns true if the system is certain to accept arguments and environment of these sizes. */
export function fits(
  { total, largestArgument, variables: [largest] }: Sizes,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (Math.max(largestArgument.bytes, largest?.bytes ?? 0) > maxEntryBytesOf(platform)) return false;
  // Other systems accept more than the smallest limit of Linux.
  return total <= MIN_TOTAL_BYTES || total <= (maxTotalBytesOf(platform) ?? MIN_TOTAL_BYTES);
}

/**
 * Returns the limit on the total in bytes, a quarter of the stack.
 *
 * @param stack the soft limit on the stack from /proc/PID/limits
 */
export function totalLimit(stack: string): number {
  // `|| 0`: a text that is not a number gives NaN.
  const quarter = stack === "unlimited" ? MAX_TOTAL_BYTES : Math.floor(Number(stack) / 4) || 0;
  return Math.min(MAX_TOTAL_BYTES, Math.max(MIN_TOTAL_BYTES, quarter));
}

/** Describes for the user why the system refuses arguments and environment (E2BIG). */
export function reasonTooLarge(
  { total, largestArgument, variables }: Sizes,
  platform: NodeJS.Platform = process.platform,
): string {
  const maxEntryBytes = maxEntryBytesOf(platform);
  const tooLarge = variables.filter(({ bytes }) => bytes > maxEntryBytes);
  if (tooLarge.length > 0) {
    const [s, are] = tooLarge.length === 1 ? ["", "is"] : ["s", "are"];
    return `the environment variable${s} ${describeLargest(tooLarge)} ${are} too large (the system's limit for one is ${formatNumber(MAX_ENTRY_BYTES)} bytes, name included)`;
  }
  if (largestArgument.bytes > maxEntryBytes) {
    return `argument ${largestArgument.index} is too large (${formatNumber(largestArgument.bytes)} bytes; the system's limit for one is ${formatNumber(MAX_ENTRY_BYTES)})`;
  }
  const limit = maxTotalBytesOf(platform);
  const allowed = limit === undefined ? "" : `, the system's limit is ${formatNumber(limit)}`;
  return `arguments and environment are too large (together ${formatNumber(total)} bytes${allowed}); the largest of ${count(variables.length, "variable")}: ${describeLargest(variables)}`;
}

function maxEntryBytesOf(platform: NodeJS.Platform): number {
  return platform === "linux" ? MAX_ENTRY_BYTES : Infinity;
}

/** Returns the limit on the total in bytes; undefined if the limit is unknown. */
function maxTotalBytesOf(platform: NodeJS.Platform): number | undefined {
  if (platform === "darwin") return MACOS_TOTAL_BYTES;
  const stack = platform === "linux" ? readSoftLimit("self", "Max stack size") : undefined;
  return stack === undefined ? undefined : totalLimit(stack);
}

function describeLargest(variables: Sizes["variables"]): string {
  return enumerate(variables.slice(0, 3).map(({ name, bytes }) => `${printable(name)} (${formatNumber(bytes)} bytes)`));
}

function formatNumber(value: number): string {
  return value.toLocaleString("en-US");
}
