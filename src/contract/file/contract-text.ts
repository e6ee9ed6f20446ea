/**
 * Reads the text of a contract file. A file that was only found, and that another user could have written, is refused: it would
 * decide what the program gets.
 */
import { isUtf8 } from "node:buffer";
import { lstatSync, type Stats } from "node:fs";
import { dirname, relative, sep } from "node:path";
import type { Folders } from "../../core/context.ts";
import { withoutMark } from "../../core/text.ts";
import { readTrusted } from "../../system/addon/addon.ts";
import { readFound, readNamed } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import type { LinkEscape } from "../../system/linked-file.ts";
import { distrustOf, type Distrust } from "../../system/ownership.ts";
import { ContractFileError, type ContractProblem, type Reason } from "./contract-file-error.ts";

export const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads a contract, and returns its text without a byte-order mark. If the first contract was found, the file must have a
 * trusted owner.
 *
 * @param path absolute
 * @throws ContractFileError (125): `contract-unreadable`, `contract-distrusted`, `link-outside`, or `contract-invalid` if
 *   it is not UTF-8
 */
export async function readContractText(path: string, reason: Reason, folders: Folders): Promise<string> {
  const { isFound, extendedBy, first = path } = reason;
  // Fast path: the addon checks and reads a usual file. It does not for an extended file, whose path may lead through a link.
  const trustedText = isFound && extendedBy === undefined ? readTrusted(path, dirname(path), false) : undefined;
  if (trustedText !== undefined) return withoutMark(trustedText);
  const refusal = (problem: ContractProblem): ContractFileError => new ContractFileError(path, folders.cwd, problem);
  let bytes: Buffer;
  let distrust: Distrust | undefined;
  try {
    // This is called with the opened file, so that the file cannot be replaced between the check and the read.
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
      bytes = readFound(path, { ...options, followsLink: !isFound });
    } else bytes = await readNamed(path, options);
  } catch (error) {
    if (distrust !== undefined) throw refusal({ kind: "distrusted", distrust, reason });
    const escape = await findLinkEscape(error);
    if (escape !== undefined) throw refusal({ kind: "escaping-link", escape, first });
    throw refusal({ kind: "unreadable", errorCode: systemErrorCode(error), reason });
  }
  if (!isUtf8(bytes)) throw refusal({ kind: "not-utf8" });
  return withoutMark(bytes.toString("utf8"));
}

/** Returns where a link leads, if an error is about a link that leads out of the repository. */
async function findLinkEscape(error: unknown): Promise<LinkEscape | undefined> {
  if (systemErrorCode(error) !== "ESCAPING_LINK") return undefined;
  const { EscapingLink } = await import("../../system/linked-file.ts");
  return error instanceof EscapingLink ? error.escape : undefined;
}

/** Returns a path for messages: relative if the file is below the working directory, otherwise as it is. */
export function shownPath(path: string, cwd: string): string {
  // `relative` returns an empty text for the working directory itself.
  const relativePath = relative(cwd, path) || ".";
  const isOutside = relativePath === ".." || relativePath.startsWith(`..${sep}`);
  return isOutside ? path : relativePath;
}
