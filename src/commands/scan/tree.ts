/** The files of the working tree. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  type Stats,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { askGit, GitRefusal, recordsOfGit, type Git } from "../git.ts";
import type { Session } from "./session.ts";

const LIST = ["ls-files", "-z", "--others", "--exclude-standard"];
const CHUNK = 1 << 20;
/** Git's warning about a folder that it skips, by its name from the top of the repository. */
const UNREADABLE = /^warning: could not open directory '(.*)': (.*)$/;
const ITSELF = Buffer.from("./");
/** Follows no link, and does not wait for the writer of a pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Searches the files below the paths without those that git ignores, unless the path itself is ignored. Without git it searches
 * all but git's own.
 *
 * @throws SophiaError (file, 125) for a path that does not exist
 */
export async function scanTree(session: Session, git: Git, paths: readonly string[]): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const visit = async (path: Buffer, name: Buffer, isNamed = false): Promise<void> => {
    const kind = inspectFile(session, path, name, buffer);
    if (kind !== "folder") return;
    const prefix = name.equals(Buffer.from(".")) ? Buffer.alloc(0) : withSeparator(name);
    const isWhole = isNamed && (await isIgnored({ ...git, cwd: path.toString() }));
    for await (const inside of isWhole ? walk(path, session) : filesIn(path, git, session)) {
      await visit(Buffer.concat([withSeparator(path), inside]), Buffer.concat([prefix, inside]));
    }
  };
  for (const path of paths.length === 0 ? ["."] : paths) await visit(searchable(path, git), Buffer.from(path), true);
}

/** Returns the file or folder of a path. Links that the user names, or that lead to it, are followed, unlike those in a folder. */
function searchable(path: string, { cwd }: Git): Buffer {
  const unusable = (problem: string): SophiaError =>
    new SophiaError({
      code: "file",
      message: `${printable(path)} ${problem}`,
      hint: "name a file or a folder that exists; what begins with a dash follows --",
    });
  const whole = resolve(cwd, path);
  try {
    const descriptor = openSync(whole, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() && !stat.isDirectory()) throw unusable("is neither a file nor a folder");
    } finally {
      closeSync(descriptor);
    }
    // From the encoding of a buffer, since Bun gives text.
    return Buffer.from(realpathSync(whole, { encoding: "buffer" }));
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw unusable(`cannot be read (${systemErrorCode(error) ?? "UNKNOWN"})`);
  }
}

function withSeparator(path: Buffer): Buffer {
  return path.at(-1) === sep.charCodeAt(0) ? path : Buffer.concat([path, Buffer.from(sep)]);
}

/** Returns true if git ignores the working directory. */
async function isIgnored(git: Git): Promise<boolean> {
  try {
    for await (const _ of askGit(git, ["check-ignore", "--quiet", "."])) continue;
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return false;
  }
}

/** Yields the names of files relative to the folder, and of repositories in it, which are searched by themselves. */
async function* filesIn(folder: Buffer, git: Git, session: Session): AsyncGenerator<Buffer> {
  const warned = (line: string): void => {
    const [, name, why] = UNREADABLE.exec(line) ?? [];
    if (name !== undefined && why !== undefined) session.skipped(session.shown(Buffer.from(name)), printable(why));
  };
  const there = { ...git, cwd: folder.toString(), warned };
  try {
    for await (const name of different(recordsOfGit(there, [...LIST, "--cached"]))) {
      // A submodule that was not checked out: git lists nothing in it.
      if (name.equals(ITSELF)) yield* walk(folder, session);
      else yield name;
    }
    return;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  // With an empty repository git reads .gitignore in any folder.
  const empty = mkdtempSync(join(tmpdir(), "sophia-run-scan-"));
  try {
    for await (const _ of askGit(there, ["init", "--quiet", "--bare", empty])) continue;
    yield* recordsOfGit(there, [`--git-dir=${empty}`, `--work-tree=${there.cwd}`, ...LIST]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    yield* walk(folder, session);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

/** Drops repeated names: a file with a conflict is in the index up to three times, in a row. */
async function* different(names: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last: Buffer | undefined;
  for await (const name of names) {
    if (last?.equals(name) === true) continue;
    last = Buffer.from(name);
    yield last;
  }
}

function* walk(folder: Buffer, session: Session, below: Buffer = Buffer.alloc(0)): Generator<Buffer> {
  const unread = (name: Buffer, error: unknown): void =>
    session.skipped(session.shown(name), systemErrorCode(error) ?? "UNKNOWN");
  let entries;
  try {
    // Without their types: with those Bun gives text.
    entries = readdirSync(Buffer.concat([withSeparator(folder), below]), { encoding: "buffer" });
  } catch (error) {
    return unread(below, error);
  }
  for (const entry of entries) {
    const name = Buffer.concat([below, entry]);
    let status: Stats | undefined;
    try {
      status = lstatSync(Buffer.concat([withSeparator(folder), name]), { throwIfNoEntry: false });
    } catch (error) {
      unread(name, error);
    }
    if (status?.isFile() === true) yield name;
    else if (status?.isDirectory() === true && entry.toString() !== ".git") {
      yield* walk(folder, session, withSeparator(name));
    }
  }
}

/** Searches a file. Skips links, devices and the like; reports what cannot be read. */
function inspectFile(session: Session, path: Buffer, name: Buffer, buffer: Buffer): "folder" | "other" {
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    // A file of the index that was deleted, a link, or a socket.
    if (!["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code)) session.skipped(session.shown(name), code);
    return "other";
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return "folder";
    if (stat.isFile()) inspectDescriptor(session, descriptor, name, buffer);
  } catch (error) {
    session.skipped(session.shown(name), systemErrorCode(error) ?? "UNKNOWN");
  } finally {
    closeSync(descriptor);
  }
  return "other";
}

function inspectDescriptor(session: Session, descriptor: number, name: Buffer, buffer: Buffer): void {
  const inspection = session.inspection();
  for (let more = true; more;) {
    const length = readSync(descriptor, buffer);
    more = length === buffer.length;
    inspection.read(buffer.subarray(0, length), more);
    session.progress(length);
  }
  session.count(0);
  const found = inspection.found();
  if (found.findings.length > 0) session.found({ file: session.shown(name) }, found);
}
