/**
 * Checks the `broker` members of all variables of a contract, as far as its JSON Schema cannot: each member by itself
 * (broker-key-meaning.ts), and that no two keys need the same variable. Imported only for a contract with such a
 * member.
 *
 * meaning.ts creates one examiner for a document, and calls it for the contract itself and then for each profile.
 */
import { baseOf } from "../broker/entry.ts";
import { providerOf, PROVIDERS } from "../broker/providers.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import {
  type DeclaredKey,
  compileDeclaredKey,
  type BrokerIssue,
  examineKey,
  type KnownNames,
} from "./broker-key-meaning.ts";

type Variables = ReadonlyMap<string, VariableEntry>;

/**
 * Returns the issues of the variables of one profile, merged with those that it inherits; or those of the contract
 * outside of profiles.
 *
 * @param isWritten returns true for a variable that has an entry in this profile itself, at which an issue can be
 *   reported
 */
export type BrokerExaminer = (variables: Variables, isWritten: (name: string) => boolean) => readonly BrokerIssue[];

/** The limit of keys in a document, since the examiner looks at all keys for each profile. */
const MAX_KEYS = 100;

/**
 * Creates the examiner for all profiles of a document. It remembers what it has checked, and reports each conflict
 * once.
 */
export function createBrokerExaminer(document: ContractDocument): BrokerExaminer {
  const examiner = new DocumentExaminer(document);
  return (variables, isWritten) => examiner.examine(variables, isWritten);
}

class DocumentExaminer {
  /** The variable that has an alias, by the alias. */
  readonly #aliasOwners: ReadonlyMap<string, string>;
  /** The first variable beyond {@link MAX_KEYS}. */
  readonly #excessKey: string | undefined;
  /** The variables that may be keys: built-in ones, and those with a `broker` member. */
  readonly #candidates: ReadonlySet<string>;
  readonly #reportedConflicts = new Set<string>();
  // These two save work, since a document may have a hundred thousand profiles, which share most entries and members.
  readonly #compiledKeys = new Map<VariableEntry, DeclaredKey | undefined>();
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
    this.#candidates = new Set([...builtInNames, ...namesWithMember]);
  }

  /** See {@link BrokerExaminer}. */
  examine(variables: Variables, isWritten: (name: string) => boolean): readonly BrokerIssue[] {
    const excessKey = this.#excessKey;
    if (excessKey !== undefined) return isWritten(excessKey) ? [tooManyKeys(excessKey)] : [];
    const keys = this.#keysAmong(variables);
    const names: KnownNames = {
      isDeclared: (name) => variables.has(name),
      isKey: (name) => keys.has(name),
      ownerOf: (alias) => this.#aliasOwners.get(alias),
    };
    const allKeys = [...keys.values()];
    const writtenKeys = allKeys.filter(({ name, member }) => member !== undefined && isWritten(name));
    return [
      ...writtenKeys.flatMap((key) => this.#examineMember(key, names)),
      ...findKeysAsAddresses(keys, isWritten),
      ...findSharedAddresses(allKeys, isWritten, this.#reportedConflicts),
    ];
  }

  #keysAmong(variables: Variables): ReadonlyMap<string, DeclaredKey> {
    const keys = new Map<string, DeclaredKey>();
    for (const name of this.#candidates) {
      const entry = variables.get(name);
      if (entry === undefined) continue;
      if (!this.#compiledKeys.has(entry)) this.#compiledKeys.set(entry, compileDeclaredKey(name, entry));
      const key = this.#compiledKeys.get(entry);
      if (key !== undefined) keys.set(name, key);
    }
    return keys;
  }

  #examineMember(key: DeclaredKey, names: KnownNames): readonly BrokerIssue[] {
    const areRulesNew = !this.#checkedMembers.has(key.member);
    this.#checkedMembers.add(key.member);
    return examineKey(key, names, areRulesNew);
  }
}

function tooManyKeys(variable: string): BrokerIssue {
  const message = "too many variables have a broker member";
  return { variable, path: ["broker"], message, allowed: `at most ${MAX_KEYS}`, position: "value" };
}

/** Finds keys whose variable is also the one in which the program gets the broker's address for a built-in key. */
function findKeysAsAddresses(
  keys: ReadonlyMap<string, DeclaredKey>,
  isWritten: (name: string) => boolean,
): readonly BrokerIssue[] {
  const builtInKeys = Array.from(keys.values()).filter(({ entry }) => entry.base === undefined);
  return builtInKeys.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ variable }): readonly BrokerIssue[] => {
      if (!keys.has(variable) || !isWritten(variable)) return [];
      const message = `${variable} is the address for ${name}, not a key`;
      const allowed = `"broker": false for ${name}, or for this variable`;
      return [{ variable, path: ["broker"], message, allowed, position: "key" }];
    }),
  );
}

/**
 * Returns true if two keys may share a variable for the broker's address: built-in keys of the same service, such as
 * two tokens of GitHub, with the same path. The broker then finds the key of a request by the dummy in it.
 */
function mayShareAddress(key: DeclaredKey, otherKey: DeclaredKey, variable: string): boolean {
  const origin = providerOf(key.name)?.origin;
  const isSameService = origin !== undefined && origin === providerOf(otherKey.name)?.origin;
  return isSameService && findPath(key, variable) === findPath(otherKey, variable);
}

/**
 * Returns the path that the address in a variable has for a key.
 *
 * @param folded the name of the variable in upper case
 */
function findPath({ name, entry }: DeclaredKey, folded: string): string | undefined {
  return Object.entries(baseOf(name, entry)).find(([variable]) => variable.toUpperCase() === folded)?.[1];
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
    const { name } = key;
    for (const { variable, folded } of key.addresses) {
      const firstKey = firstKeys.get(folded);
      if (firstKey === undefined) firstKeys.set(folded, key);
      if (firstKey === undefined || firstKey === key || mayShareAddress(key, firstKey, folded)) continue;
      const firstName = firstKey.name;
      const conflict = `${firstName} ${name} ${folded}`;
      if (reportedConflicts.has(conflict)) continue;
      reportedConflicts.add(conflict);
      // A profile may have an entry for only one of the two keys: the issue is reported at that entry.
      const isAtFirst = isWritten(firstName) && !isWritten(name);
      const [reportedName, otherName] = isAtFirst ? [firstName, name] : [name, firstName];
      const message = `${variable} is already the address for ${otherName}`;
      const allowed = `another variable, or "broker": false for ${otherName}`;
      const path = ["broker", "base", variable];
      issues.push({ variable: reportedName, path, message, allowed, position: "key" });
    }
  }
  return issues;
}
