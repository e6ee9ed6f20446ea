/**
 * Loads a contract file: reads and parses it, merges it into the contract that it extends, checks it, and compiles the
 * profile and the scope of this run.
 *
 *     { "extends": "builtin", "variables": { "API_KEY": { "required": true } } }
 *
 * A valid contract needs only JSON.parse and the generated guard. What finds and describes errors is loaded for an invalid
 * one.
 */
import { dirname, resolve } from "node:path";
import type { Folders } from "../../core/context.ts";
import { shellWord } from "../../core/shell.ts";
import { isSuspect } from "../../trust/suspects.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";
import type { Contract, ContractSelection } from "../contract-model.ts";
import type { BrokerExaminer } from "./broker-meaning.ts";
import { compileContract, profilesOf } from "./compile.ts";
import { ContractFileError, type LocatedFault, type Reason } from "./contract-file-error.ts";
import { readContractText, shownPath } from "./contract-text.ts";
import type { ContractIssue } from "./positions.ts";
import { examineMeaning } from "./meaning.ts";
import type { EnvironmentFiles } from "./named-environments.ts";
import type { DefaultExaminer } from "./variable-meaning.ts";

const MAX_CHAIN_LENGTH = 8;

/**
 * Loads a contract file.
 *
 * @param isFound false if the user named the file: then it may be anywhere, and anyone's
 * @throws ContractFileError (125); SophiaError (125): `contract-profile` or `contract-scope`
 */
export async function loadContractFile(
  file: string,
  isFound: boolean,
  folders: Folders,
  { profile, scope }: ContractSelection,
): Promise<Contract> {
  // A path that was found is absolute, and may have `..` behind a link: see OWN_FOLDER.
  const path = isFound ? file : resolve(folders.cwd, file);
  const { document, environmentFiles } = await readDocument(path, { isFound }, folders, []);
  const profiles = profilesOf(document);
  if (profile !== undefined && !profiles.has(profile)) {
    throw (await import("../scope.ts")).unknownPart("profile", shownPath(path, folders.cwd), profile, [
      ...profiles.keys(),
    ]);
  }
  const namedContract = isFound ? undefined : path;
  const environment =
    environmentFiles === undefined
      ? undefined
      : (await import("./named-environments.ts")).findContractEnvironment(
          document,
          profile,
          environmentFiles,
          namedContract,
        );
  const contract = compileContract(document, { kind: "file", path }, profile, environment);
  if (scope === undefined) return contract;
  return (await import("../scope.ts")).inScope(contract, scope, shownPath(path, folders.cwd));
}

interface MergedDocument {
  readonly document: ContractDocument;
  /** Undefined if no file names an ESC environment. */
  readonly environmentFiles?: EnvironmentFiles | undefined;
}

/**
 * Reads a contract file, merges it into those that it extends, and checks the result.
 *
 * @param extending the files that extend this one, the nearest last
 * @throws ContractFileError (125)
 */
async function readDocument(
  path: string,
  reason: Reason,
  folders: Folders,
  extending: readonly string[],
): Promise<MergedDocument> {
  const text = await readContractText(path, reason, folders);
  const written = parseContract(text);
  const refusal = (faults: readonly LocatedFault[]): ContractFileError =>
    new ContractFileError(path, folders.cwd, { kind: "faults", faults });
  if (written === undefined) throw refusal((await import("./rejection.ts")).findStructuralFaults(text));
  const refuse = async (issues: readonly ContractIssue[]): Promise<never> => {
    throw refusal((await import("./rejection.ts")).locateIssues(text, issues));
  };
  let document = written;
  let environmentFiles: EnvironmentFiles | undefined;
  if (written.extends !== undefined) {
    const { mergeDocuments } = await import("./merge.ts");
    const base = await readBase(written.extends, [...extending, path], reason.isFound, folders);
    if ("message" in base) return refuse([{ path: ["extends"], atKey: false, ...base }]);
    document = mergeDocuments(base.document, written);
    ({ environmentFiles } = base);
  }
  if (namesEnvironment(written)) {
    environmentFiles = (await import("./named-environments.ts")).addEnvironmentFile(environmentFiles, written, path);
  }
  const [examineDefault, examineBrokers] = [await defaultExaminerFor(document), await brokerExaminerFor(document)];
  const issues = examineMeaning(document, { examineDefault, examineBrokers }, written);
  return issues.length > 0 ? refuse(issues) : { document, environmentFiles };
}

function namesEnvironment({ environment, profiles = {} }: ContractDocument): boolean {
  return environment !== undefined || Object.values(profiles).some((profile) => profile.environment !== undefined);
}

type BaseRefusal = Pick<ContractIssue, "message" | "allowed">;

/**
 * Reads the document that a contract extends.
 *
 * @param target the value of `extends`
 * @param chain the files from the first contract to the one with this `extends`
 * @returns the document, or why the contract cannot extend it
 */
async function readBase(
  target: string,
  chain: readonly string[],
  isFound: boolean,
  folders: Folders,
): Promise<MergedDocument | BaseRefusal> {
  if (target === "builtin") {
    const builtIn = parseContract((await import("../generated/built-in-text.ts")).builtInText);
    if (builtIn === undefined) throw new TypeError("the built-in contract is malformed");
    return { document: builtIn };
  }
  const allowed = '"builtin", or the path of a contract file, relative to this one';
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(target)) return { message: "a contract cannot be read from a URL", allowed };
  if (target.includes("\0")) return { message: "the path contains a NUL character", allowed };
  const path = chain.at(-1) ?? "";
  const base = resolve(dirname(path), target);
  const [first = path] = chain;
  const refusal = isFound ? await refuseOutside(base, target, first, folders) : undefined;
  if (refusal !== undefined) return refusal;
  if (chain.includes(base)) {
    const cycle = [...chain.slice(chain.indexOf(base)), base];
    const shownCycle = cycle.map((file) => shownPath(file, folders.cwd)).join(" extends ");
    return { message: `the contract extends itself: ${shownCycle}`, allowed: "no cycle of contracts" };
  }
  if (chain.length >= MAX_CHAIN_LENGTH) {
    return { message: "too many contracts extend each other", allowed: `a chain of at most ${MAX_CHAIN_LENGTH}` };
  }
  return readDocument(base, { isFound, extendedBy: path, first }, folders, chain);
}

/** Refuses a file outside the repository of a contract that was found: the contract may be a stranger's. */
async function refuseOutside(
  base: string,
  target: string,
  firstContract: string,
  { cwd }: Folders,
): Promise<BaseRefusal | undefined> {
  const { repositoryOrFolderOf, isBelow, isInside } = await import("../../system/repository.ts");
  const { folder, isRepository } = repositoryOrFolderOf(firstContract);
  if (isInside(base, folder)) return undefined;
  const { realPath } = await import("../../system/real-path.ts");
  // The path is below the folder, so that only a link in it can lead outside.
  const link = isBelow(base, folder) ? `${target} leads to ${realPath(base)}, and ` : "";
  const place = isRepository ? "repository" : "folder";
  const message = `${link}a contract that no option names cannot extend files outside its ${place}`;
  const naming = `--contract ${shellWord(shownPath(firstContract, cwd))} allows any file`;
  return { message, allowed: `"builtin", or a contract in ${folder}; ${naming}` };
}

/** Returns the check of defaults, which is loaded only if one may be dangerous. */
async function defaultExaminerFor(document: ContractDocument): Promise<DefaultExaminer> {
  const hasSuspectDefault = namedEntriesOf(document).some(
    ([name, { default: value }]) => value !== undefined && (/^path$/i.test(name) || isSuspect(name, value)),
  );
  return hasSuspectDefault ? (await import("./default-meaning.ts")).defaultFault : () => undefined;
}

/** Returns the check of `broker` members, which is loaded only if there is one. */
async function brokerExaminerFor(document: ContractDocument): Promise<BrokerExaminer> {
  // Keys without a member need no check, and `false` is always valid.
  const hasMember = namedEntriesOf(document).some(([, { broker = false }]) => broker !== false);
  return hasMember ? (await import("./broker-meaning.ts")).createBrokerExaminer(document) : () => [];
}

function namedEntriesOf({
  variables = {},
  profiles = {},
}: ContractDocument): readonly (readonly [string, VariableEntry])[] {
  return [variables, ...Object.values(profiles).map((profile) => profile.variables ?? {})].flatMap((entries) =>
    Object.entries(entries),
  );
}

/**
 * Parses a contract.
 *
 * @returns undefined if the text is not JSON, does not have the form of the schema or has a duplicate key
 */
export function parseContract(text: string): ContractDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isContractDocument(document) && !hasDuplicateKeys(text, document) ? document : undefined;
}

/**
 * Returns true if an object of the text has two equal keys, of which JSON.parse has dropped one: then the parsed document
 * has fewer colons. Counting colons is faster than a second parser.
 */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const parsedText = JSON.stringify(document);
  // Fast path: without escapes, strings have the same colons in both texts. An escape may be one: "\u003a".
  const countKeys = text.includes("\\") ? countColonsOutsideStrings : countColons;
  return countKeys(text) !== countKeys(parsedText);
}

function countColonsOutsideStrings(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "").length;
}

function countColons(text: string): number {
  return text.split(":").length - 1;
}
