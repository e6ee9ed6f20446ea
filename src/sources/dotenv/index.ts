import { lstatSync, type Stats } from "node:fs";
import type { Folders } from "../../core/context.ts";
import type { Layer, Notice } from "../../core/model.ts";
import { withoutMark } from "../../core/text.ts";
import { isMissing, readTrusted } from "../../system/addon/addon.ts";
import { readFound, readNamed } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { distrustOf, isExposed, type Distrust } from "../../system/ownership.ts";
import { isThere, within } from "../../system/paths.ts";
import { type ParsedDotenv, parsePlainly } from "./plain-syntax.ts";

/** Above the size of any environment; one value may have 128 KiB on Linux. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface EnvFile {
  /** Relative to the working directory, or to the project's folder if it is not required. */
  readonly path: string;
  /** A file that the user named must exist; the default `.env` need not. */
  readonly required: boolean;
  /** False if it would not have the same effect as a file that the user names. */
  readonly isNameable?: boolean;
}

export interface DotenvReading {
  /** Highest precedence first: later files win over earlier ones. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
  /** Each file in its order, with the number of its variables; undefined if it does not exist. */
  readonly files: readonly ReadFile[];
  /** Variables `NAME_FILE` whose files were read, too. */
  readonly pointers?: readonly string[];
}

interface ReadFile {
  readonly path: string;
  readonly variables?: number;
  /** Found by search; otherwise the user named it. */
  readonly found: boolean;
  /** A value is a reference. */
  readonly references?: true;
  readonly exposed?: true;
}

/**
 * Reads `.env` files; those that are not required in each of the folders, the one with the highest precedence last.
 * @throws SophiaError (dotenv, 125) for a named file that is missing, and for one that cannot be read or is malformed
 */
export async function readDotenv(
  files: readonly EnvFile[],
  { cwd, project }: Folders,
  folders: readonly string[] = [project],
): Promise<DotenvReading> {
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  const read: ReadFile[] = [];
  const places = files.flatMap((file) => (file.required ? [cwd] : folders).map((folder) => ({ file, folder })));
  for (const { file, folder } of places) {
    const path = folder === cwd ? file.path : within(folder, file.path);
    const found = !file.required;
    const content = await readText(file, path, folder, project);
    if (content === undefined) {
      read.push({ path, found });
    } else if ("kind" in content) {
      const { ignoredFile } = await words();
      notices.push({ kind: "remark", text: ignoredFile(path, content, file.isNameable ?? true) });
    } else {
      const parsed = await parseDotenv(content.text, path);
      layers.unshift({ source: "dotenv", variables: parsed.variables });
      notices.push(...parsed.notices);
      const { references } = parsed;
      const marks = { ...(references === true && { references }), ...(content.exposed && { exposed: true as const }) };
      read.push({ path, variables: parsed.variables.length, found, ...marks });
    }
  }
  return { layers, notices, files: read };
}

/** Parses a `.env` file. @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL */
export async function parseDotenv(text: string, file: string): Promise<ParsedDotenv> {
  // Most files are plain, so that the rest is in a file of its own.
  return parsePlainly(text, file) ?? (await import("./thorough.ts")).parseThoroughly(text, file);
}

/** In one place, since each import is a line of the hot path. */
function words(): Promise<typeof import("./dotenv-words.ts")> {
  return import("./dotenv-words.ts");
}

interface Content {
  readonly text: string;
  readonly exposed: boolean;
}

async function readText(
  { path: name, required, isNameable = true }: EnvFile,
  shown: string,
  folder: string,
  project: string,
): Promise<Content | Distrust | undefined> {
  // A path that the user wrote is normalized, like that of a contract.
  const path = required ? process.getBuiltinModule("node:path").resolve(folder, name) : within(folder, name);
  if (!required && isMissing(path)) return undefined;
  const trusted = required ? undefined : readTrusted(path, folder, true);
  if (trusted !== undefined) return { text: withoutMark(trusted), exposed: false };
  let bytes: Buffer;
  let exposed = false;
  let distrust: Distrust | undefined;
  const accept = (stats: Stats): boolean => {
    if (!required && (stats.isFile() || stats.isFIFO())) distrust = distrustOf(path, stats, folder, project);
    exposed = isExposed(path, stats);
    return distrust === undefined;
  };
  try {
    const seen = required ? undefined : lstatSync(path, { throwIfNoEntry: false });
    if (!required && seen === undefined) return undefined;
    const options = { maxBytes: MAX_BYTES, accept };
    if (seen === undefined) bytes = await readNamed(path, options);
    else if (seen.isSymbolicLink()) {
      bytes = (await import("../../system/linked-file.ts")).readLinked(path, options);
    } else {
      // Checked also before it is opened, which fails for a file that only another user may read.
      if (!accept(seen)) return distrust;
      bytes = readFound(path, { ...options, follows: false });
    }
  } catch (error) {
    if (distrust !== undefined) return distrust;
    const code = systemErrorCode(error) ?? "unknown error";
    // ENOTDIR: a component of the path is a file.
    if (!required && (code === "ENOENT" || code === "ENOTDIR" || !isThere(path))) return undefined;
    throw (await words()).unreadable(shown, code, { error, isNameable });
  }
  const text = bytes.toString();
  // Decoding puts this character for invalid UTF-8; the file may also contain it.
  if (text.includes("\uFFFD") && !process.getBuiltinModule("node:buffer").isUtf8(bytes)) {
    throw (await words()).unreadable(shown, "NOT_UTF8");
  }
  return { text: withoutMark(text), exposed };
}
