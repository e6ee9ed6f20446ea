/** Words for `.env` files that are not used. */
import { SophiaError } from "../../core/error.ts";
import { unbroken } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { describeDistrust } from "../../system/distrust.ts";
import { type LinkEscape, EscapingLink, describeEscape } from "../../system/linked-file.ts";
import type { Distrust } from "../../system/ownership.ts";

const GIVEN = "--dotenv, SOPHIA_DOTENV, or FILE of import";

function escaping(path: string, escape: LinkEscape): SophiaError {
  const hint = path.endsWith(".override")
    ? "put a file with your own values there; --no-override starts without it"
    : `if you trust what it leads to, name it: ${unbroken(naming(path))} (SOPHIA_DOTENV)`;
  return new SophiaError({ code: "link-outside", message: describeEscape(path, escape), hint });
}

/** A comma separates two files. */
function naming(path: string): string {
  return `--dotenv ${shellWord(path.replaceAll(",", "\\,"))}`;
}

/** Words the remark on a file that was found and is not trusted. */
export function ignoredFile(path: string, distrust: Distrust, isNameable: boolean): string {
  const { what, fix } = describeDistrust(distrust, path);
  const remedies = [
    ...(fix === undefined ? [] : [fix]),
    ...(isNameable ? [`read it anyway with ${naming(path)}`] : []),
  ];
  return `${printable(path)} is ignored: ${[what, ...(remedies.length === 0 ? [] : [remedies.join(", or ")])].join("; ")}`;
}

function irregular(path: string, isNameable: boolean): readonly [what: string, hint: string] {
  const remedy = isNameable ? `remove it; a pipe is read if it is named: ${unbroken(naming(path))}` : "remove it";
  return ["is not a regular file", remedy];
}

const MISSING = ["does not exist", `check the path that was given (${GIVEN})`] as const;
const RIGHT = "allow the user who starts sophia-run to read it";
const WORDS = new Map<string, readonly [what: string, hint: string]>([
  ["ENOENT", MISSING],
  ["ENOTDIR", MISSING],
  ["EISDIR", ["is a folder, not a file of variables", `name the right file (${GIVEN}), or move the folder`]],
  ["EACCES", ["cannot be read: permission denied", RIGHT]],
  ["EPERM", ["cannot be read: permission denied", RIGHT]],
  ["NOT_A_FILE", ["is a device or a socket, not a file of variables", `name a file (${GIVEN})`]],
  ["REPLACED", ["is replaced by another process again and again", "end that process, then start again"]],
  ["NOT_UTF8", ["is not valid UTF-8", "save the file as UTF-8"]],
  [
    "TOO_LARGE",
    ["is larger than 4 MiB, the most that a file of variables may have", `name the right file (${GIVEN}), or split it`],
  ],
  [
    "NO_END",
    ["is a pipe that did not end within 5 s", `check the program that writes to it, or name a file (${GIVEN})`],
  ],
]);

/**
 * Returns the error for a file that cannot be read, by the code of `systemErrorCode` or `NOT_UTF8`.
 *
 * @param path as messages show it
 * @param about the error with the code, if there is one, and whether an option may name the file
 */
export function unreadable(
  path: string,
  code: string,
  { error, isNameable = true }: { readonly error?: unknown; readonly isNameable?: boolean } = {},
): SophiaError {
  if (error instanceof EscapingLink) return escaping(path, error.escape);
  const [what, hint] =
    code === "NOT_REGULAR"
      ? irregular(path, isNameable)
      : (WORDS.get(code) ?? [`cannot be read (${code})`, `check the file, or name another (${GIVEN})`]);
  const file = what === MISSING[0] ? `the env file ${printable(path)}` : printable(path);
  return new SophiaError({ code: "dotenv", message: `${file} ${what}`, hint });
}
