/**
 * Reads a file that was found by search, and whose path may have symbolic links. A repository may come with links, so that a
 * clone could make sophia-run read any file of the user: a link must not lead out of its repository.
 *
 * First all links are resolved, and the result is checked. Then the resolved path is opened. Another process may replace a link
 * between the two, so what was opened is compared with what was resolved.
 *
 * Paths may have bytes that are not UTF-8. Where a name is `real`, each character stands for one byte (latin1).
 */
import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { printable } from "../core/text.ts";
import { readFound, type ReadOptions, readRefusal } from "./bounded-read.ts";
import { attempt, systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";
import { realBytes } from "./real-path.ts";
import { anyRepositoryOf, isBelow } from "./repository.ts";

/** The number of attempts if another process replaces the file at the same moment. */
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
   * The file that was found: this one, or the contract that extends this one. In the latter case this one may be in a nested
   * repository.
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
    const seen = statusOf(real);
    if (seen?.isFile() === false && !seen.isDirectory()) throw readRefusal("NOT_REGULAR");
    // This check comes before that of the repository: a file that another user has put there is ignored, and must not prevent
    // a start by an error.
    if (seen?.isDirectory() === false && !accept(seen)) throw readRefusal("NOT_ACCEPTED");
    refuseEscape(real, foundAs, foundAs === path);
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
 * Resolves all links of a path. A link to an open file in /proc may lead to something without a path, such as a pipe.
 * @returns undefined if another process may have replaced a link meanwhile @throws EscapingLink at the last attempt
 */
function resolveLinks(path: string, isLast: boolean): string | undefined {
  try {
    return realBytes(path);
  } catch (error) {
    // If the file can be reached, only the resolving failed.
    if (attempt(() => statSync(path)) === undefined) throw error;
    if (!isLast) return undefined;
    const [target, folder] = [attempt(() => readlinkSync(path)) ?? path, parentOf(path)];
    throw new EscapingLink({ target, folder, isRepository: false, isNested: false });
  }
}

function statusOf(real: string): Stats | undefined {
  return lstatSync(asPath(real), { throwIfNoEntry: false });
}

/** Returns true if the open file is still the one at the resolved path, and no part of that path has become a link. */
function isStillAt(real: string, opened: Stats): boolean {
  const now = statusOf(real);
  // Some versions of Windows report other numbers for an open file.
  const isSame = process.platform === "win32" || (now?.ino === opened.ino && now.dev === opened.dev);
  return isSame && attempt(() => realBytes(asPath(real))) === real;
}

/**
 * Throws if a file is outside of the repository of `foundAs`.
 * @param isStrict false if the file may be in another repository below it @throws EscapingLink
 */
function refuseEscape(real: string, foundAs: string, isStrict: boolean): void {
  const start = realBytes(parentOf(foundAs));
  const isThere = (path: string): boolean => existsSync(asPath(path));
  const repository = anyRepositoryOf(start, isThere);
  const folder = repository ?? start;
  const isInFolder = isBelow(real, folder);
  if (isInFolder && (!isStrict || anyRepositoryOf(parentOf(real), isThere) === repository)) return;
  const [target, shown] = [real, folder].map((bytes) => asPath(bytes).toString());
  throw new EscapingLink({
    target: target ?? "",
    folder: shown ?? "",
    isRepository: repository !== undefined,
    isNested: isInFolder,
  });
}

function asPath(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Describes the problem for the user. @param link its path as messages show it */
export function describeEscape(link: string, { target, folder, isRepository, isNested }: LinkEscape): string {
  const [shown, outside] = [target, folder].map(printable);
  if (isNested) return `${printable(link)} is a link to ${shown}, which is in another repository`;
  return `${printable(link)} is a link to ${shown}, outside its ${isRepository ? "repository" : "folder"} ${outside}`;
}
