/** The start of a child: the arguments of spawn and execFile, checked as Node.js does, and the call of the system. */
import { invalidType, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";
import { Buffer } from "../buffer.ts";
import { process } from "../process.ts";
import { closeChilds, type Stdio } from "./stdio.ts";

export interface SpawnOptions {
  readonly argv0?: string | undefined;
  readonly cwd?: string | null | undefined;
  readonly detached?: boolean | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly killSignal?: string | number | undefined;
  readonly stdio?: unknown;
  readonly timeout?: number | undefined;
}

/** They have an effect in Node.js that this runtime does not have. */
const MISSING = ["gid", "shell", "signal", "uid"];

export interface Start {
  readonly file: string;
  readonly argv: readonly string[];
  readonly variables: readonly string[];
  readonly options: SpawnOptions;
}

/** Takes `args` and `options`, each of which may be missing. */
export function startOf(file: unknown, first: unknown, second: unknown): Start {
  const [args, given]: readonly [unknown, unknown] = Array.isArray(first) ? [first, second] : [[], first ?? second];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node.js describe what callers pass
  const options = (given ?? {}) as SpawnOptions & Readonly<Record<string, unknown>>;
  for (const name of MISSING) {
    if (options[name] !== undefined && options[name] !== false) throw invalidValue(`options.${name}`, options[name]);
  }
  if (typeof file !== "string") throw invalidType("file", "of type string", file);
  if (file === "") throw invalidValue("file", file);
  const argv = [options.argv0 ?? file, ...texts(args)];
  const variables = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  for (const one of [file, ...argv]) if (one.includes("\0")) throw invalidValue("args", one);
  for (const one of variables) if (one.includes("\0")) throw invalidValue("options.env", "a value with a null byte");
  return { file, argv, variables, options };
}

/** Returns the file, the arguments and the variables, each ended by a NUL. */
function stringsOf({ file, argv, variables }: Start): Uint8Array {
  return Buffer.from(`${[file, ...argv, ...variables].join("\0")}\0`);
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

interface Natives {
  readonly startChild: (
    strings: Uint8Array,
    argumentCount: number,
    folder: string | undefined,
    descriptors: Uint8Array,
    isDetached: boolean,
  ) => number;
}

const native = natives<Natives>();

/** Closes the child's sides of pipes in this process. @returns the PID, or the negative number of an error */
export function launchChild(start: Start, stdio: readonly Stdio[]): number {
  const { argv, options } = start;
  try {
    return native.startChild(
      stringsOf(start),
      argv.length,
      options.cwd ?? undefined,
      new Uint8Array(Int32Array.from(stdio, ({ childs }) => childs).buffer),
      options.detached === true,
    );
  } finally {
    closeChilds(stdio);
  }
}
