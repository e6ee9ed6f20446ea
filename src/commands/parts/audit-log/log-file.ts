/**
 * Appends lines to the file of the audit log. Several processes may do so at the same time. Each process writes a line by one
 * write(2) with O_APPEND, so that lines do not mix (POSIX).
 *
 * A full log is renamed, for instance to `audit.jsonl.20300102T030405678Z-0a1b2c3d`, and a new log is begun. If two processes find
 * the log full at the same time, neither replaces a log that the other has renamed, because the names have random digits.
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
import { makePrivateFolder } from "../../../system/folders.ts";

/**
 * The limit on the size of the log. It is thousands of records, since a record has some hundred bytes and the names of the
 * variables.
 */
const MAX_LOG_BYTES = 5 * 1024 * 1024;
/** The limit for the sizes of all renamed logs together. Beyond it the oldest logs are removed. */
const MAX_RENAMED_LOG_BYTES = 4 * MAX_LOG_BYTES;
/** The end of a renamed log's name: a time in UTC, and random digits. */
const RENAMED_SUFFIX = /^\d{8}T\d{9}Z-[\da-f]{8}$/;

/** The mode bits by which the group and all other users may write. */
const GROUP_AND_OTHERS_WRITE = 0o022;

/**
 * Appends a line to the log. A missing file is created, with a mode that lets only its owner read it.
 *
 * @param path an absolute path
 * @param line with the line break at its end
 * @throws SophiaError (audit, 125) if the line cannot be written, if the file is not a regular file, or if another user than root
 *   may change it
 */
export function appendToAuditLog(path: string, line: string): void {
  const bytes = Buffer.from(line);
  try {
    const log = openLogWithSpace(path, bytes.length);
    try {
      appendLine(log, bytes, path);
    } finally {
      closeSync(log.descriptor);
    }
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw createLogError(path, `cannot be written (${systemErrorCode(error) ?? "UNKNOWN"})`);
  }
}

/** The log after it was opened. Whoever opens the log closes the descriptor. */
interface OpenLog {
  readonly descriptor: number;
  readonly stats: Stats;
}

/** Opens the log. If a line of a length would make the log too large, renames it and opens a new one. */
function openLogWithSpace(path: string, lineLength: number): OpenLog {
  const log = openLog(path);
  const { size } = log.stats;
  const isFull = size > 0 && size + lineLength > MAX_LOG_BYTES;
  if (!isFull || !renameFullLog(path, log.stats)) return log;
  closeSync(log.descriptor);
  return openLog(path);
}

function appendLine({ descriptor, stats }: OpenLog, bytes: Buffer, path: string): void {
  // If the disk was full, an earlier write may have left the beginning of a line, which must not join this one.
  const isLastLineIncomplete = endsInMidLine(descriptor, stats.size);
  const appendedBytes = isLastLineIncomplete ? Buffer.concat([Buffer.from("\n"), bytes]) : bytes;
  const writtenLength = writeSync(descriptor, appendedBytes);
  if (writtenLength !== appendedBytes.length) throw createLogError(path, "is full: the line does not fit on the disk");
}

/** Opens the log for reading and appending, and checks that no other user controls it. @throws SophiaError, or a system error */
function openLog(path: string): OpenLog {
  // The kind of the file is checked before open(2), because opening some devices has effects.
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() === true) throw createLogError(path, "is a symbolic link");
  if (entry?.isFile() === false) throw createIrregularFileError(path);
  if (entry === undefined) makePrivateFolder(dirname(path));
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  // Windows has none of the last three flags.
  let flags = 0;
  for (const flag of [O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY]) flags |= flag ?? 0;
  const descriptor = openSync(path, flags, 0o600);
  const stats = fstatSync(descriptor);
  const error = findOwnershipError(path, stats);
  if (error === undefined) return { descriptor, stats };
  closeSync(descriptor);
  throw error;
}

function findOwnershipError(path: string, stats: Stats): SophiaError | undefined {
  if (!stats.isFile()) return createIrregularFileError(path);
  // Windows has no owners and modes of this kind.
  if (process.geteuid === undefined) return undefined;
  // The owner can change the content. Root is accepted, because root can change every file anyway.
  if (stats.uid !== process.geteuid() && stats.uid !== 0) {
    return createLogError(path, `belongs to another user (uid ${stats.uid})`);
  }
  if ((stats.mode & GROUP_AND_OTHERS_WRITE) === 0) return undefined;
  return createLogError(path, "can be written by other users", `run chmod go-w ${shellWord(path)}, then start again`);
}

/**
 * Renames the log, unless another process has already done so.
 *
 * @param fullLog the file that was found full
 * @returns false if the user may not rename files in the folder. The log then grows until an administrator rotates it.
 */
function renameFullLog(path: string, fullLog: Stats): boolean {
  const currentLog = statSync(path, { throwIfNoEntry: false });
  const isRenamedAlready = currentLog?.ino !== fullLog.ino || currentLog.dev !== fullLog.dev;
  if (isRenamedAlready) return true;
  const time = new Date().toISOString().replaceAll(/[^\dTZ]/g, "");
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  try {
    renameSync(path, `${path}.${time}-${randomBytes(4).toString("hex")}`);
  } catch (error) {
    // ENOENT means that another process has renamed the log after the check above.
    return systemErrorCode(error) === "ENOENT";
  }
  removeOldLogs(path, fullLog.uid);
  return true;
}

/** Removes the oldest renamed logs. @param ownerId the owner of the log: only files of this user are counted and removed */
function removeOldLogs(path: string, ownerId: number): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  let totalBytes = 0;
  try {
    const renamedLogs = readdirSync(folder).filter(
      (name) => name.startsWith(prefix) && RENAMED_SUFFIX.test(name.slice(prefix.length)),
    );
    // The suffix begins with the time, so this order is from the latest log to the oldest.
    for (const name of renamedLogs.toSorted().toReversed()) {
      const file = join(folder, name);
      const stats = lstatSync(file, { throwIfNoEntry: false });
      // Another user could otherwise create a large file with such a name in a shared folder, to have all renamed logs removed.
      if (stats?.isFile() !== true || stats.uid !== ownerId) continue;
      totalBytes += stats.size;
      if (totalBytes > MAX_RENAMED_LOG_BYTES) rmSync(file, { force: true });
    }
  } catch {
    // The record matters more than the removal of old logs, which the next full log brings about again.
  }
}

function createIrregularFileError(path: string): SophiaError {
  return createLogError(path, "is not a regular file");
}

function createLogError(path: string, problem: string, hint?: string): SophiaError {
  return new SophiaError({
    code: "audit",
    message: `the audit log ${printable(path)} ${problem}`,
    hint: hint ?? "nothing starts without a record: fix that, or name another file with --audit-log",
  });
}

/** Returns true if a file does not end with a line break, so that appended text would join its last line. @throws a system error */
export function endsInMidLine(descriptor: number, size: number): boolean {
  // An empty file has no incomplete line.
  const lastByte = Buffer.from("\n");
  if (size > 0) readSync(descriptor, lastByte, 0, 1, size - 1);
  return lastByte.toString() !== "\n";
}
