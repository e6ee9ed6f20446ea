/** Finding and reading the contract: the only part that touches the disk. */
import { isUtf8 } from "node:buffer";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { SophiaError } from "../error.ts";
import { enumerate, printable } from "../text.ts";
import { compileContract } from "./file/compile.ts";
import { readContract } from "./file/read.ts";
import { builtInContract } from "./generated/built-in.ts";
import type { Contract } from "./model.ts";
import { suggest } from "./suggest.ts";

/** The name under which a repository's contract is found. */
export const contractFileName = "sophia.contract.json";

/** What `loadContract` goes by. */
export interface ContractRequest {
  /** A contract file that was named (`--contract`, `SOPHIA_CONTRACT`), relative to `cwd` or absolute. */
  readonly file?: string | undefined;
  /** Where the search begins: an absolute path. */
  readonly cwd: string;
  readonly profile?: string | undefined;
}

/**
 * Returns the contract that counts: the named file, else `sophia.contract.json` in the working directory or the
 * nearest folder above it, up to the repository's root, else the built-in contract of Sophia.
 *
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid` or `contract-profile`
 */
export function loadContract({ file, cwd, profile }: ContractRequest): Contract {
  const path = file === undefined ? findContract(cwd) : resolve(cwd, file);
  if (path === undefined) {
    const contract = builtInContract();
    if (profile !== undefined) throw unknownProfile("the built-in contract", profile, contract.profiles);
    return contract;
  }
  const name = shownPath(path, cwd);
  const document = readContract(readText(path, name), name);
  const profiles = Object.keys(document.profiles ?? {});
  if (profile !== undefined && !profiles.includes(profile)) throw unknownProfile(name, profile, profiles);
  return compileContract(document, { kind: "file", path }, profile);
}

/**
 * Looks for a contract from a folder upwards. The search ends with the folder that holds `.git`, the root of the
 * repository; outside of a repository (in an image, say) with the root of the file system. Above the folder it
 * starts from, it passes over folders such as /tmp, in which anybody may put a file.
 */
export function findContract(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, contractFileName);
    if (existsSync(path) && (folder === cwd || !isShared(folder))) return path;
    if (existsSync(join(folder, ".git")) || dirname(folder) === folder) return undefined;
  }
}

/** Writable by everybody and sticky. */
function isShared(folder: string): boolean {
  return ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o1002) === 0o1002;
}

function shownPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === ".." || inside.startsWith(`..${sep}`) ? path : inside;
}

function readText(path: string, name: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(name, error instanceof Error && "code" in error ? String(error.code) : "unknown error");
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
  ["EACCES", "may not be read by this user"],
  ["EPERM", "may not be read by this user"],
]);

function unreadable(name: string, code: string): SophiaError {
  return new SophiaError({
    code: "contract-unreadable",
    message: `the contract ${printable(name)} ${readErrors.get(code) ?? `cannot be read (${printable(code)})`}`,
    hint: `name a contract file with --contract or SOPHIA_CONTRACT, or leave both out to use ${contractFileName} or the built-in contract`,
  });
}

function unknownProfile(name: string, profile: string, profiles: readonly string[]): SophiaError {
  const meant = suggest(profile, profiles);
  return new SophiaError({
    code: "contract-profile",
    message: `${printable(name)} has no profile "${printable(profile)}"`,
    hint:
      profiles.length === 0
        ? "leave out --profile and SOPHIA_PROFILE: this contract has no profiles"
        : `${meant === undefined ? "" : `did you mean ${printable(meant)}? `}choose ${enumerate(profiles.map(printable))}`,
  });
}
