/** The system's limits on arguments and environment (E2BIG of execve(2)). */
import { count, enumerate, printable } from "../../core/text.ts";
import { softLimit } from "../proc/process-stat.ts";
import type { Program } from "../types.ts";

/** The longest argument or `NAME=value` in Linux (MAX_ARG_STRLEN, 32 pages of 4 KiB, less the final NUL). */
const MAX_ENTRY_BYTES = 131_071;
/** The least total that Linux accepts (ARG_MAX), at any limit on the stack. */
const MIN_TOTAL_BYTES = 131_072;
/** The largest total that Linux accepts: three quarters of the default stack of 8 MiB. */
const MAX_TOTAL_BYTES = 6_291_456;
/** The limit of macOS for the total (NCARGS); it has none for one. */
const MACOS_TOTAL_BYTES = 1_048_576;
/** The limit of Windows for one variable, in UTF-16 units (SetEnvironmentVariable). */
const MAX_WINDOWS_ENTRY = 32_767;
const POINTER_BYTES = 8;

export interface Sizes {
  /** All strings with their final NUL, and a pointer for each. */
  readonly total: number;
  readonly largestArgument: { readonly index: number; readonly bytes: number };
  /** Each `NAME=value`, largest first. */
  readonly variables: readonly { readonly name: string; readonly bytes: number }[];
}

/** Measures arguments and environment as execve(2) counts them, in bytes. */
export function measure({ file, argv, environment }: Program): Sizes {
  const largestFirst = (a: { bytes: number }, b: { bytes: number }): number => b.bytes - a.bytes;
  const args = argv.map((argument, index) => ({ index, bytes: Buffer.byteLength(argument) })).toSorted(largestFirst);
  const variables = Array.from(environment, ([name, value]) => ({
    name,
    bytes: Buffer.byteLength(name) + 1 + Buffer.byteLength(value),
  })).toSorted(largestFirst);
  // The kernel adds the file's path.
  const total = [...args, ...variables].reduce(
    (sum, { bytes }) => sum + bytes + 1 + POINTER_BYTES,
    Buffer.byteLength(file) + 1,
  );
  return { total, largestArgument: args[0] ?? { index: 0, bytes: 0 }, variables };
}

/** Returns the system's limit for one variable as text, if this one is larger. */
export function reasonTooLargeAlone({
  name,
  value,
}: {
  readonly name: string;
  readonly value: string;
}): string | undefined {
  const { platform } = process;
  const entry = `${name}=${value}`;
  if (platform === "win32") {
    return entry.length > MAX_WINDOWS_ENTRY ? `${number(MAX_WINDOWS_ENTRY)} characters` : undefined;
  }
  const limit = platform === "linux" ? MAX_ENTRY_BYTES : MACOS_TOTAL_BYTES;
  return Buffer.byteLength(entry) > limit ? `${number(limit)} bytes` : undefined;
}

/** Returns true if the system is certain to take arguments and environment of these sizes. */
export function fits(
  { total, largestArgument, variables: [largest] }: Sizes,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (Math.max(largestArgument.bytes, largest?.bytes ?? 0) > entryLimit(platform)) return false;
  // Other systems accept more than the least total of Linux.
  return total <= MIN_TOTAL_BYTES || total <= (knownLimit(platform) ?? MIN_TOTAL_BYTES);
}

/** Returns the largest total in bytes for a soft limit on the stack from /proc/PID/limits. */
export function totalLimit(stack: string): number {
  const quarter = stack === "unlimited" ? MAX_TOTAL_BYTES : Math.floor(Number(stack) / 4) || 0;
  return Math.min(MAX_TOTAL_BYTES, Math.max(MIN_TOTAL_BYTES, quarter));
}

/** Words why the system refuses arguments and environment (E2BIG). */
export function reasonTooLarge(
  { total, largestArgument, variables }: Sizes,
  platform: NodeJS.Platform = process.platform,
): string {
  const largestEntry = entryLimit(platform);
  const over = variables.filter(({ bytes }) => bytes > largestEntry);
  if (over.length > 0) {
    const [s, are] = over.length === 1 ? ["", "is"] : ["s", "are"];
    return `the environment variable${s} ${describe(over)} ${are} too large (the system's limit for one is ${number(MAX_ENTRY_BYTES)} bytes, name included)`;
  }
  if (largestArgument.bytes > largestEntry) {
    return `argument ${largestArgument.index} is too large (${number(largestArgument.bytes)} bytes; the system's limit for one is ${number(MAX_ENTRY_BYTES)})`;
  }
  const limit = knownLimit(platform);
  const allowed = limit === undefined ? "" : `, the system's limit is ${number(limit)}`;
  return `arguments and environment are too large (together ${number(total)} bytes${allowed}); the largest of ${count(variables.length, "variable")}: ${describe(variables)}`;
}

function entryLimit(platform: NodeJS.Platform): number {
  return platform === "linux" ? MAX_ENTRY_BYTES : Infinity;
}

function knownLimit(platform: NodeJS.Platform): number | undefined {
  if (platform === "darwin") return MACOS_TOTAL_BYTES;
  const stack = platform === "linux" ? softLimit("self", "Max stack size") : undefined;
  return stack === undefined ? undefined : totalLimit(stack);
}

function describe(variables: Sizes["variables"]): string {
  return enumerate(variables.slice(0, 3).map(({ name, bytes }) => `${printable(name)} (${number(bytes)} bytes)`));
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
