/**
 * Reads a file that sophia-run found by search, such as a `.env` file or a contract, and whose path may have symbolic links.
 * Such a link must not lead out of its repository. Otherwise a cloned repository could contain a link that makes sophia-run
 * read any file of the user.
 *
 * First all links are resolved, and the result is checked. Then the resolved path is opened. Another process may replace a link
 * between the two, so what was opened is compared with what was resolved.
 *
 * Paths may have bytes that are not UTF-8. In a variable named `real`, which has no symbolic links, each character stands for
 * one byte (Latin-1).
 */
import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { printable } from "../core/text.ts";
import { readFound, type ReadOptions, readRefusal } from "./bounded-read.ts";
import { attempt, systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";
import { realBytes } from "./real-path.ts";
import { anyRepositoryOf, isBelow } from "./repository.ts";

/** The number of attempts if another process replaces the file at the same moment, as Kubernetes does with mounted files. */
const MAX_ATTEMPTS = 5;

/** A link that leads out of its repository. */
export interface LinkEscape {
  readonly target: string;
  /** The repository; outside of any repository the folder of the link. */
  readonly folder: string;
  readonly isRepository: boolean;
  /** True if the target is in another repository, which lies below that folder. */
  readonly isNested: boolean;
}

/** Thrown if a link leads out of its repository. Nothing outside has been read then. */
export class EscapingLink extends Error {
  readonly code = "ESCAPING_LINK";
  readonly escape: LinkEscape;
  constructor(escape: LinkEscape) {
    super("a link leads out of its repository");
    this.escape = escape;
  }
}

interface LinkedOptions extends ReadOptions {
  /**
   * The file that the search found: by default the file itself. For a contract that another contract extends, it is the
   * extending contract. Then the file may also be in a repository below the repository of that contract.
   */
  readonly foundAs?: string;
  /** Called twice: with the status of the file before it is opened, and with that of the open file. */
  readonly accept: (stats: Stats) => boolean;
}

/** Reads a file as `readFound` does. @throws EscapingLink @throws as `readFound` */
export function readLinked(path: string, { foundAs = path, accept, ...limits }: LinkedOptions): Buffer {
  for (let attempts = 1; ; attempts++) {
    const isLast = attempts === MAX_ATTEMPTS;
    const real = resolveLinks(path, isLast);
    if (real === undefined) continue;
    // A link to /dev/null makes a file empty. It reveals nothing of other projects.
    if (real === "/dev/null") return Buffer.alloc(0);
    const status = statusOf(real);
    if (status?.isFile() === false && !status.isDirectory()) throw readRefusal("NOT_REGULAR");
    // This check comes before the check of the repository: a file that another user has put there is ignored, and must not
    // prevent a start by an error. A folder goes on to readFound, which reports it as what it is.
    if (status?.isDirectory() === false && !accept(status)) throw readRefusal("NOT_ACCEPTED");
    refuseEscape(real, foundAs, { allowNestedRepository: foundAs !== path });
    let isUnchanged = true;
    const acceptOpened = (opened: Stats): boolean => {
      isUnchanged = isStillAt(real, opened);
      return isUnchanged && accept(opened);
    };
    try {
      return readFound(asPath(real), { ...limits, follows: false, accept: acceptOpened });
    } catch (error) {
      // ENOENT and ELOOP: the resolved file has vanished, or has become a link. The next attempt resolves it again.
      const isReplaced = !isUnchanged || ["ENOENT", "ELOOP"].includes(systemErrorCode(error) ?? "");
      if (!isReplaced) throw error;
      if (isLast) throw readRefusal("REPLACED");
    }
  }
}

/**
 * Resolves all symbolic links of a path. A link in /proc/PID/fd may lead to something without a path, such as a pipe.
 *
 * @param isLast true if no further attempt follows
 * @returns undefined if another process may have replaced a link meanwhile
 * @throws EscapingLink if the last attempt also fails
 */
function resolveLinks(path: string, isLast: boolean): string | undefined {
  try {
    return realBytes(path);
  } catch (error) {
    // If the file can be reached, only the resolving failed.
    if (attempt(() => statSync(path)) === undefined) throw error;
    if (!isLast) return undefined;
    // If the last part of the path is no link, the message shows the path itself.
    const target = attempt(() => readlinkSync(path)) ?? path;
    throw new EscapingLink({ target, folder: parentOf(path), isRepository: false, isNested: false });
  }
}

function statusOf(real: string): Stats | undefined {
  return lstatSync(asPath(real), { throwIfNoEntry: false });
}

/** Returns true if the open file is still the one at the resolved path, and no part of that path has become a link. */
function isStillAt(real: string, opened: Stats): boolean {
  const status = statusOf(real);
  // Some versions of Windows report other inode and device numbers for an open file.
  const isSame = process.platform === "win32" || (status?.ino === opened.ino && status.dev === opened.dev);
  return isSame && attempt(() => realBytes(asPath(real))) === real;
}

/**
 * Throws if a file is outside of the repository of `foundAs`.
 *
 * @param allowNestedRepository true if the file may be in another repository below that one
 * @throws EscapingLink
 */
function refuseEscape(
  real: string,
  foundAs: string,
  { allowNestedRepository }: { readonly allowNestedRepository: boolean },
): void {
  const foundFolder = realBytes(parentOf(foundAs));
  const exists = (path: string): boolean => existsSync(asPath(path));
  const repository = anyRepositoryOf(foundFolder, exists);
  const folder = repository ?? foundFolder;
  const isInFolder = isBelow(real, folder);
  if (isInFolder && (allowNestedRepository || anyRepositoryOf(parentOf(real), exists) === repository)) return;
  throw new EscapingLink({
    target: asPath(real).toString(),
    folder: asPath(folder).toString(),
    isRepository: repository !== undefined,
    isNested: isInFolder,
  });
}

/** Returns the path for the functions of node:fs. */
function asPath(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Describes for the user where a link leads. @param link the path of the link, as messages show it */
export function describeEscape(link: string, { target, folder, isRepository, isNested }: LinkEscape): string {
  const linkText = `${printable(link)} is a link to ${printable(target)}`;
  if (isNested) return `${linkText}, which is in another repository`;
  return `${linkText}, outside its ${isRepository ? "repository" : "folder"} ${printable(folder)}`;
}
