import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  readdirSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { enumerate, printable } from "../../core/text.ts";
import { readFound } from "../../system/bounded-read.ts";
import { systemErrorCode, attempt } from "../../system/errors.ts";
import { makeFolder } from "../../system/folders.ts";
import { EscapingLink, describeEscape, readLinked } from "../../system/linked-file.ts";
import { linkOutOf } from "./project-root.ts";

const MAX_BYTES = 8 * 1024 * 1024;
/** A pipe in the place of the file would wait for its reader. Windows has neither of the last two. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- see above
const OVER = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export interface TargetFile extends NamedFile {
  /** The folder of the project (`projectRoot`), which no symbolic link below it may leave. */
  readonly root: string;
}

/** @returns undefined if the file does not exist @throws SophiaError (file, 125) if it cannot be read */
export async function readIfThere({ path, name }: NamedFile): Promise<string | undefined> {
  try {
    return readFound(path, { maxBytes: MAX_BYTES }).toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unusable(name, "read", error);
  }
}

export function readIn(folder: string, name: string): Promise<string | undefined> {
  return readIfThere({ path: join(folder, name), name });
}

/**
 * Reads a file as `readIn`, but no link out of the repository: the values of another project do not get into a new contract.
 *
 * @throws SophiaError (link-outside, 125); (file, 125) if it cannot be read
 */
export async function readWithin(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  if (!isLink(path)) return readIn(folder, name);
  try {
    const bytes = readLinked(path, { maxBytes: MAX_BYTES, accept: (stats) => stats.isFile() });
    return bytes.toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    if (!(error instanceof EscapingLink)) throw unusable(name, "read", error);
    const hint = "put a copy of what it leads to in its place";
    throw new SophiaError({ code: "link-outside", message: describeEscape(name, error.escape), hint });
  }
}

export interface WorkflowFile {
  readonly name: string;
  readonly text: string;
}

/** Reads the GitHub Actions workflows of a repository, by name. @throws SophiaError (file, 125) if one cannot be read */
export async function workflowsIn(root: string): Promise<readonly WorkflowFile[]> {
  const folder = join(root, ".github", "workflows");
  const read = async (name: string): Promise<readonly WorkflowFile[]> => {
    const text = await readIfThere({ path: join(folder, name), name: `.github/workflows/${name}` });
    return text === undefined ? [] : [{ name, text }];
  };
  return (await Promise.all(namesIn(folder).map(read))).flat();
}

function namesIn(folder: string): readonly string[] {
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
 * Writes a file and missing folders; refuses links, whose target the user did not name. If the text does not fit on the
 * disk, a new file is removed, and another has its former content. @throws SophiaError (file, 125)
 */
export function writeText(file: TargetFile, text: string, flag: "w" | "wx" = "w"): void {
  const { path, name } = file;
  refuseLinks([file]);
  try {
    makeFolder(dirname(path));
    if (flag === "wx" || !existsSync(path)) create(path, text);
    else replace(path, Buffer.from(text));
  } catch (error) {
    throw isLink(path) ? throughLinks([name]) : unusable(name, "written", error);
  }
}

function create(path: string, text: string): void {
  const descriptor = openSync(path, "wx");
  try {
    writeFileSync(descriptor, text);
  } catch (error) {
    attempt(() => unlinkSync(path));
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes over the content, so that the file keeps its owner and its links, and its space for the former content. */
function replace(path: string, bytes: Uint8Array): void {
  const former = readFound(path, { maxBytes: Infinity });
  try {
    writeOver(path, bytes);
  } catch (error) {
    attempt(() => writeOver(path, former));
    throw error;
  }
}

function writeOver(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, OVER);
  try {
    writeFileSync(descriptor, bytes);
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file in one step, so that no other program reads half of it; it keeps its mode. One of another owner, or with further
 * hard links, is written over, since a new file would lose these. Refuses links. @throws SophiaError (file, 125)
 */
export function writeAtomically(file: TargetFile, text: string): void {
  refuseIrregular(file);
  const stats = statSync(file.path, { throwIfNoEntry: false });
  // Windows has no owner of this kind.
  const isForeign = stats !== undefined && stats.uid !== (process.getuid?.() ?? stats.uid);
  if (isForeign || (stats?.nlink ?? 1) > 1) {
    writeText(file, text);
    return;
  }
  replaceFile(file, text, stats === undefined ? undefined : stats.mode & 0o7777);
}

/** Writes a file that only its owner can read, atomically. @throws SophiaError (file, 125) */
export function writePrivately(file: TargetFile, text: string): void {
  refuseIrregular(file);
  replaceFile(file, text, 0o600);
}

/** @param mode undefined for the one that the system gives to new files */
function replaceFile(file: TargetFile, text: string, mode: number | undefined): void {
  const temporary = `${file.path}.${randomBytes(8).toString("hex")}`;
  try {
    // Not by the option `flush`, which other runtimes may ignore.
    const descriptor = openSync(temporary, "wx", mode ?? 0o666);
    try {
      // The system takes bits from the mode of a new file.
      if (mode !== undefined && mode !== 0o600) fchmodSync(descriptor, mode);
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file.path);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The first error is the cause.
    }
    throw unusable(file.name, "written", error);
  }
}

/** @throws SophiaError (file, 125) for a link, a folder, a device or a pipe, which must not be replaced by a file */
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

/** Refuses symbolic links, and files below a link that leads out of the project. @throws SophiaError (file, 125) */
export function refuseLinks(files: readonly TargetFile[]): void {
  const links = files.filter(({ path }) => isLink(path));
  if (links.length > 0) throw throughLinks(links.map(({ name }) => name));
  const outward = files.flatMap(({ path, root }) => linkOutOf(root, path) ?? []);
  if (outward.length > 0) throw throughLinks([...new Set(outward)].map(printable), " that leads out of the project");
}

function isLink(path: string): boolean {
  return attempt(() => lstatSync(path).isSymbolicLink()) === true;
}

function throughLinks(names: readonly string[], what = ""): SophiaError {
  const [are, pronoun] = names.length === 1 ? ["is a symbolic link", "it"] : ["are symbolic links", "them"];
  return new SophiaError({
    code: "file",
    message: `${enumerate(names)} ${are}${what}, and nothing is written through ${pronoun}`,
    hint: `remove ${pronoun}, or name the file to write`,
  });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "it is a folder"],
  ["ELOOP", "its symbolic links form a loop"],
  ["NOT_REGULAR", "it is not a regular file"],
]);

function unusable(name: string, what: "read" | "written", error: unknown): SophiaError {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  const reason = REASONS.get(code) ?? code;
  const remedy = code === "NOT_REGULAR" ? "remove it" : "check the file, its folder and their permissions";
  return new SophiaError({
    code: "file",
    message: `${name} cannot be ${what} (${reason})`,
    hint: `${remedy}, then run the command again; files already written stay`,
  });
}
