/** Reading the text of a contract file. */
import { isUtf8 } from "node:buffer";
import type { Stats } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import type { FailureCode } from "../../core/failure-codes.ts";
import { shellWord } from "../../core/shell.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { readTrusted } from "../../system/addon/addon.ts";
import { readBounded } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { describeDistrust } from "../../system/distrust.ts";
import { distrustOf, type Distrust } from "../../system/ownership.ts";
import { CONTRACT_FILE_NAME } from "../file-name.ts";

/** How a contract file came to be read: somebody named it, it was found, or the contract of this name extends it. */
export type Reason = "named" | "found" | { readonly extendedBy: string; readonly first: "named" | "found" };

export function firstOf(reason: Reason): "named" | "found" {
  return typeof reason === "object" ? reason.first : reason;
}

export const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The text without a byte-order mark. If the first file was found, its owner and who may write it count.
 * @param cwd messages name the file relative to it
 * @throws SophiaError (125): `contract-unreadable`, `contract-distrusted`, or `contract-invalid` where it is not UTF-8
 */
export async function readContractText(path: string, reason: Reason, cwd: string): Promise<string> {
  const trusted = firstOf(reason) === "found" ? readTrusted(path, dirname(path), false) : undefined;
  if (trusted !== undefined) return withoutMark(trusted);
  const name = shownPath(path, cwd);
  let bytes: Buffer;
  let distrust: Distrust | undefined;
  let isIrregular = false;
  try {
    const accept = (stats: Stats): boolean => {
      isIrregular = typeof reason === "object" && !stats.isFile();
      if (firstOf(reason) === "found") distrust = distrustOf(path, stats, dirname(path), cwd);
      return distrust === undefined && !isIrregular;
    };
    bytes = await readBounded(path, { maxBytes: MAX_BYTES, accept });
  } catch (error) {
    if (distrust !== undefined) throw distrusted(name, reason, distrust);
    throw unreadable(name, reason, isIrregular ? "NOT_REGULAR" : (systemErrorCode(error) ?? "unknown error"));
  }
  if (!isUtf8(bytes)) throw refusal("contract-invalid", name, "is not UTF-8", "save it as UTF-8");
  return withoutMark(bytes.toString("utf8"));
}

function refusal(code: FailureCode, name: string, what: string, hint: string): SophiaError {
  return new SophiaError({ code, message: `the contract ${printable(name)} ${what}`, hint });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a directory"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["NOT_REGULAR", "is not a regular file"],
  ["TOO_LARGE", `is larger than ${MAX_BYTES / 1024 / 1024} MiB, the most that a contract may have`],
  ["NO_END", "is a pipe that did not end within 5 s"],
  ["ELOOP", "is a symlink loop"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function unreadable(name: string, reason: Reason, code: string): SophiaError {
  // A file that was found and does not exist is a symlink to one.
  const what = reason === "found" && code === "ENOENT" ? "is a symlink to a file that does not exist" : WORDS.get(code);
  return refusal("contract-unreadable", name, what ?? `cannot be read (${printable(code)})`, hintFor(reason));
}

function distrusted(name: string, reason: Reason, distrust: Distrust): SophiaError {
  const { what, fix } = describeDistrust(distrust, name);
  const isFirst = typeof reason !== "object";
  const shown = isFirst ? name : `${name}, which ${reason.extendedBy} extends,`;
  const naming = isFirst ? `--contract ${shellWord(name)}` : "name the first with --contract";
  const hint = `${fix === undefined ? "" : `${fix}; or `}${naming}, if you trust it (SOPHIA_CONTRACT), or name another`;
  return refusal("contract-distrusted", shown, `does not count: ${what}`, hint);
}

function hintFor(reason: Reason): string {
  if (typeof reason === "object")
    return `${printable(reason.extendedBy)} extends it: fix that, or correct "extends" there`;
  return reason === "named"
    ? `name a contract file with --contract or SOPHIA_CONTRACT, or leave both out to use ${CONTRACT_FILE_NAME} or the built-in contract`
    : "fix that, or name another contract with --contract or SOPHIA_CONTRACT";
}

/** The path as messages have it: relative to the working directory where it is below that. */
export function shownPath(path: string, cwd: string): string {
  // That of the working directory itself is empty.
  const inside = relative(cwd, path) || ".";
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}
