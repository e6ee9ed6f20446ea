/**
 * Writes the whole content of a file, so that a failure, such as a full disk, loses nothing. Each function throws the error of the
 * system, and `project-files.ts` turns that error into a message.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { readFoundFile } from "../../system/bounded-read.ts";
import { attempt } from "../../system/errors.ts";

/**
 * The flags of open(2) for an existing file. O_NOFOLLOW refuses a symbolic link, and without O_NONBLOCK the opening of a named pipe
 * would wait for its reader. Windows has neither of the two flags.
 */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- see above
const OVERWRITE_FLAGS = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Creates a file. If the text cannot be written, the new file is removed. @throws a system error, EEXIST for an existing file */
export function createFile(path: string, text: string): void {
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

/** Overwrites an existing file, which keeps its owner and its hard links. If that fails, the former content is written back. */
export function overwriteFile(path: string, bytes: Uint8Array): void {
  const formerBytes = readFoundFile(path, { maxBytes: Infinity });
  try {
    overwriteContent(path, bytes);
  } catch (error) {
    attempt(() => overwriteContent(path, formerBytes));
    throw error;
  }
}

function overwriteContent(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, OVERWRITE_FLAGS);
  try {
    writeFileSync(descriptor, bytes);
    // The file is shortened last. If the write fails, the file still has the disk space for its former content.
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a temporary file and renames it, so that other programs see either the former content or the new one.
 *
 * @param mode the mode of the new file; undefined for the mode that the system gives to new files
 */
export function replaceFileAtomically(path: string, text: string, mode: number | undefined): void {
  const temporaryPath = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    const descriptor = openSync(temporaryPath, "wx", mode ?? 0o666);
    try {
      // open(2) removes the bits of the umask from the mode of a new file. A file with 0600 stays private without a correction.
      if (mode !== undefined && mode !== 0o600) fchmodSync(descriptor, mode);
      writeFileSync(descriptor, text);
      // This does not use the option `flush` of writeFileSync, because other runtimes than Node.js may ignore it.
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporaryPath, path);
  } catch (error) {
    // A failure to remove the temporary file is ignored, because the first error is the cause.
    attempt(() => rmSync(temporaryPath, { force: true }));
    throw error;
  }
}
