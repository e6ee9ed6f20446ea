/**
 * Reads and changes the small text files that sophia-run keeps for the user below `~/.config`: its settings, and the list of
 * consents. A file that another user may have written is not used.
 */
import { randomBytes } from "node:crypto";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { attempt } from "./errors.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { withFileLock } from "./file-lock.ts";
import { readPrivate, type UnusableFile, writePrivate } from "./private-file.ts";

/** Reads a file. @returns the text, which is undefined if the file does not exist; or the reason why the file is not used */
export function readUserFile(
  path: string,
  maxBytes: number,
): { readonly text: string | undefined } | { readonly problem: string } {
  const bytes = readPrivate(path, { maxBytes, forbiddenMode: GROUP_OR_WORLD_WRITABLE });
  if (!Buffer.isBuffer(bytes)) {
    const fault = bytes;
    return fault.kind === "absent" ? { text: undefined } : { problem: describeFault(fault, path) };
  }
  const text = attempt(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  return text === undefined ? { problem: `${printable(path)} is not UTF-8` } : { text };
}

/**
 * Calls `change`, which reads a file and replaces it, while no other process changes that file.
 *
 * @param change returns why it failed; undefined if it succeeded
 * @returns why the file was not changed; undefined if it was
 */
export async function changeUserFile(path: string, change: () => string | undefined): Promise<string | undefined> {
  const locked = await withFileLock(path, change, randomName());
  if ("result" in locked) return locked.result;
  const { fault } = locked;
  if (fault.kind === "system" && fault.code === "EEXIST") {
    return `another process is changing it (${printable(fault.path)})`;
  }
  return describeFault(fault, path);
}

/** Writes a file with the mode 0600. @returns why the file was not written; undefined if it was */
export function writeUserFile(path: string, text: string): string | undefined {
  const fault = writePrivate(path, Buffer.from(text), randomName(), { forbiddenMode: GROUP_OR_WORLD_WRITABLE });
  return fault === undefined ? undefined : describeFault(fault, path);
}

/** Returns a name for a temporary file that no other user can guess. */
function randomName(): string {
  return randomBytes(8).toString("hex");
}

/** Describes why a file is not used. @param fault the reason, which may be about the file or about a folder above it */
function describeFault(fault: UnusableFile, file: string): string {
  const shownFile = printable(file);
  // Reading does not get here. The other functions have just made the folder, so that another process has removed it.
  if (fault.kind === "absent") return `${shownFile} cannot be used: its folder was removed`;
  const shownPath = printable(fault.path);
  switch (fault.kind) {
    case "not-private":
      return `${shownPath} is ignored: another user may have written it (or it is a link, or too large); chmod go-w ${shellWord(fault.path)}, or remove it`;
    case "system":
      return `${shownPath} cannot be used (${fault.code})`;
    case "folder":
      return {
        "not-a-folder": `${shownPath} is not a folder`,
        "other-owner": `${shownFile} is ignored: its folder belongs to another user`,
        permissions: `${shownFile} is ignored: other users may write its folder; chmod go-w ${shellWord(fault.path)}`,
        "replaceable-by-all": `${shownFile} is ignored: every user may write ${shownPath}; chmod o-w ${shellWord(fault.path)}`,
      }[fault.fault];
  }
}
