import { BUN_SETTINGS, HIDDEN_PREFIX } from "./shared.ts";

/** The state in which the caller started this process, recorded by launch/standalone/before-bun.c before Bun changed it. */
export interface Caller {
  readonly ignored: readonly number[];
  /** The working directory has no path (deleted, for example). Bun cannot start there and takes the root for it. */
  readonly isFolderWithoutPath: boolean;
  readonly streams: readonly number[];
  readonly descriptors: readonly number[];
  /** Descriptors of empty files in memory (memfd_create(2)), made for embedded-addon.ts. */
  readonly files: readonly number[];
}

/** @returns undefined except in an executable for Linux */
export function caller(): Caller | undefined {
  const [record] = recorded() ?? [];
  if (record === undefined) return undefined;
  const [ignored = "", folder, streams = "", descriptors = "", files = ""] = record.split(" ");
  return {
    ignored: signalsIn(ignored),
    isFolderWithoutPath: folder === "nowhere",
    streams: Array.from(streams, Number),
    descriptors: numbersIn(descriptors),
    files: numbersIn(files),
  };
}

/** Returns the arguments, which Bun does not get: it would write them into crash reports. Undefined as `caller`. */
export function callersArguments(): readonly string[] | undefined {
  const unescape = (text: string): string =>
    text.replaceAll("\u0002\u0003", "\u0001").replaceAll("\u0002\u0004", "\u0002");
  return recorded()?.slice(1).map(unescape);
}

function recorded(): readonly string[] | undefined {
  return process.env[HIDDEN_PREFIX]?.split("\u0001");
}

function numbersIn(text: string): readonly number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

/** @param digits hexadecimal; the lowest bit stands for signal 1 */
function signalsIn(digits: string): readonly number[] {
  const set = BigInt(`0x0${digits}`);
  return Array.from({ length: 64 }, (_, bit) => bit + 1).filter((signal) => (set >> BigInt(signal - 1)) & 1n);
}

/** Returns the caller's name for a variable of this process; undefined if the caller did not set it. */
export function callersName(name: string): string | undefined {
  if (name.startsWith(HIDDEN_PREFIX)) return name === HIDDEN_PREFIX ? undefined : name.slice(HIDDEN_PREFIX.length);
  const isSetting = BUN_SETTINGS.some((setting) => setting.startsWith(`${name}=`));
  return isSetting && process.env[HIDDEN_PREFIX] !== undefined ? undefined : name;
}
