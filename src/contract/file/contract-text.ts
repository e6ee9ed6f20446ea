import { isUtf8 } from "node:buffer";
import { lstatSync, type Stats } from "node:fs";
import { dirname, relative, sep } from "node:path";
import type { Folders } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import type { FailureCode } from "../../core/failure-codes.ts";
import { shellWord } from "../../core/shell.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { readTrusted } from "../../system/addon/addon.ts";
import { readFound, readNamed } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { describeDistrust } from "../../system/distrust.ts";
import { distrustOf, type Distrust } from "../../system/ownership.ts";
import { CONTRACT_FILE_NAME } from "../contract-model.ts";

/** The reason to read a file: the user named the first contract, or it was found; others are extended by a contract. */
export interface Reason {
  readonly isFound: boolean;
  readonly extendedBy?: string;
  /** The path of the first contract, of whose repository a found contract and those that it extends must be. */
  readonly first?: string;
}

export const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads a text without its byte-order mark. If the first contract was found, it must have a trusted owner.
 * @throws SophiaError (125): `contract-unreadable`, `contract-distrusted`, or `contract-invalid` if it is not UTF-8
 */
export async function readContractText(path: string, reason: Reason, folders: Folders): Promise<string> {
  const { isFound, extendedBy, first = path } = reason;
  // A part of the path of an extended file may be a link.
  const trusted = isFound && extendedBy === undefined ? readTrusted(path, dirname(path), false) : undefined;
  if (trusted !== undefined) return withoutMark(trusted);
  const name = shownPath(path, folders.cwd);
  let bytes: Buffer;
  let distrust: Distrust | undefined;
  try {
    const accept = (stats: Stats): boolean => {
      if (isFound) distrust = distrustOf(path, stats, dirname(path), folders.project);
      return distrust === undefined;
    };
    const options = { maxBytes: MAX_BYTES, accept };
    const mayBeLink = isFound && (extendedBy !== undefined || lstatSync(path).isSymbolicLink());
    if (mayBeLink) {
      const { readLinked } = await import("../../system/linked-file.ts");
      bytes = readLinked(path, { ...options, foundAs: first });
    } else if (isFound || extendedBy !== undefined) {
      bytes = readFound(path, { ...options, follows: !isFound });
    } else bytes = await readNamed(path, options);
  } catch (error) {
    if (distrust !== undefined) throw distrusted(name, reason, distrust);
    if (systemErrorCode(error) === "ESCAPING_LINK") {
      throw (await import("./link-words.ts")).escapingContract(name, shownPath(first, folders.cwd), error);
    }
    throw unreadable(name, reason, systemErrorCode(error) ?? "unknown error");
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
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["NOT_REGULAR", "is not a regular file"],
  ["TOO_LARGE", `is larger than ${MAX_BYTES / 1024 / 1024} MiB`],
  ["NO_END", "is a pipe that did not end within 5 s"],
  ["REPLACED", "is replaced by another process again and again"],
  ["ELOOP", "is a loop of symbolic links"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function unreadable(name: string, reason: Reason, code: string): SophiaError {
  // The search found an entry: it is a symbolic link.
  const isSearched = reason.isFound && reason.extendedBy === undefined;
  const what = isSearched && code === "ENOENT" ? "is a symbolic link to a missing file" : WORDS.get(code);
  return refusal("contract-unreadable", name, what ?? `cannot be read (${printable(code)})`, hintFor(reason));
}

function distrusted(name: string, { extendedBy }: Reason, distrust: Distrust): SophiaError {
  const { what, fix } = describeDistrust(distrust, name);
  const shown = extendedBy === undefined ? name : `${name}, which ${extendedBy} extends,`;
  const naming = extendedBy === undefined ? `it with --contract ${shellWord(name)}` : "the first with --contract";
  const hint = `${fix === undefined ? "" : `${fix}; or, `}if you trust it, name ${naming} (SOPHIA_CONTRACT)`;
  return refusal("contract-distrusted", shown, `is not trusted: ${what}`, hint);
}

function hintFor({ isFound, extendedBy }: Reason): string {
  if (extendedBy !== undefined) return `fix the file, or correct "extends" in ${printable(extendedBy)}`;
  return isFound
    ? "fix the file, or name another contract with --contract or SOPHIA_CONTRACT"
    : `name a contract with --contract or SOPHIA_CONTRACT; without both, ${CONTRACT_FILE_NAME} or the built-in contract is used`;
}

/** Returns the path for messages: relative if the file is below the working directory. */
export function shownPath(path: string, cwd: string): string {
  // Empty for the working directory itself.
  const inside = relative(cwd, path) || ".";
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}
