import { systemErrorCode } from "../../system/errors.ts";
import { readFileSync, statSync } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import type { Layer, Notice } from "../../core/model.ts";
import { within } from "../../system/paths.ts";
import { printable } from "../../core/text.ts";
import { parseDotenv } from "./syntax.ts";

export interface EnvFile {
  /** Relative to the working directory. */
  readonly path: string;
  /** A file that was asked for by name must exist; the default `.env` need not. */
  readonly required: boolean;
  /** Named by `--env-file`, which Node.js looks for as well. */
  readonly onCommandLine?: boolean;
}

export interface DotenvReading {
  /** Highest precedence first: later files win over earlier ones. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
  /** Each file in the order given, with the number of its variables; none where it does not exist. */
  readonly files: readonly { readonly path: string; readonly variables?: number }[];
}

/**
 * Reads `.env` files.
 *
 * @throws SophiaError (dotenv, 125) for a file that is named but missing, that cannot be read or that is malformed
 */
export async function readDotenv(files: readonly EnvFile[], cwd: string): Promise<DotenvReading> {
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  const read: { path: string; variables?: number }[] = [];
  for (const file of files) {
    const text = readText(file, cwd);
    if (text === undefined || text === "") {
      read.push(text === undefined ? { path: file.path } : { path: file.path, variables: 0 });
      continue;
    }
    const parsed = await parseDotenv(text, file.path);
    layers.unshift({ source: "dotenv", variables: parsed.variables });
    notices.push(...parsed.notices);
    read.push({ path: file.path, variables: parsed.variables.length });
  }
  return { layers, notices, files: read };
}

function readText(file: EnvFile, cwd: string): string | undefined {
  let bytes: Buffer;
  // A path that somebody wrote is normalized, as that of a contract is.
  const path = file.required ? process.getBuiltinModule("node:path").resolve(cwd, file.path) : within(cwd, file.path);
  try {
    bytes = readFileSync(path);
    if (bytes.length === 0 && file.onCommandLine === true && statSync(path).isFIFO()) throw drained(file.path);
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    const code = systemErrorCode(error) ?? "";
    // ENOTDIR: a component of the path is a file, so the file cannot exist either.
    if ((code === "ENOENT" || code === "ENOTDIR") && !file.required) return undefined;
    throw unreadable(file.path, code);
  }
  const text = bytes.toString();
  // What is not UTF-8 becomes this character, which may as well stand there.
  if (text.includes("\uFFFD") && !process.getBuiltinModule("node:buffer").isUtf8(bytes)) {
    throw new SophiaError({
      code: "dotenv",
      message: `${printable(file.path)} is not valid UTF-8`,
      hint: "save the file as UTF-8",
    });
  }
  // Editors on Windows put a byte-order mark in front.
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/**
 * A pipe gives its text once. Where `node` was started without `--`, as by npm's entry, Node.js reads a file of
 * `--env-file` before us, be the option behind the script's name; going on would be going on without its variables.
 */
function drained(path: string): SophiaError {
  return new SophiaError({
    code: "dotenv",
    message: `the pipe ${printable(path)} holds nothing: nothing was written to it, or Node.js has read it already`,
    hint: `name it by SOPHIA_ENV_FILE=${printable(path)} in place of --env-file, which Node.js looks for as well`,
  });
}

function unreadable(path: string, code: string): SophiaError {
  const shown = printable(path);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SophiaError({
        code: "dotenv",
        message: `the env file ${shown} does not exist`,
        hint: "check the path given by --env-file or SOPHIA_ENV_FILE",
      });
    case "EISDIR":
      return new SophiaError({
        code: "dotenv",
        message: `${shown} is a folder, not a file of variables`,
        hint: "name the right file with --env-file, or move the folder",
      });
    case "EACCES":
    case "EPERM":
      return new SophiaError({
        code: "dotenv",
        message: `${shown} cannot be read: permission denied`,
        hint: "give the user who starts sophia-run the right to read it",
      });
    default:
      return new SophiaError({
        code: "dotenv",
        message: `${shown} cannot be read (${code === "" ? "unknown error" : code})`,
        hint: "check the file, or name another with --env-file",
      });
  }
}
