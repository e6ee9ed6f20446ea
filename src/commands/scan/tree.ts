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

const LIST = ["ls-files", "-z", "--others", "--exclude-standard"];
/** Settings of coding agents and of MCP clients, which often hold a key. */
const AGENT_PLACES = [".mcp.json", ".cursor", ".vscode", ".claude", ".codex"];
const IGNORED_SETTINGS = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", ...AGENT_PLACES];
const HOME_PLACES = [...AGENT_PLACES, ".claude.json"];
const CHUNK = 1 << 20;
/** Git's warning about a folder that it skips, by its name from the top of the repository. */
const UNREADABLE = /^warning: could not open directory '(.*)': (.*)$/;
/** The entry for the folder itself. */
const ITSELF = Buffer.from("./");
const NOTHING = Buffer.alloc(0);
/** O_NONBLOCK does not wait for the writer of a pipe. Windows lacks these flags. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * `named` by the user: follows a link, and fails for anything unreadable. `home`: a place in the home folder, which may be a
 * link, as may the files in it (`linked`); a folder behind one of these could be one above.
 */
type Visit = "named" | "home" | "linked" | "listed";

/**
 * Searches the files below the paths but those that git ignores, unless it ignores the path; without git all but `.git`. Of
 * a symbolic link it searches the target's path, as git stores it. Settings of agents are searched although git ignores them.
 *
 * @param home the folder of which the settings of agents are searched as well
 * @throws SophiaError (file, 125) for a path that does not exist
 */
export async function scanTree(search: SecretSearch, git: Git, paths: readonly string[], home?: string): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const names = new NameSearch(search);
  /** Searches a file, and returns true for a folder to enter. */
  const inspect = (path: Buffer, name: Buffer, how: Visit): boolean => {
    const kind = inspectFile(search, path, name, buffer, how);
    if (kind === "file") names.add(name, { within: "name" });
    return kind === "folder" && how !== "linked";
  };
  const enter = async (path: Buffer, name: Buffer, how: Visit): Promise<void> => {
    const [folder, prefix] = [withSeparator(path), name.equals(Buffer.from(".")) ? NOTHING : withSeparator(name)];
    const isWhole = how === "home" || (how === "named" && (await isIgnored({ ...git, cwd: path.toString() })));
    const howInside = how === "home" ? "linked" : "listed";
    for await (const batch of isWhole ? [walk(path, search)] : filesIn(path, git, search)) {
      for (const inside of batch) {
        const pathInside = Buffer.concat([folder, inside]);
        const nameInside = prefix.length === 0 ? inside : Buffer.concat([prefix, inside]);
        if (inspect(pathInside, nameInside, howInside)) await enter(pathInside, nameInside, howInside);
      }
    }
  };
  const visit = async (path: string, name: string, how: Visit): Promise<void> => {
    const [start, shown] = [Buffer.from(path), Buffer.from(name)];
    if (inspect(start, shown, how)) await enter(start, shown, how);
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
    const [, name, why] = UNREADABLE.exec(line) ?? [];
    if (name !== undefined && why !== undefined) search.addUnread(Buffer.from(name), printable(why));
  };
  const gitInFolder = { ...git, cwd: folder.toString(), warned };
  try {
    let last: Buffer | undefined;
    for await (const names of batchesOfGit(gitInFolder, [...LIST, "--cached"])) {
      // In a submodule that is not checked out git lists nothing, but the folder.
      yield distinct(names, last).flatMap((name) => (name.equals(ITSELF) ? [...walk(folder, search)] : [name]));
      last = names.at(-1) ?? last;
    }
    yield* batchesOfGit(gitInFolder, IGNORED_SETTINGS);
    return;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  // With an empty repository git reads .gitignore in any folder.
  const empty = attempt(() => mkdtempSync(join(tmpdir(), "sophia-run-scan-")));
  // Nor is there a folder for temporary files in an empty image.
  if (empty === undefined) return yield walk(folder, search);
  try {
    await textOfGit(gitInFolder, ["init", "--quiet", "--bare", empty]);
    const repository = [`--git-dir=${empty}`, `--work-tree=${gitInFolder.cwd}`];
    for (const list of [LIST, IGNORED_SETTINGS]) yield* batchesOfGit(gitInFolder, [...repository, ...list]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    yield walk(folder, search);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

/** Drops names that repeat the one before: a file with a conflict is in the index up to three times in succession. */
function distinct(names: readonly Buffer[], last: Buffer | undefined): readonly Buffer[] {
  return names.filter((name, index) => (index === 0 ? last : names[index - 1])?.equals(name) !== true);
}

function* walk(folder: Buffer, search: SecretSearch, below: Buffer = NOTHING): Generator<Buffer> {
  let entries;
  try {
    // Without `withFileTypes`, with which Bun returns text.
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
    // Without O_NOFOLLOW the file behind the link would be read.
    const isLink = status?.isSymbolicLink() === true && NO_FOLLOW !== 0;
    if (status?.isFile() === true || isLink) yield name;
    else if (status?.isDirectory() === true && entry.toString() !== ".git") {
      yield* walk(folder, search, withSeparator(name));
    }
  }
}

type Kind = "folder" | "file" | "none";

/** Searches a file; skips devices and pipes. */
function inspectFile(search: SecretSearch, path: Buffer, name: Buffer, buffer: Buffer, how: Visit): Kind {
  const isNamed = how === "named";
  let descriptor: number;
  try {
    descriptor = openSync(path, how === "listed" ? FLAGS | NO_FOLLOW : FLAGS);
  } catch (error) {
    const code = codeOf(error);
    if (isNamed) throw unusable(name, `cannot be read (${code})`);
    // A deleted file of the index.
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    // A link, or a socket.
    if (code === "ELOOP" && how === "listed") inspectLink(search, path, name);
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
