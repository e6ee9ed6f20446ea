/**
 * Starts child processes for spawn, execFile and spawnSync of node:child_process: `parseSpawnArguments` checks their arguments as
 * Node.js does, and `launchChild` starts the process.
 */
import { invalidType, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";
import { Buffer } from "../buffer.ts";
import { process } from "../process.ts";
import { closeChildEnds, type StdioEntry } from "./stdio.ts";

interface Natives {
  /**
   * @param strings the result of `encodeStrings`. C overwrites it with zeros, because the variables may be secrets.
   * @param argumentCount the number of strings between the file and the variables
   * @param folder the child's working directory; undefined for the working directory of this process
   * @param descriptors 32-bit integers. The integer at index n is the descriptor of this process that becomes descriptor n of the
   *   child, or -1 for /dev/null.
   * @returns the PID, or a negative errno
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
  /** The descriptors of the child. ./stdio.ts describes this option. */
  readonly stdio?: unknown;
  /** The milliseconds after which the child gets `killSignal`; 0 for no limit. */
  readonly timeout?: number | undefined;
}

/** The options of Node.js that this runtime does not have. They are refused, so that no caller relies on them. */
const UNSUPPORTED_OPTIONS = ["gid", "shell", "signal", "uid"];

/** The arguments of spawn after their check. */
export interface SpawnArguments {
  /** A path, or a name that is looked up in the child's PATH. */
  readonly file: string;
  /** The arguments of the program. The first of them is its name. */
  readonly argv: readonly string[];
  /** The child's environment. Each variable is a text such as `NAME=value`. */
  readonly variables: readonly string[];
  readonly options: SpawnOptions;
}

/**
 * Checks the arguments `(file, args, options)`, of which `args`, `options` or both may be missing.
 *
 * @throws an error such as Node.js throws for invalid arguments
 */
export function parseSpawnArguments(file: unknown, second: unknown, third: unknown): SpawnArguments {
  const hasArgs = Array.isArray(second);
  const args: readonly unknown[] = hasArgs ? second : [];
  const givenOptions = hasArgs ? third : (second ?? third);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node.js describe what callers pass
  const options = (givenOptions ?? {}) as SpawnOptions & Readonly<Record<string, unknown>>;
  for (const name of UNSUPPORTED_OPTIONS) {
    if (options[name] !== undefined && options[name] !== false) throw invalidValue(`options.${name}`, options[name]);
  }
  if (typeof file !== "string") throw invalidType("file", "of type string", file);
  if (file === "") throw invalidValue("file", file);
  const argv = [options.argv0 ?? file, ...args.map(String)];
  const variables = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  // A null byte ends a string in C, so the child would get only the part before it.
  for (const text of [file, ...argv]) if (text.includes("\0")) throw invalidValue("args", text);
  for (const variable of variables) {
    // The message must not contain a value of the environment.
    if (variable.includes("\0")) throw invalidValue("options.env", "a value with a null byte");
  }
  return { file, argv, variables, options };
}

/**
 * Starts the child, and closes the child's ends of the pipes in this process, even if it throws.
 *
 * @returns the PID, or a negative errno
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
