/**
 * The file of the audit log, to which processes append at the same time, each line in one write, which never mixes with
 * another (POSIX, write(2) with O_APPEND). Full logs get unique names: no line is lost if two processes rename one.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type Stats,
  readSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { SophiaError } from "../../../core/error.ts";
import { shellWord } from "../../../core/shell.ts";
import { printable } from "../../../core/text.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import { makeFolder } from "../../../system/folders.ts";

const MAX_BYTES = 5 * 1024 * 1024;
/** The limit of all renamed logs together; the latest are kept. */
const MAX_BYTES_RENAMED = 4 * MAX_BYTES;

const OTHERS_WRITE = 0o022;

/**
 * Appends a line that ends with a line break. `path` is absolute; a new file is readable only by its owner.
 *
 * @throws SophiaError (audit, 125) if this fails, or if the file is irregular or may be changed by another user but root
 */
export function appendToLog(path: string, line: string): void {
  try {
    const bytes = Buffer.from(line);
    const isFull = ({ size }: Stats): boolean => size > 0 && size + bytes.length > MAX_BYTES;
    let log = open(path);
    if (isFull(log.stats) && renameFull(path, log.stats)) {
      closeSync(log.descriptor);
      log = open(path);
    }
    try {
      // A full disk may have left the beginning of a line.
      const whole = endsInMidLine(log.descriptor, log.stats.size) ? Buffer.concat([Buffer.from("\n"), bytes]) : bytes;
      if (writeSync(log.descriptor, whole) !== whole.length)
        throw unusable(path, "is full: the line does not fit on the disk");
    } finally {
      closeSync(log.descriptor);
    }
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw unusable(path, `cannot be written (${systemErrorCode(error) ?? "UNKNOWN"})`);
  }
}

function open(path: string): { readonly descriptor: number; readonly stats: Stats } {
  // Checked before open(2), which has effects on some devices.
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() === true) throw unusable(path, "is a symbolic link");
  if (entry?.isFile() === false) throw irregular(path);
  if (entry === undefined) makeFolder(dirname(path), 0o700);
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  // Undefined on Windows: the last three.
  const flags = [O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY].reduce((all, one) => all | (one ?? 0), 0);
  const descriptor = openSync(path, flags, 0o600);
  const stats = fstatSync(descriptor);
  const problem = problemOf(path, stats);
  if (problem === undefined) return { descriptor, stats };
  closeSync(descriptor);
  throw problem;
}

function problemOf(path: string, stats: Stats): SophiaError | undefined {
  if (!stats.isFile()) return irregular(path);
  // Windows has no such owners and modes.
  if (process.geteuid === undefined) return undefined;
  // The owner can change the content; root can change every file.
  if (stats.uid !== process.geteuid() && stats.uid !== 0) {
    return unusable(path, `belongs to another user (uid ${stats.uid})`);
  }
  if ((stats.mode & OTHERS_WRITE) === 0) return undefined;
  return unusable(path, "can be written by other users", `run chmod go-w ${shellWord(path)}, then start again`);
}

/** @returns false if the folder does not allow it: the log grows until an administrator rotates it */
function renameFull(path: string, full: Stats): boolean {
  const current = statSync(path, { throwIfNoEntry: false });
  if (current?.ino !== full.ino || current.dev !== full.dev) return true;
  const time = new Date().toISOString().replaceAll(/[^\dTZ]/g, "");
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  try {
    renameSync(path, `${path}.${time}-${randomBytes(4).toString("hex")}`);
  } catch (error) {
    return systemErrorCode(error) === "ENOENT";
  }
  removeOldest(path, full.uid);
  return true;
}

/** @param owner of the log, and of those that are counted and removed */
function removeOldest(path: string, owner: number): void {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  let size = 0;
  try {
    const renamed = readdirSync(folder).filter(
      (name) => name.startsWith(start) && /^\d{8}T\d{9}Z-[\da-f]{8}$/.test(name.slice(start.length)),
    );
    for (const name of renamed.toSorted().toReversed()) {
      const file = join(folder, name);
      const stats = lstatSync(file, { throwIfNoEntry: false });
      // In a folder such as /tmp another user could make a large one, after which none of these would be kept.
      if (stats?.isFile() !== true || stats.uid !== owner) continue;
      size += stats.size;
      if (size > MAX_BYTES_RENAMED) rmSync(file, { force: true });
    }
  } catch {
    // Left for the next time: the line is more important.
  }
}

function irregular(path: string): SophiaError {
  return unusable(path, "is not a regular file");
}

function unusable(path: string, problem: string, hint?: string): SophiaError {
  return new SophiaError({
    code: "audit",
    message: `the audit log ${printable(path)} ${problem}`,
    hint: hint ?? "nothing starts without a record: fix that, or name another file with --audit-log",
  });
}

/** Returns true if a file's last line has no line break, so that appended text would join it. @throws the system's error */
export function endsInMidLine(descriptor: number, size: number): boolean {
  const last = Buffer.from("\n");
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() !== "\n";
}
