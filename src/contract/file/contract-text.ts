/**
 * Reads the text of a contract file. If sophia-run found the contract, it refuses a file that another user of the
 * machine can write: the contract decides which variables the program gets.
 */
import { isUtf8 } from "node:buffer";
import { lstatSync, type Stats } from "node:fs";
import { dirname, relative, sep } from "node:path";
import type { Folders } from "../../core/context.ts";
import { withoutMark } from "../../core/text.ts";
import { readTrusted } from "../../system/addon/addon.ts";
import { readFoundFile, readNamedFile } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import type { LinkEscape } from "../../system/linked-file.ts";
import { findDistrust, type Distrust } from "../../system/ownership.ts";
import { ContractFileError, type ContractProblem, type ReadReason } from "./contract-file-error.ts";

/** The limit of a contract file. It is far above the size of any contract that people write. */
export const MAX_CONTRACT_BYTES = 8 * 1024 * 1024;

/**
 * Reads a contract file, and returns its text without a byte-order mark.
 *
 * @param path the absolute path
 * @throws ContractFileError (125): `contract-unreadable`, `contract-distrusted`, `link-outside`, or `contract-invalid`
 *   if it is not UTF-8
 */
export async function readContractText(path: string, reason: ReadReason, folders: Folders): Promise<string> {
  const { isFound, extendedBy, firstContract = path } = reason;
  // Fast path for nearly all starts: the addon checks the owner of a regular file, and reads it. It cannot do so for an
  // extended file, whose path may have symbolic links.
  const isSecret = false;
  const trustedText = isFound && extendedBy === undefined ? readTrusted(path, dirname(path), isSecret) : undefined;
  if (trustedText !== undefined) return withoutMark(trustedText);
  const createError = (problem: ContractProblem): ContractFileError =>
    new ContractFileError(path, folders.cwd, problem);
  let bytes: Buffer;
  /** Set once the owner of the opened file is not trusted. */
  let distrust: Distrust | undefined;
  try {
    // The status is that of the opened file, so that no other user can replace the file between this check and the
    // read.
    const accept = (stats: Stats): boolean => {
      if (isFound) distrust = findDistrust(path, stats, dirname(path), folders.project);
      return distrust === undefined;
    };
    bytes = await readBytes(path, reason, accept);
  } catch (error) {
    if (distrust !== undefined) throw createError({ kind: "distrusted", distrust, reason });
    const escape = await findLinkEscape(error);
    if (escape !== undefined) throw createError({ kind: "escaping-link", escape, firstContract });
    throw createError({ kind: "unreadable", errorCode: systemErrorCode(error), reason });
  }
  if (!isUtf8(bytes)) throw createError({ kind: "not-utf8" });
  return withoutMark(bytes.toString("utf8"));
}

/** Reads a file if `accept` returns true for its status. @throws an error such as Node.js throws, or EscapingLinkError */
async function readBytes(
  path: string,
  { isFound, extendedBy, firstContract = path }: ReadReason,
  accept: (stats: Stats) => boolean,
): Promise<Buffer> {
  const options = { maxBytes: MAX_CONTRACT_BYTES, accept };
  const isExtended = extendedBy !== undefined;
  const mayBeFoundLink = isFound && (isExtended || lstatSync(path).isSymbolicLink());
  if (mayBeFoundLink) {
    // A symbolic link of a found contract must not lead out of the repository.
    const { readLinkedFile } = await import("../../system/linked-file.ts");
    return readLinkedFile(path, { ...options, foundAs: firstContract });
  }
  if (isFound || isExtended) return readFoundFile(path, { ...options, followsLink: !isFound });
  // The user may name anything that can be read, such as a pipe.
  return readNamedFile(path, options);
}

/**
 * Returns the facts about a symbolic link that leads out of the repository; undefined if the error has another reason.
 */
async function findLinkEscape(error: unknown): Promise<LinkEscape | undefined> {
  if (systemErrorCode(error) !== "ESCAPING_LINK") return undefined;
  const { EscapingLinkError } = await import("../../system/linked-file.ts");
  return error instanceof EscapingLinkError ? error.escape : undefined;
}

/** Returns a path for messages: relative if the file is below the working directory, otherwise as it is. */
export function shortenPath(path: string, cwd: string): string {
  // `relative` returns an empty text for the working directory itself.
  const relativePath = relative(cwd, path) || ".";
  const isOutside = relativePath === ".." || relativePath.startsWith(`..${sep}`);
  return isOutside ? path : relativePath;
}
