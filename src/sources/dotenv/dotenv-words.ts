/** Describes for the user why a `.env` file is ignored or cannot be read. The file is loaded only if there is such a file. */
import { SophiaError } from "../../core/error.ts";
import { unbroken } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { describeDistrust } from "../../system/distrust.ts";
import { type LinkEscape, EscapingLinkError, describeEscape } from "../../system/linked-file.ts";
import type { Distrust } from "../../system/ownership.ts";

/** The ways in which a user may name a file of variables. */
const WAYS_TO_NAME = "--dotenv, SOPHIA_DOTENV, or FILE of import";

/** Returns the error for a symbolic link that leads out of the project. */
function escapingLinkError(path: string, escape: LinkEscape): SophiaError {
  const hint = path.endsWith(".override")
    ? "put a file with your own values there; --no-override starts without it"
    : `if you trust what it leads to, name it: ${unbroken(dotenvOption(path))} (SOPHIA_DOTENV)`;
  return new SophiaError({ code: "link-outside", message: describeEscape(path, escape), hint });
}

/** Returns the option that names a file. A comma would separate two files, so it is escaped. */
function dotenvOption(path: string): string {
  return `--dotenv ${shellWord(path.replaceAll(",", "\\,"))}`;
}

/**
 * Describes why a file that was found is ignored, with the remedies. @param isNameable true if an option may name the file
 */
export function describeIgnoredFile(path: string, distrust: Distrust, isNameable: boolean): string {
  const { reason, remedy: fix } = describeDistrust(distrust, path);
  const remedies = [
    ...(fix === undefined ? [] : [fix]),
    ...(isNameable ? [`read it anyway with ${dotenvOption(path)}`] : []),
  ];
  const parts = [reason, ...(remedies.length === 0 ? [] : [remedies.join(", or ")])];
  return `${printable(path)} is ignored: ${parts.join("; ")}`;
}

function describeIrregularFile(path: string, isNameable: boolean): readonly [fault: string, hint: string] {
  const remedy = isNameable ? `remove it; a pipe is read if it is named: ${unbroken(dotenvOption(path))}` : "remove it";
  return ["is not a regular file", remedy];
}

const MISSING = ["does not exist", `check the path that was given (${WAYS_TO_NAME})`] as const;
const ALLOW_READING = "allow the user who starts sophia-run to read it";
/** The fault of a file and the remedy, by the code of `systemErrorCode`. */
const FAULTS = new Map<string, readonly [fault: string, hint: string]>([
  ["ENOENT", MISSING],
  ["ENOTDIR", MISSING],
  ["EISDIR", ["is a folder, not a file of variables", `name the right file (${WAYS_TO_NAME}), or move the folder`]],
  ["EACCES", ["cannot be read: permission denied", ALLOW_READING]],
  ["EPERM", ["cannot be read: permission denied", ALLOW_READING]],
  ["NOT_A_FILE", ["is a device or a socket, not a file of variables", `name a file (${WAYS_TO_NAME})`]],
  ["REPLACED", ["is replaced by another process again and again", "end that process, then start again"]],
  ["NOT_UTF8", ["is not valid UTF-8", "save the file as UTF-8"]],
  [
    "TOO_LARGE",
    [
      "is larger than 4 MiB, the most that a file of variables may have",
      `name the right file (${WAYS_TO_NAME}), or split it`,
    ],
  ],
  [
    "NO_END",
    ["is a pipe that did not end within 5 s", `check the program that writes to it, or name a file (${WAYS_TO_NAME})`],
  ],
]);

/**
 * Returns the error for a file that cannot be read.
 *
 * @param path the path in the form for messages
 * @param code the code of `systemErrorCode`, or `NOT_UTF8`
 * @param options `error`: the error with the code, if there is one. `isNameable`: true if the user may name the file by an option
 */
export function unreadableFileError(
  path: string,
  code: string,
  { error, isNameable = true }: { readonly error?: unknown; readonly isNameable?: boolean } = {},
): SophiaError {
  if (error instanceof EscapingLinkError) return escapingLinkError(path, error.escape);
  const otherFault = [`cannot be read (${code})`, `check the file, or name another (${WAYS_TO_NAME})`] as const;
  const [fault, hint] =
    code === "NOT_REGULAR" ? describeIrregularFile(path, isNameable) : (FAULTS.get(code) ?? otherFault);
  const file = fault === MISSING[0] ? `the env file ${printable(path)}` : printable(path);
  return new SophiaError({ code: "dotenv", message: `${file} ${fault}`, hint });
}
