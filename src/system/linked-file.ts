/**
 * Reads a file that sophia-run has found by search, such as a `.env` file or a contract. Its path may contain symbolic links, but
 * they must not lead out of their repository. Otherwise a cloned repository could contain a link that makes sophia-run read any
 * file of the user.
 *
 * First, this code resolves all symbolic links, and checks the resolved path. Then it opens the resolved path. Another process may
 * replace a folder of that path by a link in between. So this code asks the kernel for the path of the open file, and checks that
 * path as well. Systems without /proc do not have that path. There, it compares the open file with the file at the resolved path;
 * a process that replaces the folder twice, at the right moments, can defeat this comparison.
 *
 * Paths may contain bytes that are not UTF-8. So the string `realPath` has one character for each byte of a resolved path
 * (Latin-1), and `pathFromBytes` turns it into a path for node:fs.
 */
import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { printable } from "../core/text.ts";
import { readFoundFile, type ReadOptions, createReadRefusal } from "./bounded-read.ts";
import { attempt, systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";
import { realLatin1Path } from "./real-path.ts";
import { findRepository, isAtOrBelow } from "./repository.ts";

/** The limit on attempts, if another process replaces the file while it is read, as Kubernetes does with mounted files. */
const MAX_ATTEMPTS = 5;

/** Describes a symbolic link that leads out of its repository. */
export interface LinkEscape {
  readonly target: string;
  /** The repository of the link; if the link is in no repository, the folder of the link. */
  readonly folder: string;
  /** True if `folder` is a repository. */
  readonly isRepository: boolean;
  /** True if the target is below `folder`, but in another repository, such as a submodule. */
  readonly isNested: boolean;
}

/** The error for a link that leads out of its repository. It is thrown before anything outside is read. */
export class EscapingLinkError extends Error {
  readonly code = "ESCAPING_LINK";
  readonly escape: LinkEscape;
  constructor(escape: LinkEscape) {
    super("a link leads out of its repository");
    this.escape = escape;
  }
}

interface LinkedOptions extends ReadOptions {
  /**
   * The file whose repository the file to read must not leave. By default it is the file to read, before links are resolved. For
   * a contract that another contract extends, it is the extending contract. Then the file to read may also be in a repository
   * below the repository of that contract.
   */
  readonly foundAs?: string;
  /**
   * Returns false if the file must not be read. It is called twice: with the status of the file before it is opened, and with
   * the status of the open file.
   */
  readonly accept: (stats: Stats) => boolean;
}

/** Reads a file as `readFoundFile` does. @throws EscapingLinkError @throws as `readFoundFile` */
export function readLinkedFile(path: string, options: LinkedOptions): Buffer {
  const containment = findContainment(path, options);
  for (let attempts = 1; ; attempts++) {
    const isLastAttempt = attempts === MAX_ATTEMPTS;
    const realPath = resolveLinks(path, isLastAttempt);
    if (realPath === undefined) continue;
    // This link leads out of the repository, but it is allowed: users hide a file by it, and it reveals nothing.
    if (realPath === "/dev/null") return Buffer.alloc(0);
    refuseBeforeOpening(realPath, containment, options.accept);
    try {
      return readResolvedFile(realPath, containment, options);
    } catch (error) {
      if (!REPLACEMENT_CODES.has(systemErrorCode(error))) throw error;
      if (isLastAttempt) throw createReadRefusal("REPLACED");
      // The next attempt resolves the links of the new file.
    }
  }
}

/**
 * The errors that show that another process has replaced the file since its path was resolved. ENOENT: there is no file at
 * the path now. ELOOP: a link is there. REPLACED: another file is there.
 */
const REPLACEMENT_CODES: ReadonlySet<string | undefined> = new Set(["ENOENT", "ELOOP", "REPLACED"]);

/** The folder that must contain the file to read, as a file in it or below it. */
interface Containment {
  /** The path of the file whose repository must contain the file to read. */
  readonly foundAs: string;
  /** True if the file to read may be in another repository below that one. */
  readonly allowsNestedRepository: boolean;
}

function findContainment(path: string, { foundAs = path }: LinkedOptions): Containment {
  return { foundAs, allowsNestedRepository: foundAs !== path };
}

/** Checks the file at a resolved path before it is opened, since opening has effects on some devices. */
function refuseBeforeOpening(realPath: string, containment: Containment, accept: LinkedOptions["accept"]): void {
  const status = readStatus(realPath);
  if (status?.isFile() === false && !status.isDirectory()) throw createReadRefusal("NOT_REGULAR");
  // This check comes before the check of the repository: its error makes callers ignore a file that another user has put
  // there, while a link out of the repository stops the start. A folder goes on to readFoundFile, which throws EISDIR.
  if (status?.isDirectory() === false && !accept(status)) throw createReadRefusal("NOT_ACCEPTED");
  refuseEscape(realPath, containment);
}

/** Opens and reads the file at a resolved path. The open file is checked again, since another process may replace the file. */
function readResolvedFile(realPath: string, containment: Containment, { accept, maxBytes }: LinkedOptions): Buffer {
  const acceptOpened = (openedFile: Stats, descriptor: number): boolean => {
    const openedPath = findPathOfOpenFile(descriptor);
    const mayBeReplaced = openedPath === undefined && !isStillAt(realPath, openedFile);
    if (mayBeReplaced) throw createReadRefusal("REPLACED");
    if (openedPath !== undefined && openedPath !== realPath) refuseEscape(openedPath, containment);
    return accept(openedFile);
  };
  return readFoundFile(pathFromBytes(realPath), { maxBytes, followsLink: false, accept: acceptOpened });
}

/**
 * Resolves all symbolic links of a path. If the file exists, that fails for two reasons: another process has replaced a link
 * meanwhile, or a link in /proc/PID/fd leads to something that has no path, such as a pipe.
 *
 * @param isLastAttempt true if no further attempt follows
 * @returns undefined if another attempt may succeed
 * @throws the system's error if there is no file; EscapingLinkError if the file exists, but the last attempt has failed
 */
function resolveLinks(path: string, isLastAttempt: boolean): string | undefined {
  try {
    return realLatin1Path(path);
  } catch (error) {
    if (attempt(() => statSync(path)) === undefined) throw error;
    if (!isLastAttempt) return undefined;
    // If the last part of the path is not a link but a part before it is, the message shows the path itself.
    const target = attempt(() => readlinkSync(path)) ?? path;
    throw new EscapingLinkError({ target, folder: parentOf(path), isRepository: false, isNested: false });
  }
}

function readStatus(realPath: string): Stats | undefined {
  return lstatSync(pathFromBytes(realPath), { throwIfNoEntry: false });
}

/**
 * Returns the path at which the kernel has the open file, one character for each byte; undefined without /proc. It has no symbolic
 * links. It ends with ` (deleted)` if the file has been removed.
 */
function findPathOfOpenFile(descriptor: number): string | undefined {
  const path = attempt(() => readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" }));
  // Bun may return a string in spite of the encoding, as in real-path.ts.
  return path === undefined ? undefined : Buffer.from(path).toString("latin1");
}

/** Returns true if the open file is still the file at the resolved path, and no part of that path has become a link. */
function isStillAt(realPath: string, opened: Stats): boolean {
  const status = readStatus(realPath);
  // Some versions of Windows report other inode and device numbers for an open file.
  const isSameFile = process.platform === "win32" || (status?.ino === opened.ino && status.dev === opened.dev);
  return isSameFile && attempt(() => realLatin1Path(pathFromBytes(realPath))) === realPath;
}

/** Throws if a file is outside of the repository in which it must be. @throws EscapingLinkError */
function refuseEscape(realPath: string, { foundAs, allowsNestedRepository }: Containment): void {
  const foundFolder = realLatin1Path(parentOf(foundAs));
  const exists = (path: string): boolean => existsSync(pathFromBytes(path));
  const repository = findRepository(foundFolder, exists);
  const folder = repository ?? foundFolder;
  const isInFolder = isAtOrBelow(realPath, folder);
  if (isInFolder && (allowsNestedRepository || findRepository(parentOf(realPath), exists) === repository)) return;
  throw new EscapingLinkError({
    target: pathFromBytes(realPath).toString(),
    folder: pathFromBytes(folder).toString(),
    isRepository: repository !== undefined,
    isNested: isInFolder,
  });
}

/** Returns a path for the functions of node:fs. @param path a string with one character for each byte */
function pathFromBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** Describes for the user where a link leads. @param link the path of the link, as messages show it */
export function describeEscape(link: string, { target, folder, isRepository, isNested }: LinkEscape): string {
  const linkText = `${printable(link)} is a link to ${printable(target)}`;
  if (isNested) return `${linkText}, which is in another repository`;
  return `${linkText}, outside its ${isRepository ? "repository" : "folder"} ${printable(folder)}`;
}
