import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import type { Layer, Notice } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { describeDistrust, distrustOf, type Distrust } from "../../system/ownership.ts";
import { parentOf, within } from "../../system/paths.ts";
import { parseDotenv } from "./syntax.ts";

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
    const text = readText(file, cwd);
    if (typeof text === "object") {
      notices.push({ kind: "remark", text: passedOver(path, text) });
      continue;
    }
    if (text === undefined) {
      read.push({ path, found: !required });
      continue;
    }
    const parsed = await parseDotenv(text, path);
    layers.unshift({ source: "dotenv", variables: parsed.variables });
    notices.push(...parsed.notices);
    read.push({ path, variables: parsed.variables.length, found: !required });
  }
  return { layers, notices, files: read };
}

function inFolder({ path, required }: EnvFile, folder: string): EnvFile {
  const absolute = within(folder, path);
  return { path: absolute, required, absolute };
}

function passedOver(path: string, distrust: Distrust): string {
  const { what, fix } = describeDistrust(distrust, path);
  const naming = `--dotenv ${shellWord(path)} reads it all the same`;
  return `${printable(path)} is passed over: ${what}; ${fix === undefined ? "" : `${fix}, or `}${naming}`;
}

/** `undefined` where nobody named the file and there is none. */
function readText(file: EnvFile, cwd: string): string | Distrust | undefined {
  // A path that somebody wrote is normalized, as that of a contract is.
  const path =
    file.absolute ??
    (file.required ? process.getBuiltinModule("node:path").resolve(cwd, file.path) : within(cwd, file.path));
  let bytes: Buffer;
  let descriptor: number | undefined;
  try {
    const folder = file.absolute === undefined ? cwd : parentOf(path);
    const distrust = (stats: Stats): Distrust | undefined => distrustOf(path, stats, folder, cwd);
    let seen: Stats | undefined;
    if (!file.required) {
      // Looked at before it is opened, too: somebody else's pipe would never open, nor a file that they alone may read.
      seen = statSync(path, { throwIfNoEntry: false });
      const reason = seen === undefined ? undefined : distrust(seen);
      if (seen === undefined || reason !== undefined) return reason;
    }
    descriptor = openSync(path, constants.O_RDONLY);
    if (seen !== undefined) {
      const opened = fstatSync(descriptor);
      const reason = opened.ino === seen.ino && opened.dev === seen.dev ? undefined : distrust(opened);
      if (reason !== undefined) return reason;
    }
    bytes = readFileSync(descriptor);
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown error";
    // ENOTDIR: a component of the path is a file, so the file cannot exist either.
    if ((code === "ENOENT" || code === "ENOTDIR") && !file.required) return undefined;
    throw unreadable(file.path, code);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  const text = bytes.toString();
  // What is not UTF-8 has become this character, which may also be the file's own.
  if (text.includes("\uFFFD") && !isUtf8(bytes)) {
    throw failure(`${printable(file.path)} is not valid UTF-8`, "save the file as UTF-8");
  }
  // Editors on Windows put a byte-order mark in front.
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function unreadable(path: string, code: string): SophiaError {
  const shown = printable(path);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return failure(`the env file ${shown} does not exist`, "check the path given by --dotenv or SOPHIA_DOTENV");
    case "EISDIR":
      return failure(
        `${shown} is a folder, not a file of variables`,
        "name the right file with --dotenv, or move the folder",
      );
    case "EACCES":
    case "EPERM":
      return failure(
        `${shown} cannot be read: permission denied`,
        "give the user who starts sophia-run the right to read it",
      );
    default:
      return failure(`${shown} cannot be read (${code})`, "check the file, or name another with --dotenv");
  }
}

function failure(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "dotenv", message, hint });
}
