/**
 * Reads a file that was found by search, and whose path may have links. A clone may contain them: they lead no further than its
 * repository. Another process may replace a link meanwhile, so what was opened is compared with what was resolved.
 */
import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { printable } from "../core/text.ts";
import { readFound, type ReadOptions, refusal } from "./bounded-read.ts";
import { attempt, systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";
import { realBytes } from "./real-path.ts";
import { anyRepositoryOf, isBelow } from "./repository.ts";

/** How often a file that another process replaces at the moment is resolved again. */
const MOST_ATTEMPTS = 5;

/** The target of a link that leads out of the repository in which the link is. */
export interface Escape {
  readonly target: string;
  /** The repository, or the folder of the link where there is none. */
  readonly folder: string;
  readonly isRepository: boolean;
  /** The target is in another repository below that folder. */
  readonly isNested: boolean;
}

/** Thrown before a file outside of the repository is opened, or at least before it is read. */
export class EscapingLink extends Error {
  readonly code = "ESCAPING_LINK";
  readonly escape: Escape;
  constructor(escape: Escape) {
    super("a link leads out of its repository");
    this.escape = escape;
  }
}

interface LinkedOptions extends ReadOptions {
  /** The file that was found: this one, or the contract that extends this one, possibly in another repository below its own. */
  readonly foundAs?: string;
  /** Also called with the status of the file before it is opened. */
  readonly accept: (stats: Stats) => boolean;
}

/** Reads a file, as `readFound`. @throws EscapingLink; as `readFound` */
export function readLinked(path: string, { foundAs = path, accept, ...limits }: LinkedOptions): Buffer {
  for (let attempts = 1; ; attempts++) {
    const isLast = attempts === MOST_ATTEMPTS;
    const real = resolved(path, isLast);
    if (real === undefined) continue;
    // A link to it makes a file empty, and no other project has it.
    if (real === "/dev/null") return Buffer.alloc(0);
    const seen = statusOf(real);
    if (seen?.isFile() === false && !seen.isDirectory()) throw refusal("NOT_REGULAR");
    // First: what another user has put there is ignored, and must not prevent a start.
    if (seen?.isDirectory() === false && !accept(seen)) throw refusal("NOT_ACCEPTED");
    refuseEscape(real, foundAs, foundAs === path);
    let isUnchanged = true;
    const acceptOpened = (opened: Stats): boolean => {
      isUnchanged = isStillAt(real, opened);
      return isUnchanged && accept(opened);
    };
    try {
      return readFound(asPath(real), { ...limits, follows: false, accept: acceptOpened });
    } catch (error) {
      const isReplaced = !isUnchanged || ["ENOENT", "ELOOP"].includes(systemErrorCode(error) ?? "");
      if (!isReplaced) throw error;
      if (isLast) throw refusal("REPLACED");
    }
  }
}

/**
 * Resolves all links of a path. One to an open file in /proc may lead to something without a path, such as a pipe. Undefined if
 * another process may have replaced a link meanwhile, unless that is the last attempt.
 */
function resolved(path: string, isLast: boolean): string | undefined {
  try {
    return realBytes(path);
  } catch (error) {
    if (attempt(() => statSync(path)) === undefined) throw error;
    if (!isLast) return undefined;
    const [target, folder] = [attempt(() => readlinkSync(path)) ?? path, parentOf(path)];
    throw new EscapingLink({ target, folder, isRepository: false, isNested: false });
  }
}

function statusOf(real: string): Stats | undefined {
  return lstatSync(asPath(real), { throwIfNoEntry: false });
}

/** Returns true if the open file is the one at a path without links, and no part of the path has become a link. */
function isStillAt(real: string, opened: Stats): boolean {
  const now = statusOf(real);
  // Windows has other numbers for an open file in some versions.
  const isSame = process.platform === "win32" || (now?.ino === opened.ino && now.dev === opened.dev);
  return isSame && attempt(() => realBytes(asPath(real))) === real;
}

/** @param isStrict false if the file may be in another repository below that of the file that was found */
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

/** Returns the problem, in words for a user. @param link its path as messages show it */
export function escapeWords(link: string, { target, folder, isRepository, isNested }: Escape): string {
  const [shown, outside] = [target, folder].map(printable);
  if (isNested) return `${printable(link)} is a link to ${shown}, which is in another repository`;
  return `${printable(link)} is a link to ${shown}, outside its ${isRepository ? "repository" : "folder"} ${outside}`;
}
