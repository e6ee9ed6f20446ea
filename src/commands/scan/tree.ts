/**
 * The part of `sophia-run scan` that searches files for secrets: the files in folders as git lists them, and the settings of coding
 * agents, which git often ignores. (`--staged` and `--history` search git's objects: index-search.ts and history-search.ts.)
 *
 * Paths and names are buffers, since a file's name may be no valid UTF-8. A path is what the system opens; the name of the same
 * file is what a report shows, such as a path that is relative to the folder that the user named.
 */
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
import { readGitRecordBatches, GitRefusal, type Git } from "../../access/git-command.ts";
import { NameSearch } from "./scanned-names.ts";
import { readGitOutput } from "./git-objects.ts";
import type { SecretSearch } from "./secret-search.ts";

const LIST_UNTRACKED_COMMAND = ["ls-files", "-z", "--others", "--exclude-standard"];
/** The files and folders in which coding agents and MCP clients have their settings, which often hold a key. */
const AGENT_SETTINGS_PATHS = [".mcp.json", ".cursor", ".vscode", ".claude", ".codex"];
const LIST_IGNORED_SETTINGS_COMMAND = [
  "ls-files",
  "-z",
  "--others",
  "--ignored",
  "--exclude-standard",
  "--",
  ...AGENT_SETTINGS_PATHS,
];
const HOME_SETTINGS_PATHS = [...AGENT_SETTINGS_PATHS, ".claude.json"];
/** The length of each read. */
const CHUNK_BYTES = 1 << 20;
/** Git's warning about a folder that it cannot read, with the folder's path from the top of the repository. */
const UNREADABLE_FOLDER_WARNING = /^warning: could not open directory '(.*)': (.*)$/;
/** The entry that git lists for the working directory itself. */
const WORKING_DIRECTORY_ENTRY = Buffer.from("./");
const EMPTY_PATH = Buffer.alloc(0);
/** With O_NONBLOCK, opening a named pipe does not wait for its writer. Windows lacks these flags. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_FOLLOW_FLAG = constants.O_NOFOLLOW ?? 0;

/** How a path was found, which decides about symbolic links and about what cannot be read. */
type PathOrigin =
  /** The user named the path: a link is followed, and a path that cannot be read is an error. */
  | "named"
  /** The path is a place for settings of agents in the home folder: a link is followed, and the place may be absent. */
  | "home"
  /** The path is in such a place: a link to a file is followed. A link to a folder is not, since it could lead to a folder above. */
  | "linked"
  /** Git or a walk listed the path: a link is not followed, but the path of its target is searched. */
  | "listed";

/**
 * Searches the files at and below the paths. Skips files that git ignores, unless git ignores the path itself, or the files are
 * settings of agents. Without git, searches all files except for `.git` folders. For a symbolic link, searches the path of its
 * target, because git stores that path as the content of the link.
 *
 * @param home the home folder, whose settings of agents are searched as well (`--home`)
 * @throws SophiaError (file, 125) for a path that does not exist
 */
export async function scanTree(search: SecretSearch, git: Git, paths: readonly string[], home?: string): Promise<void> {
  const treeSearch = new TreeSearch(search, git);
  for (const path of paths.length === 0 ? ["."] : paths) {
    await treeSearch.searchPath({
      path: Buffer.from(resolve(git.cwd, path)),
      name: Buffer.from(path),
      origin: "named",
    });
  }
  const homeSettings = home === undefined ? [] : HOME_SETTINGS_PATHS.map((place) => Buffer.from(join(home, place)));
  for (const path of homeSettings) await treeSearch.searchPath({ path, name: path, origin: "home" });
  treeSearch.flushNames();
}

/** A file or a folder to search. */
interface SearchedPath {
  /** The absolute path. */
  readonly path: Buffer;
  /** The path in reports. */
  readonly name: Buffer;
  readonly origin: PathOrigin;
}

/** Searches files and folders one after the other, with one buffer for all of them. */
class TreeSearch {
  readonly #search: SecretSearch;
  readonly #git: Git;
  readonly #names: NameSearch;
  /** Holds a part of one file at a time. All files share it, so that a search of many files makes no garbage. */
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(search: SecretSearch, git: Git) {
    this.#search = search;
    this.#git = git;
    this.#names = new NameSearch(search);
  }

  /** Searches a file and its name, or the files in a folder. */
  async searchPath(searched: SearchedPath): Promise<void> {
    if (this.#searchUnlessFolder(searched)) await this.#searchFolder(searched);
  }

  /** Searches a file and its name. Not async, since most entries are files. @returns true for a folder that must be searched */
  #searchUnlessFolder(searched: SearchedPath): boolean {
    const fileKind = inspectFile(this.#search, searched, this.#buffer);
    if (fileKind === "file") this.#names.add(searched.name, { within: "name" });
    return fileKind === "folder" && searched.origin !== "linked";
  }

  /** Searches the names that are still collected. */
  flushNames(): void {
    this.#names.flush();
  }

  /** Searches the files in a folder. Git lists a repository in the folder as one entry, which is searched as a folder again. */
  async #searchFolder({ path, name, origin }: SearchedPath): Promise<void> {
    const pathPrefix = withSeparator(path);
    // Reports show `a/b` rather than `./a/b`.
    const namePrefix = name.equals(Buffer.from(".")) ? EMPTY_PATH : withSeparator(name);
    const originInside = origin === "home" ? "linked" : "listed";
    for await (const batch of await this.#listFiles(path, origin)) {
      for (const entry of batch) {
        const pathInside: SearchedPath = {
          path: Buffer.concat([pathPrefix, entry]),
          name: namePrefix.length === 0 ? entry : Buffer.concat([namePrefix, entry]),
          origin: originInside,
        };
        if (this.#searchUnlessFolder(pathInside)) await this.#searchFolder(pathInside);
      }
    }
  }

  /** Returns the files in a folder: all of them if the user wants what git ignores, and otherwise those that git lists. */
  async #listFiles(
    path: Buffer,
    origin: PathOrigin,
  ): Promise<AsyncIterable<Iterable<Buffer>> | Iterable<Iterable<Buffer>>> {
    const includesIgnored =
      origin === "home" || (origin === "named" && (await isIgnoredByGit({ ...this.#git, cwd: path.toString() })));
    return includesIgnored ? [walkFolder(path, this.#search)] : listFilesByGit(path, this.#git, this.#search);
  }
}

function withSeparator(path: Buffer): Buffer {
  return path.at(-1) === sep.charCodeAt(0) ? path : Buffer.concat([path, Buffer.from(sep)]);
}

/** Returns true if git ignores its working directory. Outside of a repository git refuses, and nothing is ignored. */
async function isIgnoredByGit(git: Git): Promise<boolean> {
  try {
    await readGitOutput(git, ["check-ignore", "--quiet", "."]);
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return false;
  }
}

/**
 * Yields, in batches, the names of the files that git lists in a folder and of the repositories in it, relative to the folder.
 *
 * - In a repository, git lists the files of its index, the untracked files that it does not ignore, and ignored settings of agents.
 * - Elsewhere, git does the same with an empty repository, so that .gitignore files have their effect.
 * - If there is no git, this lists all files.
 */
async function* listFilesByGit(folder: Buffer, git: Git, search: SecretSearch): AsyncGenerator<Iterable<Buffer>> {
  /** Git calls this with each line of its standard error. */
  const onWarning = (line: string): void => {
    const [, name, why] = UNREADABLE_FOLDER_WARNING.exec(line) ?? [];
    if (name !== undefined && why !== undefined) search.addUnreadFile(Buffer.from(name), printable(why));
  };
  const gitInFolder = { ...git, cwd: folder.toString(), warned: onWarning };
  try {
    yield* listFilesOfRepository(folder, gitInFolder, search);
    return;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  yield* listFilesWithoutRepository(folder, gitInFolder, search);
}

/** Yields the files of a folder in a repository, in batches. @throws GitRefusal if the folder is in no repository */
async function* listFilesOfRepository(
  folder: Buffer,
  gitInFolder: Git,
  search: SecretSearch,
): AsyncGenerator<Iterable<Buffer>> {
  let lastName: Buffer | undefined;
  for await (const names of readGitRecordBatches(gitInFolder, [...LIST_UNTRACKED_COMMAND, "--cached"])) {
    // If a submodule is not checked out, git lists only the folder itself.
    yield omitRepetitions(names, lastName).flatMap((name) =>
      name.equals(WORKING_DIRECTORY_ENTRY) ? [...walkFolder(folder, search)] : [name],
    );
    lastName = names.at(-1) ?? lastName;
  }
  yield* readGitRecordBatches(gitInFolder, LIST_IGNORED_SETTINGS_COMMAND);
}

/** Yields the files of a folder outside of any repository, in batches. */
async function* listFilesWithoutRepository(
  folder: Buffer,
  gitInFolder: Git,
  search: SecretSearch,
): AsyncGenerator<Iterable<Buffer>> {
  // Git applies .gitignore files only in a repository, so an empty one is created in another folder.
  const emptyRepository = attempt(() => mkdtempSync(join(tmpdir(), "sophia-run-scan-")));
  // A minimal container image may have no folder for temporary files.
  if (emptyRepository === undefined) return yield walkFolder(folder, search);
  try {
    await readGitOutput(gitInFolder, ["init", "--quiet", "--bare", emptyRepository]);
    const repositoryOptions = [`--git-dir=${emptyRepository}`, `--work-tree=${gitInFolder.cwd}`];
    for (const listCommand of [LIST_UNTRACKED_COMMAND, LIST_IGNORED_SETTINGS_COMMAND])
      yield* readGitRecordBatches(gitInFolder, [...repositoryOptions, ...listCommand]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    yield walkFolder(folder, search);
  } finally {
    rmSync(emptyRepository, { recursive: true, force: true });
  }
}

/**
 * Returns the names without those that are equal to the name before them. After a merge with a conflict, the index has a file up to
 * three times in succession.
 *
 * @param lastName the last name of the previous batch
 */
function omitRepetitions(names: readonly Buffer[], lastName: Buffer | undefined): readonly Buffer[] {
  return names.filter((name, index) => (index === 0 ? lastName : names[index - 1])?.equals(name) !== true);
}

/**
 * Yields the names of all files in a folder and below it, relative to the folder, except for those in `.git` folders.
 *
 * @param subfolder the part of the folder that is walked, with a separator at its end; empty for all
 */
function* walkFolder(folder: Buffer, search: SecretSearch, subfolder: Buffer = EMPTY_PATH): Generator<Buffer> {
  let entries;
  try {
    // The option `withFileTypes` is not used, because Bun then returns names as text.
    entries = readdirSync(Buffer.concat([withSeparator(folder), subfolder]), { encoding: "buffer" });
  } catch (error) {
    return search.addUnreadFile(subfolder, errorCodeOf(error));
  }
  for (const entry of entries) {
    const name = Buffer.concat([subfolder, entry]);
    let status: Stats | undefined;
    try {
      status = lstatSync(Buffer.concat([withSeparator(folder), name]), { throwIfNoEntry: false });
    } catch (error) {
      search.addUnreadFile(name, errorCodeOf(error));
    }
    // If O_NOFOLLOW does not exist (Windows), links are skipped, since opening one would read the file behind it.
    const isLink = status?.isSymbolicLink() === true && NO_FOLLOW_FLAG !== 0;
    if (status?.isFile() === true || isLink) yield name;
    else if (status?.isDirectory() === true && entry.toString() !== ".git") {
      yield* walkFolder(folder, search, withSeparator(name));
    }
  }
}

/** `file` is anything but a folder; `none`: nothing exists at the path. */
type FileKind = "folder" | "file" | "none";

/**
 * Searches the content of a file, or the target of a symbolic link. Skips devices, named pipes and sockets. The caller searches
 * folders.
 *
 * @throws SophiaError (file, 125) if the user named the path and it cannot be searched
 */
function inspectFile(search: SecretSearch, { path, name, origin }: SearchedPath, buffer: Buffer): FileKind {
  const isNamed = origin === "named";
  let descriptor: number;
  try {
    descriptor = openSync(path, origin === "listed" ? OPEN_FLAGS | NO_FOLLOW_FLAG : OPEN_FLAGS);
  } catch (error) {
    const code = errorCodeOf(error);
    if (isNamed) throw createPathError(name, `cannot be read (${code})`);
    // Git also lists files of the index that were deleted from the working tree.
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    // With O_NOFOLLOW, open(2) fails with ELOOP for a symbolic link. It fails with ENXIO for a socket.
    if (code === "ELOOP" && origin === "listed") inspectLink(search, path, name);
    else if (code !== "ENXIO") search.addUnreadFile(name, code);
    return "file";
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return "folder";
    if (stat.isFile()) inspectDescriptor(search, descriptor, name, buffer);
    else if (isNamed) throw createPathError(name, "is neither a file nor a folder");
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    search.addUnreadFile(name, errorCodeOf(error));
  } finally {
    closeSync(descriptor);
  }
  return "file";
}

/** Searches the target of a symbolic link. A link that another process has removed meanwhile is skipped. */
function inspectLink(search: SecretSearch, path: Buffer, name: Buffer): void {
  const target = attempt(() => readlinkSync(path, { encoding: "buffer" }));
  if (target === undefined) return;
  const contentFindings = search.inspect(target);
  if (contentFindings.findings.length > 0) {
    search.addFindings({ file: search.maskName(name), within: "target" }, contentFindings);
  }
}

function createPathError(name: Buffer, problem: string): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${printable(name.toString())} ${problem}`,
    hint: "name an existing file or folder; behind -- its name may begin with a dash",
  });
}

/** Searches an open file. @throws an error such as Node.js throws if a read fails */
function inspectDescriptor(search: SecretSearch, descriptor: number, name: Buffer, buffer: Buffer): void {
  const inspection = search.createInspection();
  let hasNext = true;
  while (hasNext) {
    const length = readSync(descriptor, buffer);
    // A read of a regular file is shorter than the buffer only at the end of the file.
    hasNext = length === buffer.length;
    inspection.read(buffer.subarray(0, length), hasNext);
    search.showProgress(length);
  }
  search.searchedContentCount += 1;
  const contentFindings = inspection.collectFindings();
  if (contentFindings.findings.length > 0) search.addFindings({ file: search.maskName(name) }, contentFindings);
}

function errorCodeOf(error: unknown): string {
  return systemErrorCode(error) ?? "UNKNOWN";
}
