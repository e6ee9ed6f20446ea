/**
 * Reads `.env` files: those that the user names, or the default file, which is looked for in folders. A default file is read only
 * if it is trusted: for example, no other user may be able to change it (`system/ownership.ts`).
 */
import { lstatSync, type Stats } from "node:fs";
import type { Folders } from "../../core/context.ts";
import type { Layer, Notice } from "../../core/model.ts";
import { withoutMark } from "../../core/text.ts";
import { isMissing, readTrusted } from "../../system/addon/addon.ts";
import { readFoundFile, readNamedFile } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { findDistrust, isExposed, type Distrust } from "../../system/ownership.ts";
import { entryExists, within } from "../../system/paths.ts";
import { type ParsedDotenv, parsePlainly } from "./plain-syntax.ts";

/** The limit on the size of a file, which `dotenv-words.ts` states in a message. On Linux, a single value may have 128 KiB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** A file to read: the default one, or one that the user named. */
export interface EnvFile {
  /**
   * The path of a required file is relative to the working directory, and that of the default file to each folder that is searched.
   */
  readonly path: string;
  /** True for a file that the user named, which must exist. The default `.env` need not exist. */
  readonly required: boolean;
  /** False if a message must not propose to name the file, because a named file would have another effect. */
  readonly isNameable?: boolean;
}

/** The variables of all files that were read, and what reports show about the files. */
export interface DotenvReading {
  /** The highest precedence is first: later files win over earlier ones. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
  /** The files in the order of reading. */
  readonly files: readonly ReadFile[];
  /** The variables `NAME_FILE` whose files were read as well (`resolve/value-files.ts`). */
  readonly pointers?: readonly string[];
}

interface ReadFile {
  readonly path: string;
  /** The number of its variables; absent if the file does not exist. */
  readonly variables?: number;
  /** True for a file that was found by search, false for one that the user named. */
  readonly found: boolean;
  /** Set if a value is a reference to a secret. */
  readonly references?: true;
  /** Set if the file is world-readable. */
  readonly exposed?: true;
}

/**
 * Reads `.env` files. A file that is not required is looked for in each of the folders, of which the last one wins.
 * @throws SophiaError (dotenv, 125) for a named file that is missing, and for one that cannot be read or is malformed
 */
export async function readDotenv(
  files: readonly EnvFile[],
  { cwd, project }: Folders,
  folders: readonly string[] = [project],
): Promise<DotenvReading> {
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  const readFiles: ReadFile[] = [];
  const candidates = files.flatMap((file) => (file.required ? [cwd] : folders).map((folder) => ({ file, folder })));
  for (const { file, folder } of candidates) {
    const path = folder === cwd ? file.path : within(folder, file.path);
    const found = !file.required;
    const content = await readText(file, path, folder, project);
    if (content === undefined) {
      readFiles.push({ path, found });
    } else if ("kind" in content) {
      const { describeIgnoredFile } = await loadMessages();
      notices.push({ kind: "remark", text: describeIgnoredFile(path, content, file.isNameable ?? true) });
    } else {
      const parsed = await parseDotenv(content.text, path);
      layers.unshift({ source: "dotenv", variables: parsed.variables });
      notices.push(...parsed.notices);
      const { references } = parsed;
      const marks = { ...(references === true && { references }), ...(content.exposed && { exposed: true as const }) };
      readFiles.push({ path, variables: parsed.variables.length, found, ...marks });
    }
  }
  return { layers, notices, files: readFiles };
}

/** Parses a `.env` file. @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL */
export async function parseDotenv(text: string, file: string): Promise<ParsedDotenv> {
  // Most files have no quotes and no remarks. The parser for all others is loaded only for them.
  return parsePlainly(text, file) ?? (await import("./thorough.ts")).parseThoroughly(text, file);
}

/** Loads the messages. This is a function because each further `import()` would make the code of a plain start longer. */
function loadMessages(): Promise<typeof import("./dotenv-words.ts")> {
  return import("./dotenv-words.ts");
}

/** The content of a `.env` file. */
interface FileContent {
  readonly text: string;
  /** True if the file is world-readable. */
  readonly exposed: boolean;
}

/**
 * Reads a file. The default file is read only if it is trusted; a file that the user named is read in any case.
 *
 * @param shownPath the path for messages
 * @returns the reason if the file is not trusted; undefined if it does not exist
 * @throws SophiaError (dotenv, 125)
 */
async function readText(
  { path: relativePath, required, isNameable = true }: EnvFile,
  shownPath: string,
  folder: string,
  project: string,
): Promise<FileContent | Distrust | undefined> {
  // A path that the user wrote is normalized, as is that of a contract.
  const path = required
    ? process.getBuiltinModule("node:path").resolve(folder, relativePath)
    : within(folder, relativePath);
  if (!required && isMissing(path)) return undefined;
  // The addon reads a file only if all rules of trust are certainly met. Otherwise the rules are checked one by one below.
  const trustedText = required ? undefined : readTrusted(path, folder, true);
  if (trustedText !== undefined) return { text: withoutMark(trustedText), exposed: false };
  let bytes: Buffer;
  let exposed = false;
  let distrust: Distrust | undefined;
  // The readers call this with the file that they have opened, so that the file that is checked is the file that is read.
  const accept = (stats: Stats): boolean => {
    if (!required && (stats.isFile() || stats.isFIFO())) distrust = findDistrust(path, stats, folder, project);
    exposed = isExposed(path, stats);
    return distrust === undefined;
  };
  try {
    const stats = required ? undefined : lstatSync(path, { throwIfNoEntry: false });
    if (!required && stats === undefined) return undefined;
    const options = { maxBytes: MAX_FILE_BYTES, accept };
    if (stats === undefined) bytes = await readNamedFile(path, options);
    else if (stats.isSymbolicLink()) {
      bytes = (await import("../../system/linked-file.ts")).readLinkedFile(path, options);
    } else {
      // The file is checked before it is opened, because opening fails for a file that only another user may read.
      if (!accept(stats)) return distrust;
      bytes = readFoundFile(path, { ...options, followsLink: false });
    }
  } catch (error) {
    if (distrust !== undefined) return distrust;
    const code = systemErrorCode(error) ?? "unknown error";
    // ENOTDIR means that a part of the path is a file, so that there is no `.env` either.
    if (!required && (code === "ENOENT" || code === "ENOTDIR" || !entryExists(path))) return undefined;
    throw (await loadMessages()).unreadableFileError(shownPath, code, { error, isNameable });
  }
  const text = bytes.toString();
  // Decoding replaces invalid UTF-8 by U+FFFD. The file may also contain that character itself.
  if (text.includes("\uFFFD") && !process.getBuiltinModule("node:buffer").isUtf8(bytes)) {
    throw (await loadMessages()).unreadableFileError(shownPath, "NOT_UTF8");
  }
  return { text: withoutMark(text), exposed };
}
