import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { readBounded } from "../system/bounded-read.ts";
import { systemErrorCode } from "../system/errors.ts";
import { makeFolder } from "../system/folders.ts";
import { linkOutOf } from "./project-root.ts";

/** Documents, manifests and workflows are smaller. */
const MAX_BYTES = 8 * 1024 * 1024;

/** A file that a command reads or writes. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
}

/** A file that a command writes. */
export interface TargetFile extends NamedFile {
  /** The folder of the project: no symbolic link below it may lead the file out of it. See `projectRoot`. */
  readonly root: string;
}

/** @returns undefined if the file does not exist @throws SophiaError (file, 125) if it cannot be read */
export async function readIfThere({ path, name }: NamedFile): Promise<string | undefined> {
  try {
    return (await readBounded(path, { maxBytes: MAX_BYTES })).toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unusable(name, "read", error);
  }
}

/**
 * Writes a file, and the folders above it that are missing. Not through a symbolic link, whose end nobody named.
 *
 * @param flag `wx` fails if the file exists, even if it has come to be this moment
 * @throws SophiaError (file, 125)
 */
export function writeText(file: TargetFile, text: string, flag: "w" | "wx" = "w"): void {
  const { path, name } = file;
  refuseLinks([file]);
  try {
    makeFolder(dirname(path));
    const { O_WRONLY, O_CREAT, O_TRUNC, O_EXCL, O_NOFOLLOW } = constants;
    // Windows has no such flag.
    const flags = O_WRONLY | O_CREAT | (flag === "wx" ? O_EXCL : O_TRUNC) | (O_NOFOLLOW ?? 0);
    const descriptor = openSync(path, flags, 0o666);
    try {
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw isLink(path) ? throughLinks([name]) : unusable(name, "written", error);
  }
}

/**
 * Writes a file that only its owner can read, whole or not at all: under another name first, then in place of what is there.
 *
 * @throws SophiaError (file, 125)
 */
export function writePrivately(file: TargetFile, text: string): void {
  refuseIrregular(file);
  const temporary = `${file.path}.${randomBytes(8).toString("hex")}`;
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file.path);
  } catch (error) {
    removeIfThere(temporary);
    throw unusable(file.name, "written", error);
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where it could not be made it cannot be removed either; the first error tells.
  }
}

/** @throws SophiaError (file, 125) for a link, a folder, a device or a pipe, in whose place no file may come */
export function refuseIrregular(file: TargetFile): void {
  refuseLinks([file]);
  let isIrregular: boolean;
  try {
    isIrregular = statSync(file.path, { throwIfNoEntry: false })?.isFile() === false;
  } catch (error) {
    throw unusable(file.name, "written", error);
  }
  if (!isIrregular) return;
  throw new SophiaError({
    code: "file",
    message: `${file.name} is not a regular file`,
    hint: "name another file, or send the standard output there",
  });
}

/**
 * Refuses files to which nothing may be written: those that are symbolic links, and those in a folder that a link leads out
 * of the project.
 *
 * @throws SophiaError (file, 125) that names all of them
 */
export function refuseLinks(files: readonly TargetFile[]): void {
  const links = files.filter(({ path }) => isLink(path));
  if (links.length > 0) throw throughLinks(links.map(({ name }) => name));
  const outward = files.flatMap(({ path, root }) => linkOutOf(root, path) ?? []);
  if (outward.length > 0) throw throughLinks([...new Set(outward)].map(printable), " that leads out of the project");
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function throughLinks(names: readonly string[], what = ""): SophiaError {
  const [are, them] = names.length === 1 ? ["is a symbolic link", "it"] : ["are symbolic links", "them"];
  return new SophiaError({
    code: "file",
    message: `${enumerate(names)} ${are}${what}, and nothing is written through ${them}`,
    hint: `remove ${them}, or name the file to write`,
  });
}

function unusable(name: string, what: "read" | "written", error: unknown): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${name} cannot be ${what} (${codeWords(systemErrorCode(error))})`,
    hint: "check the file, its folder and their permissions, then start again: what was written so far stays",
  });
}

function codeWords(code = "UNKNOWN"): string {
  return code === "ELOOP" ? "its symbolic links lead back to themselves" : code;
}
