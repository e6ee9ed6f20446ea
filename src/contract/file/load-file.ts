import { dirname, resolve } from "node:path";
import type { Folders } from "../../core/context.ts";
import { shellWord } from "../../core/shell.ts";
import { isSuspect } from "../../trust/suspects.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";
import type { Contract, ContractPart } from "../contract-model.ts";
import type { BrokerExaminer } from "./broker-meaning.ts";
import { compileContract, profilesOf } from "./compile.ts";
import { ContractFileError, type LocatedFault, type Reason } from "./contract-file-error.ts";
import { readContractText, shownPath } from "./contract-text.ts";
import type { ContractIssue } from "./positions.ts";
import { examineMeaning } from "./meaning.ts";
import type { EnvironmentFiles } from "./named-environments.ts";
import type { DefaultExaminer } from "./variable-meaning.ts";

const MAX_CHAIN_LENGTH = 8;

/** @throws ContractFileError (125); SophiaError (125): `contract-profile` or `contract-scope` */
export async function loadContractFile(
  file: string,
  isFound: boolean,
  folders: Folders,
  { profile, scope }: ContractPart,
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
  const named = isFound ? undefined : path;
  const environment =
    environmentFiles === undefined
      ? undefined
      : (await import("./named-environments.ts")).environmentOf(document, profile, environmentFiles, named);
  const contract = compileContract(document, { kind: "file", path }, profile, environment);
  if (scope === undefined) return contract;
  return (await import("../scope.ts")).inScope(contract, scope, shownPath(path, folders.cwd));
}

/** Reads a contract file and those that it extends. @param below the files that extend this one, the nearest last */
async function readDocument(
  path: string,
  reason: Reason,
  folders: Folders,
  below: readonly string[],
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
    const base = await baseOf(written.extends, [...below, path], reason.isFound, folders);
    if ("message" in base) return refuse([{ path: ["extends"], atKey: false, ...base }]);
    document = mergeDocuments(base.document, written);
    ({ environmentFiles } = base);
  }
  if (namesEnvironment(written)) {
    environmentFiles = (await import("./named-environments.ts")).withFile(environmentFiles, written, path);
  }
  const [examineDefault, examineBrokers] = [await defaultExaminerFor(document), await brokerExaminerFor(document)];
  const issues = examineMeaning(document, { examineDefault, examineBrokers }, written);
  return issues.length > 0 ? refuse(issues) : { document, environmentFiles };
}

function namesEnvironment({ environment, profiles = {} }: ContractDocument): boolean {
  return environment !== undefined || Object.values(profiles).some((profile) => profile.environment !== undefined);
}

interface MergedDocument {
  readonly document: ContractDocument;
  /** Undefined if no file names an ESC environment. */
  readonly environmentFiles?: EnvironmentFiles | undefined;
}

/** Returns the document that the last file of the chain extends, or the reason for a refusal. */
async function baseOf(
  target: string,
  chain: readonly string[],
  isFound: boolean,
  folders: Folders,
): Promise<MergedDocument | Pick<ContractIssue, "message" | "allowed">> {
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
  if (isFound) {
    const { repositoryOrFolderOf, isBelow, isInside } = await import("../../system/repository.ts");
    const { folder, isRepository } = repositoryOrFolderOf(first);
    if (!isInside(base, folder)) {
      const { realPath } = await import("../../system/real-path.ts");
      const leads = isBelow(base, folder) ? `${target} leads to ${realPath(base)}, and ` : "";
      const message = `${leads}a contract that no option names cannot extend files outside its ${isRepository ? "repository" : "folder"}`;
      const naming = `--contract ${shellWord(shownPath(first, folders.cwd))} allows any file`;
      return { message, allowed: `"builtin", or a contract in ${folder}; ${naming}` };
    }
  }
  if (chain.includes(base)) {
    const cycle = [...chain.slice(chain.indexOf(base)), base]
      .map((one) => shownPath(one, folders.cwd))
      .join(" extends ");
    return { message: `the contract extends itself: ${cycle}`, allowed: "no cycle of contracts" };
  }
  if (chain.length >= MAX_CHAIN_LENGTH) {
    return { message: "too many contracts extend each other", allowed: `a chain of at most ${MAX_CHAIN_LENGTH}` };
  }
  return readDocument(base, { isFound, extendedBy: path, first }, folders, chain);
}

async function defaultExaminerFor(document: ContractDocument): Promise<DefaultExaminer> {
  const isOne = namedEntriesOf(document).some(
    ([name, { default: value }]) => value !== undefined && (/^path$/i.test(name) || isSuspect(name, value)),
  );
  return isOne ? (await import("./default-meaning.ts")).defaultFault : () => undefined;
}

async function brokerExaminerFor(document: ContractDocument): Promise<BrokerExaminer> {
  // Without a member all is as built in; `false` cannot be wrong.
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

/** Returns undefined if the text is not JSON, violates the schema or has a duplicate key. */
export function parseContract(text: string): ContractDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isContractDocument(document) && !hasDuplicateKeys(text, document) ? document : undefined;
}

/** JSON.parse drops the first of equal keys. Counting colons outside of strings is faster than a second parser. */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const written = JSON.stringify(document);
  // Fast path: without escapes the strings in both texts have the same colons.
  return text.includes("\\") ? keysIn(text) !== keysIn(written) : colonsIn(text) !== colonsIn(written);
}

function keysIn(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "").length;
}

function colonsIn(text: string): number {
  return text.split(":").length - 1;
}
