/**
 * Reads and changes the small text files that sophia-run keeps for the user below `~/.config`: its settings, and the list of
 * consents. A file that another user may have written is not used.
 */
import { randomBytes } from "node:crypto";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { attempt } from "./errors.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { whileLocked } from "./locked.ts";
import { readPrivate, type UnusableFile, writePrivate } from "./private-file.ts";

/** Reads a file. @returns the text, which is undefined if the file does not exist; or the reason why the file is not used */
export function readOwnFile(
  path: string,
  maxBytes: number,
): { readonly text: string | undefined } | { readonly problem: string } {
  const bytes = readPrivate(path, { maxBytes, forbidden: GROUP_OR_WORLD_WRITABLE });
  if (!Buffer.isBuffer(bytes)) {
    return bytes.kind === "absent" ? { text: undefined } : { problem: describeProblem(bytes, path) };
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
export async function changeOwnFile(path: string, change: () => string | undefined): Promise<string | undefined> {
  const locked = await whileLocked(path, change, randomName());
  if ("result" in locked) return locked.result;
  const { trouble } = locked;
  if (trouble.kind === "system" && trouble.code === "EEXIST") {
    return `another process is changing it (${printable(trouble.path)})`;
  }
  return describeProblem(trouble, path);
}

/** Writes a file with the mode 0600. @returns why the file was not written; undefined if it was */
export function writeOwnFile(path: string, text: string): string | undefined {
  const problem = writePrivate(path, Buffer.from(text), randomName(), { forbidden: GROUP_OR_WORLD_WRITABLE });
  return problem === undefined ? undefined : describeProblem(problem, path);
}

/** Returns a name for a temporary file that no other user can guess. */
function randomName(): string {
  return randomBytes(8).toString("hex");
}

/** Describes why a file is not used. @param problem may be about the file or about a folder above it */
function describeProblem(problem: UnusableFile, file: string): string {
  const shownFile = printable(file);
  // readOwnFile does not get here. The other functions have just made the folder, so that another process has removed it.
  if (problem.kind === "absent") return `${shownFile} cannot be used: its folder was removed`;
  const shownPath = printable(problem.path);
  switch (problem.kind) {
    case "not-private":
      return `${shownPath} is ignored: another user may have written it (or it is a link, or too large); chmod go-w ${shellWord(problem.path)}, or remove it`;
    case "system":
      return `${shownPath} cannot be used (${problem.code})`;
    case "folder":
      return {
        "not-a-folder": `${shownPath} is not a folder`,
        others: `${shownFile} is ignored: its folder belongs to another user`,
        mode: `${shownFile} is ignored: other users may write its folder; chmod go-w ${shellWord(problem.path)}`,
        above: `${shownFile} is ignored: every user may write ${shownPath}; chmod o-w ${shellWord(problem.path)}`,
      }[problem.problem];
  }
}
