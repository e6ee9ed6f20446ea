/**
 * Loads a contract file: reads and parses it, merges it into the contract that it extends, checks it, and compiles it
 * for the profile and the scope that the user selected. Each start in a project with a contract does this.
 *
 *     { "extends": "builtin", "variables": { "API_KEY": { "required": true } } }
 *
 * A valid contract is parsed by JSON.parse, and checked by generated code (generated/guard.ts). The slower code that
 * finds and describes errors is imported only for an invalid contract.
 */
import { dirname, resolve } from "node:path";
import type { Folders } from "../../core/context.ts";
import { shellWord } from "../../core/shell.ts";
import { isSuspect } from "../../trust/suspects.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";
import type { Contract, ContractEnvironment, ContractSelection } from "../contract-model.ts";
import type { BrokerCheck } from "./validate-brokers.ts";
import { compileContract, profilesOf } from "./compile.ts";
import { ContractFileError, type LocatedFault, type ReadReason } from "./contract-file-error.ts";
import { readContractText, shortenPath } from "./contract-text.ts";
import type { ContractIssue } from "./positions.ts";
import { validateDocument } from "./validate-document.ts";
import type { EnvironmentFiles } from "./named-environments.ts";
import type { DefaultCheck } from "./validate-variable.ts";

/** The limit of files that extend each other: a start reads all of them. */
const MAX_CHAIN_LENGTH = 8;

/**
 * Loads a contract file.
 *
 * @param file its path, and true for `isNamed` if the user named it: then it may be in any folder, and have any owner.
 *   If sophia-run found the file, it must have a trusted owner
 * @throws ContractFileError (125); SophiaError (125): `contract-profile` or `contract-scope`
 */
export async function loadContractFile(
  file: { readonly path: string; readonly isNamed: boolean },
  folders: Folders,
  { profile, scope }: ContractSelection,
): Promise<Contract> {
  // The path of a found file is already absolute. `resolve` would change its meaning if it has `..` behind a symbolic
  // link.
  const path = file.isNamed ? resolve(folders.cwd, file.path) : file.path;
  const { document, environmentFiles } = await readDocument(path, { isFound: !file.isNamed }, folders, []);
  const profileNames = [...profilesOf(document).keys()];
  if (profile !== undefined && !profileNames.includes(profile)) {
    const { createUnknownNameError } = await import("../scope.ts");
    throw createUnknownNameError("profile", shortenPath(path, folders.cwd), profile, profileNames);
  }
  let environment: ContractEnvironment | undefined;
  if (environmentFiles !== undefined) {
    const { findContractEnvironment } = await import("./named-environments.ts");
    environment = findContractEnvironment(document, profile, environmentFiles, file.isNamed ? path : undefined);
  }
  const contract = compileContract(document, { kind: "file", path }, profile, environment);
  if (scope === undefined) return contract;
  const { restrictToScope } = await import("../scope.ts");
  return restrictToScope(contract, scope, shortenPath(path, folders.cwd));
}

/** The document of a contract file, merged with those that it extends. */
interface MergedDocument {
  readonly document: ContractDocument;
  /** The files that name ESC environments; undefined if none does. */
  readonly environmentFiles?: EnvironmentFiles | undefined;
}

/**
 * Reads a contract file, merges it into those that it extends, and checks the result.
 *
 * @param extendingFiles the files that extend this one, the nearest last
 * @throws ContractFileError (125)
 */
async function readDocument(
  path: string,
  reason: ReadReason,
  folders: Folders,
  extendingFiles: readonly string[],
): Promise<MergedDocument> {
  const text = await readContractText(path, reason, folders);
  const createError = (faults: readonly LocatedFault[]): ContractFileError =>
    new ContractFileError(path, folders.cwd, { kind: "faults", faults });
  const throwIssues = async (issues: readonly ContractIssue[]): Promise<never> => {
    throw createError((await import("./locate-faults.ts")).locateIssues(text, issues));
  };
  const unmergedDocument = parseContract(text);
  if (unmergedDocument === undefined)
    throw createError((await import("./locate-faults.ts")).findStructuralFaults(text));
  let mergedDocument = unmergedDocument;
  let environmentFiles: EnvironmentFiles | undefined;
  if (unmergedDocument.extends !== undefined) {
    const { mergeDocuments } = await import("./merge.ts");
    const chain = [...extendingFiles, path];
    const base = await readExtendedDocument(unmergedDocument.extends, chain, reason.isFound, folders);
    const isRefused = "message" in base;
    if (isRefused) return throwIssues([{ path: ["extends"], isAtKey: false, ...base }]);
    mergedDocument = mergeDocuments(base.document, unmergedDocument);
    ({ environmentFiles } = base);
  }
  if (hasEnvironment(unmergedDocument)) {
    const { addEnvironmentFile } = await import("./named-environments.ts");
    environmentFiles = addEnvironmentFile(environmentFiles, unmergedDocument, path);
  }
  const importedChecks = {
    findDefaultDanger: await importDefaultCheck(mergedDocument),
    findBrokerIssues: await importBrokerCheck(mergedDocument),
  };
  const issues = validateDocument(mergedDocument, importedChecks, unmergedDocument);
  return issues.length > 0 ? throwIssues(issues) : { document: mergedDocument, environmentFiles };
}

/** Returns true if the contract, or one of its profiles, names ESC environments. */
function hasEnvironment({ environment, profiles = {} }: ContractDocument): boolean {
  return environment !== undefined || Object.values(profiles).some((profile) => profile.environment !== undefined);
}

/** The reason why a contract cannot extend a file, and what it can extend instead. */
type BaseRefusal = Pick<ContractIssue, "message" | "allowed">;

/**
 * Reads the document that a contract extends.
 *
 * @param extendsValue `builtin`, or a path
 * @param chain the files from the first contract to the one with this `extends`
 * @param isFound true if sophia-run found the first contract, false if the user named it
 * @returns the document, or why the contract cannot extend it
 */
async function readExtendedDocument(
  extendsValue: string,
  chain: readonly string[],
  isFound: boolean,
  folders: Folders,
): Promise<MergedDocument | BaseRefusal> {
  if (extendsValue === "builtin") {
    const builtIn = parseContract((await import("../generated/built-in-text.ts")).builtInText);
    if (builtIn === undefined) throw new TypeError("the built-in contract is malformed");
    return { document: builtIn };
  }
  const allowed = '"builtin", or the path of a contract file, relative to this one';
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(extendsValue)) return { message: "a contract cannot be read from a URL", allowed };
  if (extendsValue.includes("\0")) return { message: "the path contains a NUL character", allowed };
  const extendingFile = chain.at(-1) ?? "";
  const baseFile = resolve(dirname(extendingFile), extendsValue);
  const [firstContract = extendingFile] = chain;
  const refusal = isFound ? await findOutsideRefusal(baseFile, extendsValue, firstContract, folders) : undefined;
  if (refusal !== undefined) return refusal;
  if (chain.includes(baseFile)) {
    const cycle = [...chain.slice(chain.indexOf(baseFile)), baseFile];
    const shownCycle = cycle.map((file) => shortenPath(file, folders.cwd)).join(" extends ");
    return { message: `the contract extends itself: ${shownCycle}`, allowed: "no cycle of contracts" };
  }
  if (chain.length >= MAX_CHAIN_LENGTH) {
    return { message: "too many contracts extend each other", allowed: `a chain of at most ${MAX_CHAIN_LENGTH}` };
  }
  return readDocument(baseFile, { isFound, extendedBy: extendingFile, firstContract }, folders, chain);
}

/**
 * Refuses a file outside the repository of a contract that sophia-run found: a cloned repository may be a stranger's,
 * and must not make sophia-run read files elsewhere.
 *
 * @returns undefined if the file is inside the repository; without a repository, inside the contract's folder
 */
async function findOutsideRefusal(
  baseFile: string,
  extendsValue: string,
  firstContract: string,
  { cwd }: Folders,
): Promise<BaseRefusal | undefined> {
  const { findRepositoryOrFolder, isAtOrBelow, isInside } = await import("../../system/repository.ts");
  const { folder, isRepository } = findRepositoryOrFolder(firstContract);
  if (isInside(baseFile, folder)) return undefined;
  const { realPath } = await import("../../system/real-path.ts");
  // If the path itself is below the folder, a symbolic link in it leads outside.
  const link = isAtOrBelow(baseFile, folder) ? `${extendsValue} leads to ${realPath(baseFile)}, and ` : "";
  const place = isRepository ? "repository" : "folder";
  const message = `${link}a contract that no option names cannot extend files outside its ${place}`;
  const naming = `--contract ${shellWord(shortenPath(firstContract, cwd))} allows any file`;
  return { message, allowed: `"builtin", or a contract in ${folder}; ${naming}` };
}

/**
 * Returns the check for defaults that would make programs run code or redirect their connections. It is imported only
 * if the cheap test `isSuspect` finds a default; otherwise no default can be dangerous.
 */
async function importDefaultCheck(document: ContractDocument): Promise<DefaultCheck> {
  const hasSuspectDefault = listVariableEntries(document).some(
    ([name, { default: value }]) => value !== undefined && (/^path$/i.test(name) || isSuspect(name, value)),
  );
  return hasSuspectDefault ? (await import("./dangerous-default.ts")).findDefaultDanger : () => undefined;
}

/** Returns the check of `broker` members. It is imported only if the document has one that may be invalid. */
async function importBrokerCheck(document: ContractDocument): Promise<BrokerCheck> {
  // Variables without the member need no check, and `"broker": false` is always valid.
  const hasMember = listVariableEntries(document).some(([, { broker = false }]) => broker !== false);
  return hasMember ? (await import("./validate-brokers.ts")).createBrokerCheck(document) : () => [];
}

/** Returns the entries of all variables, by name: those of the contract, and then those of each profile. */
function listVariableEntries({
  variables = {},
  profiles = {},
}: ContractDocument): readonly (readonly [string, VariableEntry])[] {
  return [variables, ...Object.values(profiles).map((profile) => profile.variables ?? {})].flatMap((entries) =>
    Object.entries(entries),
  );
}

/**
 * Parses the text of a contract, and checks its form.
 *
 * @returns undefined if the text is not JSON, does not have the form of the schema, or has a duplicate key
 */
export function parseContract(text: string): ContractDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The caller finds the error again, with its position, by a slower parser.
    return undefined;
  }
  return isContractDocument(document) && !hasDuplicateKeys(text, document) ? document : undefined;
}

/**
 * Returns true if an object of the text has the same key twice. JSON.parse keeps only the last of them, so that the
 * parsed document has fewer colons than the text. Counting colons is faster than a second parser.
 */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const parsedText = JSON.stringify(document);
  // Fast path: without escapes, the strings of both texts have the same colons. With escapes, `"\u003a"` becomes `":"`.
  const countKeys = text.includes("\\") ? countColonsOutsideStrings : countColons;
  return countKeys(text) !== countKeys(parsedText);
}

/** Deletes strings and everything that is no colon, and counts what remains. */
function countColonsOutsideStrings(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "").length;
}

function countColons(text: string): number {
  return text.split(":").length - 1;
}
