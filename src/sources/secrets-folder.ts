/** Folders of which each file has the value of one variable: of Docker, Kubernetes and systemd, or named by the caller. */
import { accessSync, constants, statSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import type { Layer, Notice, Variable } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { shellWord } from "../core/shell.ts";
import { attempt, systemErrorCode } from "../system/errors.ts";
import { isWorldWritable } from "../system/ownership.ts";
import { isThere, within } from "../system/paths.ts";
import { fault, readValueFile } from "./value-file.ts";

export interface SecretsFolder {
  readonly path: string;
  /** The option or variable that names it; undefined for a folder of the system. */
  readonly namedBy: string | undefined;
  /** Otherwise it need not exist. */
  readonly required: boolean;
}

export interface FolderReading {
  readonly layer: Layer;
  readonly notices: readonly Notice[];
}

/**
 * Reads the files of a folder that have the name of a declared variable, or its name in lower case, with `-` or `_`.
 *
 * @param names of declared variables
 * @throws SophiaError (value-file, 125) for an invalid named folder, for two files for one variable, and for a file that
 * cannot be read
 */
export async function readSecretsFolder(
  { path: folder, namedBy, required }: SecretsFolder,
  names: Iterable<string>,
  cwd: string,
): Promise<FolderReading> {
  const nothing = { layer: { source: "secrets", variables: [] }, notices: [] } as const;
  const place = resolve(cwd, folder);
  const stats = attempt(() => statSync(place, { throwIfNoEntry: false }));
  if (stats?.isDirectory() !== true) {
    if (!required) return nothing;
    const what = stats === undefined ? "does not exist" : "is not a folder";
    throw fault(`${printable(folder)} (${namedBy}) ${what}`, `check the path in ${namedBy}`);
  }
  if (required) refuseUnsearchable(place, `${printable(folder)} (${namedBy})`);
  if (namedBy === undefined && isOfOthers(stats, place)) return { ...nothing, notices: [ignored(folder)] };
  const variables: Variable[] = [];
  for (const name of names) {
    const file = fileFor(name, place, folder);
    if (file === undefined) continue;
    const value = await readValueFile(file, cwd, namedBy, true);
    variables.push({ name, value, secret: true, origin: { source: "secrets", file }, delivery: "value" });
  }
  return { layer: { source: "secrets", variables }, notices: [] };
}

/** Returns the file of a variable, as its path in messages. On systems that ignore the case of names several may be one file. */
function fileFor(name: string, place: string, folder: string): string | undefined {
  const lower = name.toLowerCase();
  const files = new Map<string, string>();
  for (const form of new Set([name, lower, lower.replaceAll("_", "-")])) {
    const path = within(place, form);
    if (!isThere(path)) continue;
    const stats = attempt(() => statSync(path));
    const identity = stats === undefined ? form : `${stats.dev} ${stats.ino}`;
    if (!files.has(identity)) files.set(identity, form);
  }
  const [first, second] = files.values();
  if (first === undefined) return undefined;
  if (second === undefined) return within(folder, first);
  const both = `${first} and ${second} in ${printable(folder)} are both for ${name}`;
  throw fault(both, "remove the file that is not to be used");
}

function refuseUnsearchable(place: string, shown: string): void {
  try {
    accessSync(place, constants.X_OK);
  } catch (error) {
    const message = `${shown} cannot be read (${systemErrorCode(error) ?? "unknown error"})`;
    throw fault(message, "allow the user who starts sophia-run to enter it");
  }
}

/** Returns true if other users could put a file there. Kubernetes mounts a folder with all permissions, but read-only. */
function isOfOthers(stats: Stats, place: string): boolean {
  const user = process.geteuid?.();
  return (stats.uid !== 0 && stats.uid !== user) || isWorldWritable(stats, place);
}

function ignored(folder: string): Notice {
  const text = `${printable(folder)} is ignored: other users may write it; read it anyway with --secrets-dir ${shellWord(folder)}`;
  return { kind: "remark", text };
}
