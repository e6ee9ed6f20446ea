/** Reading the text of a contract file. */
import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { describeDistrust, distrustOf, type Distrust } from "../../system/ownership.ts";
import { CONTRACT_FILE_NAME } from "../file-name.ts";

/** How a contract file came to be read: somebody named it, it was found, or the contract of this name extends it. */
export type Reason = "named" | "found" | { readonly extendedBy: string; readonly first: "named" | "found" };

/** How the first file came to be read; those that it extends are trusted as it is. */
export function firstOf(reason: Reason): "named" | "found" {
  return typeof reason === "object" ? reason.first : reason;
}

/** Contracts of thousands of variables have about one megabyte. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * The text without a byte-order mark. Where nobody named the first file, its owner and who may write it count.
 *
 * @param path absolute
 * @param cwd messages name the file relative to it
 * @throws SophiaError (125): `contract-unreadable`, `contract-distrusted`, or `contract-invalid` where it is not UTF-8
 */
export function readContractText(path: string, reason: Reason, cwd: string): string {
  const name = shownPath(path, cwd);
  const bytes = readBytes(path, reason, cwd);
  if (typeof bytes === "string") throw unreadable(name, reason, bytes);
  if ("kind" in bytes) throw distrusted(name, reason, bytes);
  if (!isUtf8(bytes)) {
    throw new SophiaError({
      code: "contract-invalid",
      message: `the contract ${printable(name)} is not UTF-8`,
      hint: "save it as UTF-8",
    });
  }
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

/** What the file holds, or the code of what is wrong. A pipe that somebody named is read to its end. */
function readBytes(path: string, reason: Reason, cwd: string): Buffer | Distrust | string {
  const isNamed = reason === "named";
  let descriptor: number | undefined;
  try {
    // The open of a pipe that nobody writes to would wait for ever.
    descriptor = openSync(path, constants.O_RDONLY | (isNamed ? 0 : constants.O_NONBLOCK));
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return "EISDIR";
    if (!stat.isFile() && !(isNamed && stat.isFIFO())) return "NOT_A_FILE";
    const distrust = firstOf(reason) === "found" ? distrustOf(path, stat, dirname(path), cwd) : undefined;
    if (distrust !== undefined) return distrust;
    return readToEnd(descriptor, stat.size);
  } catch (error) {
    return systemErrorCode(error) ?? "unknown error";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readToEnd(descriptor: number, size: number): Buffer | string {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= MOST_BYTES) {
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(size - length, 0), MOST_BYTES) + 4096);
    const read = readSync(descriptor, chunk);
    if (read === 0) return Buffer.concat(chunks);
    length += read;
    chunks.push(chunk.subarray(0, read));
  }
  return "EFBIG";
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a directory"],
  ["NOT_A_FILE", "is not a regular file"],
  ["EFBIG", `has more than ${MOST_BYTES / 1024 / 1024} MiB`],
  ["ELOOP", "is a symlink loop"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function unreadable(name: string, reason: Reason, code: string): SophiaError {
  // A file that was found and does not exist is a symlink to one.
  const what = reason === "found" && code === "ENOENT" ? "is a symlink to a file that does not exist" : WORDS.get(code);
  return new SophiaError({
    code: "contract-unreadable",
    message: `the contract ${printable(name)} ${what ?? `cannot be read (${printable(code)})`}`,
    hint: hintFor(reason),
  });
}

function distrusted(name: string, reason: Reason, distrust: Distrust): SophiaError {
  const { what, fix } = describeDistrust(distrust, name);
  const which = typeof reason === "object" ? `, which ${printable(reason.extendedBy)} extends,` : "";
  const naming = typeof reason === "object" ? "name the first with --contract" : `--contract ${shellWord(name)}`;
  return new SophiaError({
    code: "contract-distrusted",
    message: `the contract ${printable(name)}${which} does not count: ${what}`,
    hint: `${fix === undefined ? "" : `${fix}; or `}${naming}, if you trust it (SOPHIA_CONTRACT), or name another`,
  });
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
  const inside = relative(cwd, path);
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}
