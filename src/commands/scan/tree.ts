/** Searches the files of folders, as git lists them, and the settings of coding agents, which git often ignores. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode, attempt } from "../../system/errors.ts";
import { batchesOfGit, GitRefusal, type Git } from "../../access/git-command.ts";
import { NameSearch } from "./scanned-names.ts";
import { textOfGit } from "./git-objects.ts";
import type { SecretSearch } from "./secret-search.ts";

const LIST_UNTRACKED = ["ls-files", "-z", "--others", "--exclude-standard"];
/** Settings of coding agents and of MCP clients, which often hold a key. */
const AGENT_PLACES = [".mcp.json", ".cursor", ".vscode", ".claude", ".codex"];
const LIST_IGNORED_SETTINGS = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", ...AGENT_PLACES];
const HOME_PLACES = [...AGENT_PLACES, ".claude.json"];
const CHUNK_BYTES = 1 << 20;
/** Git's warning about a folder that it cannot read, with the folder's path from the top of the repository. */
const UNREADABLE_FOLDER = /^warning: could not open directory '(.*)': (.*)$/;
/** The entry by which git lists the folder itself. */
const FOLDER_ITSELF = Buffer.from("./");
const EMPTY = Buffer.alloc(0);
/** With O_NONBLOCK, opening a named pipe does not wait for its writer. Windows lacks these flags. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** How a path was found, which decides about symbolic links and about what cannot be read. */
type PathOrigin =
  /** The user has named it: a link is followed, and it is an error if it cannot be read. */
  | "named"
  /** Settings of an agent in the home folder: a link is followed. */
  | "home"
  /** A file in such settings: a link to a file is followed. A link to a folder is not, as it could lead to a folder above. */
  | "linked"
  /** A file that git or a walk has listed: of a link the target's path is searched. */
  | "listed";

/**
 * Searches the files below the paths. Files that git ignores are skipped, unless git ignores the path itself, or they are
 * settings of agents. Without git all files but `.git` are searched. Of a symbolic link the target's path is searched, because
 * git stores that path as its content.
 *
 * @param home the folder whose settings of agents are searched as well
 * @throws SophiaError (file, 125) for a path that does not exist
 */
export async function scanTree(search: SecretSearch, git: Git, paths: readonly string[], home?: string): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const names = new NameSearch(search);
  /** Searches a file, and returns true for a folder to enter. */
  const inspect = (path: Buffer, name: Buffer, origin: PathOrigin): boolean => {
    const fileKind = inspectFile(search, path, name, buffer, origin);
    if (fileKind === "file") names.add(name, { within: "name" });
    return fileKind === "folder" && origin !== "linked";
  };
  /** Searches the files in a folder, and enters the folders that git lists as repositories of their own. */
  const enter = async (path: Buffer, name: Buffer, origin: PathOrigin): Promise<void> => {
    const [folder, prefix] = [withSeparator(path), name.equals(Buffer.from(".")) ? EMPTY : withSeparator(name)];
    const isSearchedWhole =
      origin === "home" || (origin === "named" && (await isIgnored({ ...git, cwd: path.toString() })));
    const originInside = origin === "home" ? "linked" : "listed";
    for await (const batch of isSearchedWhole ? [walk(path, search)] : filesIn(path, git, search)) {
      for (const inside of batch) {
        const pathInside = Buffer.concat([folder, inside]);
        const nameInside = prefix.length === 0 ? inside : Buffer.concat([prefix, inside]);
        if (inspect(pathInside, nameInside, originInside)) await enter(pathInside, nameInside, originInside);
      }
    }
  };
  const visit = async (path: string, name: string, origin: PathOrigin): Promise<void> => {
    const [start, shown] = [Buffer.from(path), Buffer.from(name)];
    if (inspect(start, shown, origin)) await enter(start, shown, origin);
  };
  for (const path of paths.length === 0 ? ["."] : paths) await visit(resolve(git.cwd, path), path, "named");
  const settings = home === undefined ? [] : HOME_PLACES.map((place) => join(home, place));
  for (const path of settings) await visit(path, path, "home");
  names.flush();
}

function withSeparator(path: Buffer): Buffer {
  return path.at(-1) === sep.charCodeAt(0) ? path : Buffer.concat([path, Buffer.from(sep)]);
}

async function isIgnored(git: Git): Promise<boolean> {
  try {
    await textOfGit(git, ["check-ignore", "--quiet", "."]);
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return false;
  }
}

/** Yields the names of files relative to the folder, and of repositories in it, which are searched separately; in batches. */
async function* filesIn(folder: Buffer, git: Git, search: SecretSearch): AsyncGenerator<Iterable<Buffer>> {
  const warned = (line: string): void => {
    const [, name, why] = UNREADABLE_FOLDER.exec(line) ?? [];
    if (name !== undefined && why !== undefined) search.addUnread(Buffer.from(name), printable(why));
  };
  const gitInFolder = { ...git, cwd: folder.toString(), warned };
  try {
    let previous: Buffer | undefined;
    for await (const names of batchesOfGit(gitInFolder, [...LIST_UNTRACKED, "--cached"])) {
      // If a submodule is not checked out, git lists only the folder itself.
      yield withoutRepetitions(names, previous).flatMap((name) =>
        name.equals(FOLDER_ITSELF) ? [...walk(folder, search)] : [name],
      );
      previous = names.at(-1) ?? previous;
    }
    yield* batchesOfGit(gitInFolder, LIST_IGNORED_SETTINGS);
    return;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  // Here is no repository. With an empty one, made elsewhere, git applies the .gitignore files of any folder.
  const emptyRepository = attempt(() => mkdtempSync(join(tmpdir(), "sophia-run-scan-")));
  // An image without anything else has no folder for temporary files.
  if (emptyRepository === undefined) return yield walk(folder, search);
  try {
    await textOfGit(gitInFolder, ["init", "--quiet", "--bare", emptyRepository]);
    const repository = [`--git-dir=${emptyRepository}`, `--work-tree=${gitInFolder.cwd}`];
    for (const list of [LIST_UNTRACKED, LIST_IGNORED_SETTINGS])
      yield* batchesOfGit(gitInFolder, [...repository, ...list]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    yield walk(folder, search);
  } finally {
    rmSync(emptyRepository, { recursive: true, force: true });
  }
}

/** Returns the names but those that repeat the name before them: a file with a conflict is in the index up to three times in succession. */
function withoutRepetitions(names: readonly Buffer[], previous: Buffer | undefined): readonly Buffer[] {
  return names.filter((name, index) => (index === 0 ? previous : names[index - 1])?.equals(name) !== true);
}

/** Yields the names of all files in a folder and below, relative to the folder, but those in `.git`. */
function* walk(folder: Buffer, search: SecretSearch, below: Buffer = EMPTY): Generator<Buffer> {
  let entries;
  try {
    // The option `withFileTypes` is not used, because Bun then returns names as text.
    entries = readdirSync(Buffer.concat([withSeparator(folder), below]), { encoding: "buffer" });
  } catch (error) {
    return search.addUnread(below, codeOf(error));
  }
  for (const entry of entries) {
    const name = Buffer.concat([below, entry]);
    let status: Stats | undefined;
    try {
      status = lstatSync(Buffer.concat([withSeparator(folder), name]), { throwIfNoEntry: false });
    } catch (error) {
      search.addUnread(name, codeOf(error));
    }
    // If O_NOFOLLOW does not exist (Windows), links are skipped, since opening one would read the file behind it.
    const isLink = status?.isSymbolicLink() === true && NO_FOLLOW !== 0;
    if (status?.isFile() === true || isLink) yield name;
    else if (status?.isDirectory() === true && entry.toString() !== ".git") {
      yield* walk(folder, search, withSeparator(name));
    }
  }
}

type FileKind = "folder" | "file" | "none";

/** Searches a file, or the target of a link. Devices and pipes are skipped. */
function inspectFile(search: SecretSearch, path: Buffer, name: Buffer, buffer: Buffer, origin: PathOrigin): FileKind {
  const isNamed = origin === "named";
  let descriptor: number;
  try {
    descriptor = openSync(path, origin === "listed" ? OPEN_FLAGS | NO_FOLLOW : OPEN_FLAGS);
  } catch (error) {
    const code = codeOf(error);
    if (isNamed) throw unusable(name, `cannot be read (${code})`);
    // The index still has a file that was deleted.
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    // ELOOP is the answer to O_NOFOLLOW for a link, and ENXIO the one for a socket.
    if (code === "ELOOP" && origin === "listed") inspectLink(search, path, name);
    else if (code !== "ENXIO") search.addUnread(name, code);
    return "file";
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return "folder";
    if (stat.isFile()) inspectDescriptor(search, descriptor, name, buffer);
    else if (isNamed) throw unusable(name, "is neither a file nor a folder");
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    search.addUnread(name, codeOf(error));
  } finally {
    closeSync(descriptor);
  }
  return "file";
}

function inspectLink(search: SecretSearch, path: Buffer, name: Buffer): void {
  const target = attempt(() => readlinkSync(path, { encoding: "buffer" }));
  const found = target === undefined ? undefined : search.inspect(target);
  if (found !== undefined && found.findings.length > 0) {
    search.add({ file: search.maskName(name), within: "target" }, found);
  }
}

function unusable(name: Buffer, problem: string): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${printable(name.toString())} ${problem}`,
    hint: "name an existing file or folder; behind -- its name may begin with a dash",
  });
}

function inspectDescriptor(search: SecretSearch, descriptor: number, name: Buffer, buffer: Buffer): void {
  const inspection = search.createInspection();
  for (let more = true; more;) {
    const length = readSync(descriptor, buffer);
    more = length === buffer.length;
    inspection.read(buffer.subarray(0, length), more);
    search.showProgress(length);
  }
  search.contents += 1;
  const found = inspection.result();
  if (found.findings.length > 0) search.add({ file: search.maskName(name) }, found);
}

function codeOf(error: unknown): string {
  return systemErrorCode(error) ?? "UNKNOWN";
}
