import { readFileSync } from "node:fs";
import { ExitStatus, type SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { refusal } from "../start-error.ts";

/** Linux takes no longer argument or `NAME=value` (MAX_ARG_STRLEN, 32 pages of 4 KiB, less the final NUL). */
const maxEntryBytes = 131_071;
/** Linux always takes this much for arguments and environment (ARG_MAX), whatever the limit on the stack is. */
const minTotalBytes = 131_072;
/** And never more than this: three quarters of the default stack of 8 MiB. */
const maxTotalBytes = 6_291_456;

/** How large a program's arguments and environment are for the kernel, in bytes. */
export interface Sizes {
  /** All strings with their final NUL, and a pointer for each. */
  readonly total: number;
  readonly largestArgument: { readonly index: number; readonly bytes: number };
  /** Of one `NAME=value`. */
  readonly largestVariable: number;
  /** `NAME=value`, largest first; sorted only where it is looked at. */
  readonly variables: readonly { readonly name: string; readonly bytes: number }[];
}

/** @param file the path that is executed: the kernel puts it beside the arguments */
export function measure(file: string, argv: readonly string[], environment: Environment): Sizes {
  const pointer = 8;
  let total = Buffer.byteLength(file) + 1;
  let largestArgument = { index: 0, bytes: 0 };
  for (const [index, argument] of argv.entries()) {
    const bytes = Buffer.byteLength(argument);
    total += bytes + 1 + pointer;
    if (bytes > largestArgument.bytes) largestArgument = { index, bytes };
  }
  let largestVariable = 0;
  // A loop over the entries would make a list of each, and thousands of lists cost more than all the counting.
  environment.forEach((value, name) => {
    const bytes = entryBytes(name, value);
    total += bytes + 1 + pointer;
    if (bytes > largestVariable) largestVariable = bytes;
  });
  return {
    total,
    largestArgument,
    largestVariable,
    get variables() {
      return Array.from(environment, ([name, value]) => ({ name, bytes: entryBytes(name, value) })).toSorted(
        (a, b) => b.bytes - a.bytes,
      );
    },
  };
}

function entryBytes(name: string, value: string): number {
  return Buffer.byteLength(name) + 1 + Buffer.byteLength(value);
}

/**
 * Whether arguments and environment are far below what Linux takes always. Asked first: counting code units, of which
 * none takes more than three bytes in UTF-8, is so much quicker than counting bytes.
 */
export function isSmall(file: string, argv: readonly string[], environment: Environment): boolean {
  let units = file.length;
  for (const argument of argv) units += argument.length;
  environment.forEach((value, name) => (units += name.length + value.length));
  const overhead = 16; // the pointer, the `=`, the NUL, and room to spare
  return 3 * units + overhead * (argv.length + environment.size + 1) <= maxEntryBytes;
}

/** Whether Linux is certain to take arguments and environment of these sizes. */
export function fits({ total, largestArgument, largestVariable }: Sizes): boolean {
  if (largestArgument.bytes > maxEntryBytes || largestVariable > maxEntryBytes) return false;
  return total <= minTotalBytes || total <= totalLimit(softLimit("self", "Max stack size") ?? "");
}

/** The largest total in bytes for a soft limit on the stack as /proc/PID/limits tells it. */
export function totalLimit(stack: string): number {
  const quarter = stack === "unlimited" ? maxTotalBytes : Math.floor(Number(stack) / 4) || 0;
  return Math.min(maxTotalBytes, Math.max(minTotalBytes, quarter));
}

/** One soft limit of a process as text (a number or `unlimited`); undefined where the system does not tell. */
export function softLimit(
  pid: number | "self",
  name: "Max core file size" | "Max open files" | "Max stack size",
): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/limits`, "utf8");
    return new RegExp(`^${name}\\s+(\\S+)`, "m").exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** The error for E2BIG: says what is too large, by name and size, never by value. */
export function tooLarge(command: string, { total, largestArgument, variables }: Sizes): SophiaError {
  const reason = ((): string => {
    const over = variables.filter(({ bytes }) => bytes > maxEntryBytes);
    if (over.length > 0) {
      return `the environment variable${over.length === 1 ? "" : "s"} ${describe(over)} ${over.length === 1 ? "is" : "are"} too large: the system's limit for one is ${number(maxEntryBytes)} bytes, name included`;
    }
    if (largestArgument.bytes > maxEntryBytes) {
      return `argument ${largestArgument.index} is too large (${number(largestArgument.bytes)} bytes): the system's limit for one is ${number(maxEntryBytes)} bytes`;
    }
    const limit = softLimit("self", "Max stack size");
    const allowed = limit === undefined ? "" : `, the system's limit is ${number(totalLimit(limit))}`;
    return `arguments and environment are too large: together ${number(total)} bytes${allowed}; largest of ${count(variables.length, "variable")}: ${describe(variables)}`;
  })();
  return refusal(command, reason, ExitStatus.notExecutable);
}

function describe(variables: Sizes["variables"]): string {
  return enumerate(variables.slice(0, 3).map(({ name, bytes }) => `${printable(name)} (${number(bytes)} bytes)`));
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
