/**
 * Checks the `broker` members of all variables of a contract, as far as its JSON Schema cannot: each member by itself
 * (validate-broker-key.ts), and that no two keys need the same variable. Imported only for a contract with such a
 * member.
 *
 * load-file.ts creates one check for a document, and validate-document.ts calls it for the contract itself and then for
 * each profile. This contract has an issue, because `EXAMPLE_URL` would hold two addresses:
 *
 *     "A_KEY": { "broker": { …, "base": { "EXAMPLE_URL": "" } } }, "B_KEY": { "broker": { …, "base": { "EXAMPLE_URL": "" } } }
 */
import { baseOf } from "../broker/entry.ts";
import { providerOf, PROVIDERS } from "../broker/providers.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import {
  type DeclaredKey,
  compileDeclaredKey,
  type BrokerIssue,
  findKeyIssues,
  type ContractNames,
} from "./validate-broker-key.ts";

type Variables = ReadonlyMap<string, VariableEntry>;

/**
 * Returns the issues of the variables of one profile, merged with those that it inherits; or those of the contract
 * outside of profiles.
 *
 * @param isWritten returns true for a variable that has an entry in this profile itself, at which an issue can be
 *   reported
 */
export type BrokerCheck = (variables: Variables, isWritten: (name: string) => boolean) => readonly BrokerIssue[];

/** The limit of keys in a document, since the check looks at all keys for each profile. */
const MAX_KEYS = 100;

/**
 * Creates the check for all profiles of a document. The check remembers what it has checked, and reports each conflict
 * once.
 */
export function createBrokerCheck(document: ContractDocument): BrokerCheck {
  const validator = new BrokerValidator(document);
  return (variables, isWritten) => validator.findIssues(variables, isWritten);
}

class BrokerValidator {
  /** The variable that has an alias, by the alias. */
  readonly #aliasOwners: ReadonlyMap<string, string>;
  /** The first variable beyond {@link MAX_KEYS}. */
  readonly #excessKey: string | undefined;
  /** The variables that may be keys: built-in ones, and those with a `broker` member. */
  readonly #possibleKeyNames: ReadonlySet<string>;
  readonly #reportedConflicts = new Set<string>();
  // These two save work, since a document may have a hundred thousand profiles, which share most entries and members.
  readonly #keysByEntry = new Map<VariableEntry, DeclaredKey | undefined>();
  readonly #checkedMembers = new Set<unknown>();

  constructor(document: ContractDocument) {
    const entries = [document, ...Object.values(document.profiles ?? {})].flatMap(({ variables = {} }) =>
      Object.entries(variables),
    );
    this.#aliasOwners = new Map(
      entries.flatMap(([name, { aliases = [] }]) =>
        aliases.map((alias) => [typeof alias === "string" ? alias : alias.name, name] as const),
      ),
    );
    const namesWithMember = [
      ...new Set(entries.flatMap(([name, { broker = false }]) => (broker === false ? [] : [name]))),
    ];
    this.#excessKey = namesWithMember[MAX_KEYS];
    // Built-in keys come first: of two keys with the same address the later one is reported, and it must be one that
    // the document has, so that the issue has a position.
    const builtInNames = Object.keys(PROVIDERS).filter((name) => !namesWithMember.includes(name));
    this.#possibleKeyNames = new Set([...builtInNames, ...namesWithMember]);
  }

  /** See {@link BrokerCheck}. */
  findIssues(variables: Variables, isWritten: (name: string) => boolean): readonly BrokerIssue[] {
    const excessKey = this.#excessKey;
    if (excessKey !== undefined) return isWritten(excessKey) ? [createExcessIssue(excessKey)] : [];
    const keys = this.#compileKeys(variables);
    const names: ContractNames = {
      isDeclared: (name) => variables.has(name),
      isKey: (name) => keys.has(name),
      variableWithAlias: (alias) => this.#aliasOwners.get(alias),
    };
    const allKeys = [...keys.values()];
    const writtenKeys = allKeys.filter(({ name, brokerMember }) => brokerMember !== undefined && isWritten(name));
    return [
      ...writtenKeys.flatMap((key) => this.#findMemberIssues(key, names)),
      ...findKeysAsAddresses(keys, isWritten),
      ...findSharedAddresses(allKeys, isWritten, this.#reportedConflicts),
    ];
  }

  #compileKeys(variables: Variables): ReadonlyMap<string, DeclaredKey> {
    const keys = new Map<string, DeclaredKey>();
    for (const name of this.#possibleKeyNames) {
      const entry = variables.get(name);
      if (entry === undefined) continue;
      if (!this.#keysByEntry.has(entry)) this.#keysByEntry.set(entry, compileDeclaredKey(name, entry));
      const key = this.#keysByEntry.get(entry);
      if (key !== undefined) keys.set(name, key);
    }
    return keys;
  }

  #findMemberIssues(key: DeclaredKey, names: ContractNames): readonly BrokerIssue[] {
    const checksRules = !this.#checkedMembers.has(key.brokerMember);
    this.#checkedMembers.add(key.brokerMember);
    return findKeyIssues(key, names, { checksRules });
  }
}

function createExcessIssue(variable: string): BrokerIssue {
  const message = "too many variables have a broker member";
  return { variable, path: ["broker"], message, allowed: `at most ${MAX_KEYS}`, position: "value" };
}

/** Finds keys whose variable is also the one in which the program gets the broker's address for a built-in key. */
function findKeysAsAddresses(
  keys: ReadonlyMap<string, DeclaredKey>,
  isWritten: (name: string) => boolean,
): readonly BrokerIssue[] {
  const issues: BrokerIssue[] = [];
  const builtInKeys = Array.from(keys.values()).filter(({ brokerEntry }) => brokerEntry.base === undefined);
  for (const { name, addressVariables } of builtInKeys) {
    for (const { name: variable } of addressVariables) {
      if (!keys.has(variable) || !isWritten(variable)) continue;
      const message = `${variable} is the address for ${name}, not a key`;
      const allowed = `"broker": false for ${name}, or for this variable`;
      issues.push({ variable, path: ["broker"], message, allowed, position: "key" });
    }
  }
  return issues;
}

/**
 * Returns true if two keys may share a variable for the broker's address: built-in keys of the same service, such as
 * two tokens of GitHub, with the same path. The broker then finds the key of a request by the dummy in it.
 */
function mayShareAddress(key: DeclaredKey, otherKey: DeclaredKey, upperCaseName: string): boolean {
  const origin = providerOf(key.name)?.origin;
  const isSameService = origin !== undefined && origin === providerOf(otherKey.name)?.origin;
  return isSameService && findPath(key, upperCaseName) === findPath(otherKey, upperCaseName);
}

/** Returns the path that the address in a variable has for a key. */
function findPath({ name, brokerEntry }: DeclaredKey, upperCaseName: string): string | undefined {
  const variablesAndPaths = Object.entries(baseOf(name, brokerEntry));
  return variablesAndPaths.find(([variable]) => variable.toUpperCase() === upperCaseName)?.[1];
}

/**
 * Finds variables that would hold the broker's address for two keys at once.
 *
 * @param reportedConflicts the conflicts that were reported for other profiles. This function adds the new ones
 */
function findSharedAddresses(
  keys: readonly DeclaredKey[],
  isWritten: (name: string) => boolean,
  reportedConflicts: Set<string>,
): readonly BrokerIssue[] {
  const firstKeys = new Map<string, DeclaredKey>();
  const issues: BrokerIssue[] = [];
  for (const key of keys) {
    for (const { name: variable, upperCaseName } of key.addressVariables) {
      const firstKey = firstKeys.get(upperCaseName);
      if (firstKey === undefined) firstKeys.set(upperCaseName, key);
      if (firstKey === undefined || firstKey === key || mayShareAddress(key, firstKey, upperCaseName)) continue;
      const conflict = `${firstKey.name} ${key.name} ${upperCaseName}`;
      if (reportedConflicts.has(conflict)) continue;
      reportedConflicts.add(conflict);
      issues.push(createConflictIssue(variable, [firstKey.name, key.name], isWritten));
    }
  }
  return issues;
}

/**
 * Creates the issue of two keys with the same variable. A profile may have an entry for only one of the two keys: the
 * issue is reported at that entry.
 */
function createConflictIssue(
  variable: string,
  [firstName, secondName]: readonly [string, string],
  isWritten: (name: string) => boolean,
): BrokerIssue {
  const isAtFirst = isWritten(firstName) && !isWritten(secondName);
  const [reportedName, otherName] = isAtFirst ? [firstName, secondName] : [secondName, firstName];
  return {
    variable: reportedName,
    path: ["broker", "base", variable],
    message: `${variable} is already the address for ${otherName}`,
    allowed: `another variable, or "broker": false for ${otherName}`,
    position: "key",
  };
}
