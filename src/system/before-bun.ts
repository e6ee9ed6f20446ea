import { BUN_SETTINGS, HELD } from "./shared.ts";

/** How the caller started this process, by launch/standalone/before-bun.c. Bun and this program may have changed all of it. */
export interface Caller {
  /** Numbers of signals. */
  readonly ignored: readonly number[];
  readonly blocksSignals: boolean;
  /** Bun does not start in a working directory without a path, such as a deleted one, and was told that it is the root. */
  readonly isFolderWithoutPath: boolean;
  /** Those of the descriptors 0 to 2 that were open. */
  readonly streams: readonly number[];
  /** The descriptors from 3 on. */
  readonly descriptors: readonly number[];
  /** Not the caller's: descriptors of empty files that have no place in any folder (memfd_create(2)), for embedded-addon.ts. */
  readonly files: readonly number[];
}

/** @returns undefined in an executable that does not begin with that code: one for another system than Linux */
export function caller(): Caller | undefined {
  const [record] = recorded() ?? [];
  if (record === undefined) return undefined;
  const [ignored = "", blocked = "", folder, streams = "", descriptors = "", files = ""] = record.split(" ");
  return {
    ignored: signalsIn(ignored),
    blocksSignals: !/^0*$/.test(blocked),
    isFolderWithoutPath: folder === "nowhere",
    streams: Array.from(streams, Number),
    descriptors: numbersIn(descriptors),
    files: numbersIn(files),
  };
}

/**
 * Returns the arguments of this process, which Bun does not get: it would write them into the report of a crash.
 * Undefined as `caller`.
 */
export function callersArguments(): readonly string[] | undefined {
  const unescape = (text: string): string =>
    text.replaceAll("\u0002\u0003", "\u0001").replaceAll("\u0002\u0004", "\u0002");
  return recorded()?.slice(1).map(unescape);
}

/** The record, and behind it the arguments; see launch/standalone/arguments.h. */
function recorded(): readonly string[] | undefined {
  return process.env[HELD]?.split("\u0001");
}

function numbersIn(text: string): readonly number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

/** @param digits in hexadecimal; the lowest bit is that of signal 1 */
function signalsIn(digits: string): readonly number[] {
  const set = BigInt(`0x0${digits}`);
  return Array.from({ length: 64 }, (_, bit) => bit + 1).filter((signal) => (set >> BigInt(signal - 1)) & 1n);
}

/** Returns the name that the caller gave to a variable of this process; undefined if it is none of the caller's. */
export function callersName(name: string): string | undefined {
  if (name.startsWith(HELD)) return name === HELD ? undefined : name.slice(HELD.length);
  const isSetting = BUN_SETTINGS.some((setting) => setting.startsWith(`${name}=`));
  return isSetting && process.env[HELD] !== undefined ? undefined : name;
}
