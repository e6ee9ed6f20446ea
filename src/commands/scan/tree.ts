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
const ITSELF = Buffer.from("./");
/** Not through a link, and not waiting for the writer of a pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Goes through the files below the paths but for those that git ignores. Without git all are gone through, but for
 * git's own.
 *
 * @throws SophiaError (file, 125) for a path that does not exist
 */
export async function scanTree(session: Session, git: Git, paths: readonly string[]): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const visit = async (path: Buffer, name: Buffer): Promise<void> => {
    const kind = inspectFile(session, path, name, buffer);
    if (kind !== "folder") return;
    const prefix = name.equals(Buffer.from(".")) ? Buffer.alloc(0) : withSeparator(name);
    for await (const inside of filesIn(path, git)) {
      await visit(Buffer.concat([withSeparator(path), inside]), Buffer.concat([prefix, inside]));
    }
  };
  for (const path of paths.length === 0 ? ["."] : paths) {
    const whole = resolve(git.cwd, path);
    checkIsThere(path, whole);
    await visit(Buffer.from(whole), Buffer.from(path));
  }
}

function checkIsThere(path: string, whole: string): void {
  try {
    closeSync(openSync(whole, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  } catch (error) {
    throw new SophiaError({
      code: "file",
      message: `${printable(path)} cannot be read (${systemErrorCode(error) ?? "UNKNOWN"})`,
      hint: "name a file or a folder that exists; what begins with a dash follows --",
    });
  }
}

function withSeparator(path: Buffer): Buffer {
  return path.at(-1) === sep.charCodeAt(0) ? path : Buffer.concat([path, Buffer.from(sep)]);
}

/** Names of files relative to the folder, and of repositories in it, which are gone through by themselves. */
async function* filesIn(folder: Buffer, git: Git): AsyncGenerator<Buffer> {
  const there = { ...git, cwd: folder.toString() };
  try {
    for await (const name of different(recordsOfGit(there, [...LIST, "--cached"]))) {
      // The folder itself: it is that of a submodule that was not checked out, and git looks into nothing in it.
      if (name.equals(ITSELF)) yield* walk(folder);
      else yield name;
    }
    return;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  // Git reads .gitignore without a repository, too, if it is given an empty one.
  const empty = mkdtempSync(join(tmpdir(), "sophia-run-scan-"));
  try {
    for await (const _ of askGit(there, ["init", "--quiet", "--bare", empty])) continue;
    yield* recordsOfGit(there, [`--git-dir=${empty}`, `--work-tree=${there.cwd}`, ...LIST]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    yield* walk(folder);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

/** A file with a conflict stands in the index up to three times, in a row. */
async function* different(names: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last: Buffer | undefined;
  for await (const name of names) {
    if (last?.equals(name) === true) continue;
    last = Buffer.from(name);
    yield last;
  }
}

function* walk(folder: Buffer, below: Buffer = Buffer.alloc(0)): Generator<Buffer> {
  let entries;
  try {
    // Without their types: with those Bun gives text.
    entries = readdirSync(Buffer.concat([withSeparator(folder), below]), { encoding: "buffer" });
  } catch {
    return;
  }
  for (const entry of entries) {
    const name = Buffer.concat([below, entry]);
    const status = statusOf(Buffer.concat([withSeparator(folder), name]));
    if (status?.isFile() === true) yield name;
    else if (status?.isDirectory() === true && entry.toString() !== ".git") yield* walk(folder, withSeparator(name));
  }
}

function statusOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Goes through a file. A link, a device and the like are passed over; what cannot be read is told. */
function inspectFile(session: Session, path: Buffer, name: Buffer, buffer: Buffer): "folder" | "other" {
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    // It is in the index and was deleted, or it is a link, or a socket.
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
  const findings = inspection.findings();
  if (findings.length > 0) session.found({ file: session.shown(name) }, findings);
}
