/**
 * Reads and writes the files of a project for commands such as `init`, `docs` and `import`. A failure is a SophiaError that names
 * the file as the user knows it. Nothing is written through a symbolic link, because a repository could contain a link to one of
 * the user's files outside of the project.
 */
import { existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { enumerate, printable } from "../../core/text.ts";
import { readFoundFile } from "../../system/bounded-read.ts";
import { systemErrorCode, attempt } from "../../system/errors.ts";
import { makeFolder } from "../../system/folders.ts";
import { EscapingLinkError, describeEscape, readLinkedFile } from "../../system/linked-file.ts";
import { createFile, overwriteFile, replaceFileAtomically } from "./file-replacement.ts";
import { findOutwardLink } from "./project-root.ts";

/** Larger files are no source code or settings. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

export interface NamedFile {
  readonly path: string;
  /** The file's name in messages, such as `.github/workflows/ci.yml`. */
  readonly name: string;
}

/** A file that a command writes. */
export interface TargetFile extends NamedFile {
  /** The folder of the project (`findProjectRoot`). Symbolic links must not lead out of it. */
  readonly root: string;
}

/** Reads a file as UTF-8. @returns undefined if the file does not exist @throws SophiaError (file, 125) if it cannot be read */
export async function readFileIfExists({ path, name }: NamedFile): Promise<string | undefined> {
  try {
    return readFoundFile(path, { maxBytes: MAX_FILE_BYTES }).toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw createFileError(name, "read", error);
  }
}

/** Reads a file of a folder as `readFileIfExists` does. @param name the path from the folder, which is the name in messages, too */
export function readFileIn(folder: string, name: string): Promise<string | undefined> {
  return readFileIfExists({ path: join(folder, name), name });
}

/**
 * Reads a file of a folder, but not through a symbolic link that leads out of the repository. Such a link could bring the values of
 * another project into a new contract.
 *
 * @returns undefined if the file does not exist
 * @throws SophiaError (link-outside, 125) for such a link, or (file, 125) if the file cannot be read
 */
export async function readFileWithinRepository(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  if (!isSymbolicLink(path)) return readFileIn(folder, name);
  try {
    const bytes = readLinkedFile(path, { maxBytes: MAX_FILE_BYTES, accept: (stats) => stats.isFile() });
    return bytes.toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    if (!(error instanceof EscapingLinkError)) throw createFileError(name, "read", error);
    const hint = "put a copy of what it leads to in its place";
    throw new SophiaError({ code: "link-outside", message: describeEscape(name, error.escape), hint });
  }
}

export interface WorkflowFile {
  /** The name of the file, without its folder. */
  readonly name: string;
  readonly text: string;
}

/** Reads the GitHub Actions workflows of a repository, sorted by name. @throws SophiaError (file, 125) if one cannot be read */
export async function readWorkflowFiles(root: string): Promise<readonly WorkflowFile[]> {
  const folder = join(root, ".github", "workflows");
  const readWorkflow = async (name: string): Promise<readonly WorkflowFile[]> => {
    const text = await readFileIfExists({ path: join(folder, name), name: `.github/workflows/${name}` });
    // The file was removed after the folder was listed.
    return text === undefined ? [] : [{ name, text }];
  };
  return (await Promise.all(listWorkflowNames(folder).map(readWorkflow))).flat();
}

/** Returns the names of workflow files; none if the folder does not exist. @throws a system error if it cannot be read */
function listWorkflowNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

/**
 * Writes a file, and creates missing folders. If the text does not fit on the disk, a new file is removed, and an existing file
 * gets its former content back.
 *
 * @param flag `w` to create or overwrite the file; `wx` if the file must not exist yet
 * @throws SophiaError (file, 125)
 */
export function writeTextFile(file: TargetFile, text: string, flag: "w" | "wx" = "w"): void {
  const { path, name } = file;
  refuseLinks([file]);
  try {
    makeFolder(dirname(path));
    if (flag === "wx" || !existsSync(path)) createFile(path, text);
    else overwriteFile(path, Buffer.from(text));
  } catch (error) {
    // If another process has put a link there after the check above, the file was not opened.
    throw isSymbolicLink(path) ? createSymbolicLinkError([name]) : createFileError(name, "written", error);
  }
}

/**
 * Replaces a file in one step, so that no other program reads half of the text. The file keeps its mode. If the file belongs to
 * another user, or has further hard links, it is overwritten instead, because a new file would not have that owner and these links.
 *
 * @throws SophiaError (file, 125), also for symbolic links
 */
export function writeAtomically(file: TargetFile, text: string): void {
  refuseIrregularFile(file);
  const stats = statSync(file.path, { throwIfNoEntry: false });
  // Windows has no user ids.
  const userId = process.getuid?.();
  const isOfOtherOwner = stats !== undefined && userId !== undefined && stats.uid !== userId;
  const hasFurtherLinks = stats !== undefined && stats.nlink > 1;
  if (isOfOtherOwner || hasFurtherLinks) {
    writeTextFile(file, text);
    return;
  }
  replaceFile(file, text, stats === undefined ? undefined : stats.mode & 0o7777);
}

/** Replaces a file in one step by a file that only its owner may read. @throws SophiaError (file, 125) */
export function writePrivateFile(file: TargetFile, text: string): void {
  refuseIrregularFile(file);
  replaceFile(file, text, 0o600);
}

function replaceFile(file: TargetFile, text: string, mode: number | undefined): void {
  try {
    replaceFileAtomically(file.path, text, mode);
  } catch (error) {
    throw createFileError(file.name, "written", error);
  }
}

/** Refuses a link, a folder, a device and a named pipe, which no file must replace. @throws SophiaError (file, 125) */
export function refuseIrregularFile(file: TargetFile): void {
  refuseLinks([file]);
  let isIrregular: boolean;
  try {
    isIrregular = statSync(file.path, { throwIfNoEntry: false })?.isFile() === false;
  } catch (error) {
    throw createFileError(file.name, "written", error);
  }
  if (!isIrregular) return;
  throw new SophiaError({
    code: "file",
    message: `${file.name} is not a regular file`,
    hint: "name another file, or send the standard output there",
  });
}

/** Refuses symbolic links, and files below a link that leads out of the project. @throws SophiaError (file, 125) */
export function refuseLinks(files: readonly TargetFile[]): void {
  const links = files.filter(({ path }) => isSymbolicLink(path));
  if (links.length > 0) throw createSymbolicLinkError(links.map(({ name }) => name));
  const outwardLinks = new Set(files.flatMap(({ path, root }) => findOutwardLink(root, path) ?? []));
  if (outwardLinks.size > 0) {
    throw createSymbolicLinkError([...outwardLinks].map(printable), " that leads out of the project");
  }
}

function isSymbolicLink(path: string): boolean {
  return attempt(() => lstatSync(path).isSymbolicLink()) === true;
}

/** @param suffix text that describes the links further, after a space */
function createSymbolicLinkError(names: readonly string[], suffix = ""): SophiaError {
  const [predicate, pronoun] = names.length === 1 ? ["is a symbolic link", "it"] : ["are symbolic links", "them"];
  return new SophiaError({
    code: "file",
    message: `${enumerate(names)} ${predicate}${suffix}, and nothing is written through ${pronoun}`,
    hint: `remove ${pronoun}, or name the file to write`,
  });
}

/** Explanations of the error codes that users may not know. NOT_REGULAR is a code of sophia-run. */
const ERROR_EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "it is a folder"],
  ["ELOOP", "its symbolic links form a loop"],
  ["NOT_REGULAR", "it is not a regular file"],
]);

function createFileError(name: string, action: "read" | "written", error: unknown): SophiaError {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  const reason = ERROR_EXPLANATIONS.get(code) ?? code;
  const remedy = code === "NOT_REGULAR" ? "remove it" : "check the file, its folder and their permissions";
  return new SophiaError({
    code: "file",
    message: `${name} cannot be ${action} (${reason})`,
    hint: `${remedy}, then run the command again; files already written stay`,
  });
}
