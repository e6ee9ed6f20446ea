import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SophiaError } from "../core/error.ts";
import { systemErrorCode } from "../system/errors.ts";

/** A file that a command reads or writes. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
}

/** @returns undefined if the file does not exist @throws SophiaError (file, 125) if it cannot be read */
export function readIfThere({ path, name }: NamedFile): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unusable(name, "read", error);
  }
}

/**
 * Writes a file, and the folders above it that are missing.
 *
 * @param flag `wx` fails if the file exists, even if it has come to be this moment
 * @throws SophiaError (file, 125)
 */
export function writeText({ path, name }: NamedFile, text: string, flag: "w" | "wx" = "w"): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag });
  } catch (error) {
    throw unusable(name, "written", error);
  }
}

function unusable(name: string, what: "read" | "written", error: unknown): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${name} cannot be ${what} (${systemErrorCode(error) ?? "UNKNOWN"})`,
    hint: "check the file, its folder and their permissions, then start again: what was written so far stays",
  });
}
