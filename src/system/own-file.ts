/**
 * Reads and changes the user's own files below `~/.config`: settings and consents, small texts that no other user may have
 * written.
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
    return bytes.kind === "absent" ? { text: undefined } : { problem: problemWords(bytes, path) };
  }
  const text = attempt(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  return text === undefined ? { problem: `${printable(path)} is not UTF-8` } : { text };
}

/**
 * Calls `change`, which reads a file and replaces it, while no other process changes that file.
 *
 * @returns why that failed
 */
export async function changeOwnFile(path: string, change: () => string | undefined): Promise<string | undefined> {
  const changed = await whileLocked(path, change, randomBytes(8).toString("hex"));
  if ("result" in changed) return changed.result;
  const { trouble } = changed;
  if (trouble.kind === "absent") return undefined;
  if (trouble.kind === "system" && trouble.code === "EEXIST") {
    return `another process is changing it (${printable(trouble.path)})`;
  }
  return problemWords(trouble, path);
}

/** Writes a file with the mode 0600. @returns why that failed */
export function writeOwnFile(path: string, text: string): string | undefined {
  const trouble = writePrivate(path, Buffer.from(text), randomBytes(8).toString("hex"), {
    forbidden: GROUP_OR_WORLD_WRITABLE,
  });
  return trouble === undefined || trouble.kind === "absent" ? undefined : problemWords(trouble, path);
}

function problemWords(unusable: Exclude<UnusableFile, { readonly kind: "absent" }>, file: string): string {
  const shown = printable(unusable.path);
  switch (unusable.kind) {
    case "not-private":
      return `${shown} is ignored: another user may have written it (or it is a link, or too large); chmod go-w ${shellWord(unusable.path)}, or remove it`;
    case "system":
      return `${shown} cannot be used (${unusable.code})`;
    case "folder":
      return {
        "not-a-folder": `${shown} is not a folder`,
        others: `${printable(file)} is ignored: its folder belongs to another user`,
        mode: `${printable(file)} is ignored: other users may write its folder; chmod go-w ${shellWord(unusable.path)}`,
        above: `${printable(file)} is ignored: every user may write ${shown}; chmod o-w ${shellWord(unusable.path)}`,
      }[unusable.problem];
  }
}
