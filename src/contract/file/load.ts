/** Reading a contract file. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { CONTRACT_FILE_NAME } from "../file-name.ts";
import type { ContractDocument } from "../generated/document.ts";
import type { Contract } from "../model.ts";
import { compileContract, profilesOf, type PatternCompiler } from "./compile.ts";
import { examineMeaning } from "./meaning.ts";
import { parseContract } from "./read.ts";

/** A contract file. */
interface ContractFile {
  /** Absolute, or relative to the working directory. */
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
  const path = resolve(cwd, file.path);
  const name = shownPath(path, cwd);
  const text = readText(path, name, file.named);
  const document = parseContract(text);
  if (document === undefined) throw (await import("./rejection.ts")).malformedContract(text, name);
  const compilePattern = await patternCompilerFor(document);
  const issues = examineMeaning(document, compilePattern);
  if (issues.length > 0) throw (await import("./rejection.ts")).contradictoryContract(text, name, issues);
  const profiles = profilesOf(document);
  if (profile !== undefined && !profiles.has(profile)) {
    throw (await import("../profile.ts")).unknownProfile(name, profile, [...profiles.keys()]);
  }
  return compileContract(document, { kind: "file", path }, profile, compilePattern);
}

/** Loads the matcher only where a variable has a pattern. */
async function patternCompilerFor({ variables, profiles = {} }: ContractDocument): Promise<PatternCompiler> {
  const declared = [variables, ...Object.values(profiles).map((profile) => profile.variables ?? {})];
  const hasPattern = declared
    .flatMap(Object.values)
    .some(({ format }) => typeof format === "object" && "pattern" in format);
  if (hasPattern) return (await import("../pattern/pattern.ts")).compilePattern;
  return (source) => {
    throw new TypeError(`the matcher is not loaded, and there is a pattern: ${source}`);
  };
}

function shownPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}

function readText(path: string, name: string, named: boolean): string {
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
  // A byte-order mark is not part of the text.
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

const READ_ERRORS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a directory"],
  ["ELOOP", "is a symlink loop"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function unreadable(name: string, named: boolean, code: string): SophiaError {
  // A file that was found and does not exist is a symlink to one.
  const what = !named && code === "ENOENT" ? "is a symlink to a file that does not exist" : READ_ERRORS.get(code);
  return new SophiaError({
    code: "contract-unreadable",
    message: `the contract ${printable(name)} ${what ?? `cannot be read (${printable(code)})`}`,
    hint: named
      ? `name a contract file with --contract or SOPHIA_CONTRACT, or leave both out to use ${CONTRACT_FILE_NAME} or the built-in contract`
      : "fix that, or name another contract with --contract or SOPHIA_CONTRACT",
  });
}
