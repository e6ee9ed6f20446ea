import { lstatSync, statSync, type Stats } from "node:fs";
import type { Layer, Notice } from "../../core/model.ts";
import { isMissing, readTrusted } from "../../system/addon/addon.ts";
import { readBounded } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { distrustOf, isExposed, type Distrust } from "../../system/ownership.ts";
import { parentOf, within } from "../../system/paths.ts";
import { parseDotenv } from "./syntax.ts";
import { withoutMark } from "../../core/text.ts";

/** All that a process can be started with is less; one value may have 128 KiB on Linux. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface EnvFile {
  /** Relative to the working directory. */
  readonly path: string;
  /** A file that was asked for by name must exist; the default `.env` need not. */
  readonly required: boolean;
  /** Where it is, if that is not below the working directory. */
  readonly absolute?: string;
}

export interface DotenvReading {
  /** Highest precedence first: later files win over earlier ones. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
  /** Each file in the order given, with the number of its variables; none where it does not exist, not one passed over. */
  readonly files: readonly ReadFile[];
}

interface ReadFile {
  readonly path: string;
  readonly variables?: number;
  /** Found by search; else somebody named it. */
  readonly found: boolean;
  /** It is world-readable. */
  readonly exposed?: true;
}

/**
 * Reads `.env` files.
 *
 * @param above a further folder in which a file that nobody named is looked for; it gives way to the working directory's
 * @throws SophiaError (dotenv, 125) for a file that is named but missing, that cannot be read or that is malformed
 */
export async function readDotenv(files: readonly EnvFile[], cwd: string, above = cwd): Promise<DotenvReading> {
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  const read: ReadFile[] = [];
  const all = above === cwd ? files : files.flatMap((file) => (file.required ? file : [inFolder(file, above), file]));
  for (const file of all) {
    const { path, required } = file;
    const content = await readText(file, cwd);
    if (content !== undefined && "kind" in content) {
      const { passedOver } = await import("./words.ts");
      notices.push({ kind: "remark", text: passedOver(path, content) });
      continue;
    }
    if (content === undefined) {
      read.push({ path, found: !required });
      continue;
    }
    const parsed = await parseDotenv(content.text, path);
    layers.unshift({ source: "dotenv", variables: parsed.variables });
    // Not as arguments: there may be one for each of thousands of lines.
    for (const notice of parsed.notices) notices.push(notice);
    const exposed = content.exposed ? ({ exposed: true } as const) : {};
    read.push({ path, variables: parsed.variables.length, found: !required, ...exposed });
  }
  return { layers, notices, files: read };
}

function inFolder({ path, required }: EnvFile, folder: string): EnvFile {
  const absolute = within(folder, path);
  return { path: absolute, required, absolute };
}

interface Content {
  readonly text: string;
  /** The file is world-readable. */
  readonly exposed: boolean;
}

/** `undefined` where nobody named the file and there is none. */
async function readText(file: EnvFile, cwd: string): Promise<Content | Distrust | undefined> {
  // A path that somebody wrote is normalized, as that of a contract is.
  const path =
    file.absolute ??
    (file.required ? process.getBuiltinModule("node:path").resolve(cwd, file.path) : within(cwd, file.path));
  const folder = file.absolute === undefined ? cwd : parentOf(path);
  if (!file.required && isMissing(path)) return undefined;
  const trusted = file.required ? undefined : readTrusted(path, folder, true);
  if (trusted !== undefined) return { text: withoutMark(trusted), exposed: false };
  let bytes: Buffer;
  let exposed = false;
  let distrust: Distrust | undefined;
  try {
    const accept = (stats: Stats): boolean => {
      if (!file.required && (stats.isFile() || stats.isFIFO())) distrust = distrustOf(path, stats, folder, cwd);
      exposed = isExposed(path, stats);
      return distrust === undefined;
    };
    if (!file.required) {
      // Looked at before it is opened, too: a file that only its owner may read cannot be.
      const seen = statSync(path, { throwIfNoEntry: false });
      if (seen === undefined) return undefined;
      if (!accept(seen)) return distrust;
    }
    bytes = await readBounded(path, { maxBytes: MAX_BYTES, accept });
  } catch (error) {
    if (distrust !== undefined) return distrust;
    const code = systemErrorCode(error) ?? "unknown error";
    // ENOTDIR: a component of the path is a file, so the file cannot exist either.
    if (!file.required && (code === "ENOENT" || code === "ENOTDIR" || !isKnown(path))) return undefined;
    throw (await import("./words.ts")).unreadable(file.path, code);
  }
  const text = bytes.toString();
  // What is not UTF-8 has become this character, which may also be the file's own.
  if (text.includes("\uFFFD") && !process.getBuiltinModule("node:buffer").isUtf8(bytes)) {
    throw (await import("./words.ts")).unreadable(file.path, "NOT_UTF8");
  }
  return { text: withoutMark(text), exposed };
}

/** Whether the folder says that the file is there; where the user may not search the folder, nothing is known. */
function isKnown(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
