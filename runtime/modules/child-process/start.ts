/**
 * The start of a child process: `parseSpawnArguments` checks the arguments of spawn, execFile and spawnSync as Node.js does, and
 * `launchChild` makes the system calls.
 */
import { invalidType, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";
import { Buffer } from "../buffer.ts";
import { process } from "../process.ts";
import { closeChildEnds, type StdioEntry } from "./stdio.ts";

interface Natives {
  /**
   * @param strings those of `encodeStrings`, which C overwrites with zeros afterwards
   * @param folder the child's working directory; undefined for this process's
   * @param descriptors 32-bit integers: for each descriptor of the child one of this process, or -1
   * @returns the PID, or the negative number of an error
   */
  readonly startChild: (
    strings: Uint8Array,
    argumentCount: number,
    folder: string | undefined,
    descriptors: Uint8Array,
    isDetached: boolean,
  ) => number;
}

const native = natives<Natives>();

export interface SpawnOptions {
  readonly argv0?: string | undefined;
  readonly cwd?: string | null | undefined;
  readonly detached?: boolean | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly killSignal?: string | number | undefined;
  /** ./stdio.ts describes it. */
  readonly stdio?: unknown;
  /** Milliseconds until the child gets `killSignal`; 0 for no limit. */
  readonly timeout?: number | undefined;
}

/** The options that have an effect in Node.js but not here. They are refused, so that no caller relies on them. */
const UNSUPPORTED_OPTIONS = ["gid", "shell", "signal", "uid"];

/** The arguments of spawn after their check. */
export interface SpawnArguments {
  /** A path, or a name that is looked up in the child's PATH. */
  readonly file: string;
  /** The command line, which begins with argv[0]. */
  readonly argv: readonly string[];
  /** The child's environment, as `NAME=value`. */
  readonly variables: readonly string[];
  readonly options: SpawnOptions;
}

/**
 * Checks the arguments `(file, args, options)`, of which `args`, `options` or both may be missing.
 *
 * @throws an Error of Node.js
 */
export function parseSpawnArguments(file: unknown, second: unknown, third: unknown): SpawnArguments {
  const hasList = Array.isArray(second);
  const list: unknown = hasList ? second : [];
  const givenOptions = hasList ? third : (second ?? third);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node.js describe what callers pass
  const options = (givenOptions ?? {}) as SpawnOptions & Readonly<Record<string, unknown>>;
  for (const name of UNSUPPORTED_OPTIONS) {
    if (options[name] !== undefined && options[name] !== false) throw invalidValue(`options.${name}`, options[name]);
  }
  if (typeof file !== "string") throw invalidType("file", "of type string", file);
  if (file === "") throw invalidValue("file", file);
  const argv = [options.argv0 ?? file, ...(Array.isArray(list) ? list.map(String) : [])];
  const variables = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  // A null byte would end a string of C, and the child would get only what comes before it.
  for (const text of [file, ...argv]) if (text.includes("\0")) throw invalidValue("args", text);
  for (const variable of variables) {
    // The message must not contain a value of the environment.
    if (variable.includes("\0")) throw invalidValue("options.env", "a value with a null byte");
  }
  return { file, argv, variables, options };
}

/**
 * Starts the child, and closes its ends of the pipes in this process, also if it throws.
 *
 * @returns the PID, or the negative number of an error
 */
export function launchChild(spawnArguments: SpawnArguments, stdio: readonly StdioEntry[]): number {
  const { argv, options } = spawnArguments;
  try {
    return native.startChild(
      encodeStrings(spawnArguments),
      argv.length,
      options.cwd ?? undefined,
      new Uint8Array(Int32Array.from(stdio, ({ childDescriptor }) => childDescriptor).buffer),
      options.detached === true,
    );
  } finally {
    closeChildEnds(stdio);
  }
}

/** Returns the file, the arguments and the variables, each of which ends with a null byte. */
function encodeStrings({ file, argv, variables }: SpawnArguments): Uint8Array {
  return Buffer.from(`${[file, ...argv, ...variables].join("\0")}\0`);
}
