/**
 * Folders in which each file has the value of one variable: those of Docker, Kubernetes and systemd, and those that the caller
 * names. `/run/secrets/qdrant-api-key` is the value of `QDRANT_API_KEY`.
 */
import { accessSync, constants, statSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import type { Layer, Notice, Variable } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { shellWord } from "../core/shell.ts";
import { attempt, systemErrorCode } from "../system/errors.ts";
import { isWorldWritable } from "../system/ownership.ts";
import { entryExists, within } from "../system/paths.ts";
import { readValueFile, valueFileError } from "./value-file.ts";

/** A folder to read. Its files are read only for variables that the contract declares. */
export interface SecretsFolder {
  /** An absolute path, or a path relative to the working directory. */
  readonly path: string;
  /** The option or variable that names the folder; undefined for a folder of the system. */
  readonly namedBy: string | undefined;
  /** True if the folder must exist. */
  readonly required: boolean;
}

/** The variables of a folder, or a notice that the folder is ignored. */
export interface FolderReading {
  readonly layer: Layer;
  readonly notices: readonly Notice[];
}

/**
 * Reads the files whose names are those of declared variables. A file may also have the name in lower case, with `-` or `_`.
 *
 * @param names the names of declared variables
 * @throws SophiaError (value-file, 125) for a required folder that cannot be read, for two files of one variable, and for a
 * file that cannot be read
 */
export async function readSecretsFolder(
  { path: folder, namedBy, required }: SecretsFolder,
  names: Iterable<string>,
  cwd: string,
): Promise<FolderReading> {
  const emptyReading = { layer: { source: "secrets", variables: [] }, notices: [] } as const;
  const absolutePath = resolve(cwd, folder);
  const stats = attempt(() => statSync(absolutePath, { throwIfNoEntry: false }));
  if (stats?.isDirectory() !== true) {
    if (!required) return emptyReading;
    const fault = stats === undefined ? "does not exist" : "is not a folder";
    throw valueFileError(`${printable(folder)} (${namedBy}) ${fault}`, `check the path in ${namedBy}`);
  }
  if (required) refuseUnsearchable(absolutePath, `${printable(folder)} (${namedBy})`);
  // A folder that the caller names is read even if other users may write it, as the notice proposes.
  if (namedBy === undefined && isWritableByOthers(stats, absolutePath)) {
    return { ...emptyReading, notices: [ignoredFolderNotice(folder)] };
  }
  const variables: Variable[] = [];
  for (const name of names) {
    const file = findFile(name, absolutePath, folder);
    if (file === undefined) continue;
    const value = await readValueFile(file, { cwd, namedBy, isInFolder: true });
    variables.push({ name, value, secret: true, origin: { source: "secrets", file }, delivery: "value" });
  }
  return { layer: { source: "secrets", variables }, notices: [] };
}

/**
 * Finds the file of a variable. @returns its path as messages show it
 * @throws SophiaError (value-file, 125) if there are two files
 */
function findFile(name: string, absolutePath: string, folder: string): string | undefined {
  const lower = name.toLowerCase();
  const files = new Map<string, string>();
  for (const fileName of new Set([name, lower, lower.replaceAll("_", "-")])) {
    const path = within(absolutePath, fileName);
    if (!entryExists(path)) continue;
    // On a file system that ignores case, several names may be the same file.
    const stats = attempt(() => statSync(path));
    const identity = stats === undefined ? fileName : `${stats.dev} ${stats.ino}`;
    if (!files.has(identity)) files.set(identity, fileName);
  }
  const [first, second] = files.values();
  if (first === undefined) return undefined;
  if (second === undefined) return within(folder, first);
  const both = `${first} and ${second} in ${printable(folder)} are both for ${name}`;
  throw valueFileError(both, "remove the file that is not to be used");
}

/** Checks that the files of a folder can be reached. @throws SophiaError (value-file, 125) */
function refuseUnsearchable(absolutePath: string, shown: string): void {
  try {
    accessSync(absolutePath, constants.X_OK);
  } catch (error) {
    const message = `${shown} cannot be read (${systemErrorCode(error) ?? "unknown error"})`;
    throw valueFileError(message, "allow the user who starts sophia-run to enter it");
  }
}

/**
 * Returns true if other users could put a file into the folder. Kubernetes mounts folders with all permissions, but read-only.
 */
function isWritableByOthers(stats: Stats, absolutePath: string): boolean {
  const user = process.geteuid?.();
  return (stats.uid !== 0 && stats.uid !== user) || isWorldWritable(stats, absolutePath);
}

function ignoredFolderNotice(folder: string): Notice {
  const text = `${printable(folder)} is ignored: other users may write it; read it anyway with --secrets-dir ${shellWord(folder)}`;
  return { kind: "remark", text };
}
