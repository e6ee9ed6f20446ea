/** Reading a contract file. */
import { systemErrorCode } from "../../system/errors.ts";
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { contractFileName } from "../load.ts";
import type { Contract } from "../model.ts";
import { compileContract } from "./compile.ts";
import { readContract } from "./read.ts";

/** A contract file. */
export interface ContractFile {
  /** Absolute. */
  readonly path: string;
  /** Whether somebody asked for it; else it was found. */
  readonly named: boolean;
}

/**
 * Reads, validates and compiles a contract file.
 *
 * @param cwd messages name the file relative to it
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid` or `contract-profile`
 */
export async function loadContractFile(
  file: ContractFile,
  cwd: string,
  profile: string | undefined,
): Promise<Contract> {
  const { path } = file;
  const name = shownPath(path, cwd);
  const text = readText(file, name);
  const reading = readContract(text);
  if (reading.kind !== "valid") throw (await import("./rejection.ts")).rejection(text, name, reading);
  const { document } = reading;
  const profiles = Object.keys(document.profiles ?? {});
  if (profile !== undefined && !profiles.includes(profile)) {
    throw (await import("../profile.ts")).unknownProfile(name, profile, profiles);
  }
  return compileContract(document, { kind: "file", path }, profile);
}

function shownPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}

function readText({ path, named }: ContractFile, name: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(name, named, systemErrorCode(error) ?? "unknown error");
  }
  if (!isUtf8(bytes)) {
    throw new SophiaError({
      code: "contract-invalid",
      message: `the contract ${printable(name)} is not UTF-8`,
      hint: "save it as UTF-8",
    });
  }
  // A byte-order mark is no part of the text.
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

const readErrors: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a folder"],
  ["ELOOP", "is a link in a circle"],
  ["EACCES", "may not be read by this user"],
  ["EPERM", "may not be read by this user"],
]);

function unreadable(name: string, named: boolean, code: string): SophiaError {
  // A file that was found and does not exist is a link to one.
  const what = !named && code === "ENOENT" ? "is a link to a file that does not exist" : readErrors.get(code);
  return new SophiaError({
    code: "contract-unreadable",
    message: `the contract ${printable(name)} ${what ?? `cannot be read (${printable(code)})`}`,
    hint: named
      ? `name a contract file with --contract or SOPHIA_CONTRACT, or leave both out to use ${contractFileName} or the built-in contract`
      : "put that right, or name another contract with --contract or SOPHIA_CONTRACT",
  });
}
