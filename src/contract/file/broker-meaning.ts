/** Checks the `broker` members of a contract beyond the schema; pure. Loaded only if there is one. */
import { baseOf } from "../broker/entry.ts";
import { providerOf, PROVIDERS } from "../broker/providers.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import {
  type BrokeredKey,
  brokeredKey,
  type BrokerProblem,
  examineKey,
  type KnownNames,
} from "./broker-key-meaning.ts";

type Variables = ReadonlyMap<string, VariableEntry>;

/** Checks the variables of one profile, or of none. @param isGiven is true for names of its own entries */
export type BrokerExaminer = (variables: Variables, isGiven: (name: string) => boolean) => readonly BrokerProblem[];

/** The examiner looks at all of them for each profile. */
const MOST_KEYS = 100;

/** Makes the examiner for all profiles of a document, which keeps what they share. */
export function brokerExaminer(document: ContractDocument): BrokerExaminer {
  const declared = [document, ...Object.values(document.profiles ?? {})].flatMap(({ variables = {} }) =>
    Object.entries(variables),
  );
  const owners = new Map(
    declared.flatMap(([name, { aliases = [] }]) =>
      aliases.map((alias) => [typeof alias === "string" ? alias : alias.name, name] as const),
    ),
  );
  const explicit = [...new Set(declared.flatMap(([name, { broker = false }]) => (broker === false ? [] : [name])))];
  const excess = explicit[MOST_KEYS];
  // The built-in ones first: of two variables with the same address the later one is refused, and needs a position.
  const candidates = new Set([...Object.keys(PROVIDERS).filter((name) => !explicit.includes(name)), ...explicit]);
  const shared = new Set<string>();
  // A document may have a hundred thousand profiles, which share most entries and members.
  const known = new Map<VariableEntry, BrokeredKey | undefined>();
  const examined = new Set<unknown>();
  return (variables, isGiven) => {
    if (excess !== undefined) return isGiven(excess) ? [tooMany(excess)] : [];
    const keys = new Map<string, BrokeredKey>();
    for (const name of candidates) {
      const entry = variables.get(name);
      if (entry === undefined) continue;
      if (!known.has(entry)) known.set(entry, brokeredKey(name, entry));
      const key = known.get(entry);
      if (key !== undefined) keys.set(name, key);
    }
    const names: KnownNames = {
      isDeclared: (name) => variables.has(name),
      isKey: (name) => keys.has(name),
      ownerOf: (alias) => owners.get(alias),
    };
    const all = [...keys.values()];
    const own = all.filter(({ name, member }) => member !== undefined && isGiven(name));
    const problems = own.flatMap((key) => {
      const areRulesNew = !examined.has(key.member);
      examined.add(key.member);
      return examineKey(key, names, areRulesNew);
    });
    return [...problems, ...keysAsAddresses(keys, isGiven), ...sharedAddresses(all, isGiven, shared)];
  };
}

function tooMany(variable: string): BrokerProblem {
  const message = "too many variables have a broker member";
  return { variable, path: ["broker"], message, allowed: `at most ${MOST_KEYS}`, atKey: false };
}

/** Reports keys that are built in as the address for another key. */
function keysAsAddresses(
  keys: ReadonlyMap<string, BrokeredKey>,
  isGiven: (name: string) => boolean,
): readonly BrokerProblem[] {
  const builtIn = Array.from(keys.values()).filter(({ entry }) => entry.base === undefined);
  return builtIn.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ variable }): readonly BrokerProblem[] => {
      if (!keys.has(variable) || !isGiven(variable)) return [];
      const message = `${variable} is the address for ${name}, not a key`;
      const allowed = `"broker": false for ${name}, or for this variable`;
      return [{ variable, path: ["broker"], message, allowed, atKey: true }];
    }),
  );
}

/** Returns true for two built-in keys of one service, such as tokens of GitHub: the dummy decides. */
function isShared(one: BrokeredKey, other: BrokeredKey, variable: string): boolean {
  const origin = providerOf(one.name)?.origin;
  const isSameService = origin !== undefined && origin === providerOf(other.name)?.origin;
  return isSameService && pathIn(one, variable) === pathIn(other, variable);
}

function pathIn({ name, entry }: BrokeredKey, variable: string): string | undefined {
  return Object.entries(baseOf(name, entry)).find(([each]) => each.toUpperCase() === variable)?.[1];
}

/**
 * Reports variables that two keys would set.
 *
 * @param reported those of other profiles
 */
function sharedAddresses(
  keys: readonly BrokeredKey[],
  isGiven: (name: string) => boolean,
  reported: Set<string>,
): readonly BrokerProblem[] {
  const first = new Map<string, BrokeredKey>();
  const problems: BrokerProblem[] = [];
  for (const key of keys) {
    const { name } = key;
    for (const { variable, folded } of key.addresses) {
      const owner = first.get(folded);
      if (owner === undefined) first.set(folded, key);
      if (owner === undefined || owner === key || isShared(key, owner, folded)) continue;
      const other = owner.name;
      const conflict = `${other} ${name} ${folded}`;
      if (reported.has(conflict)) continue;
      reported.add(conflict);
      // A profile may have an entry for one of the two alone.
      const [at, against] = isGiven(name) || !isGiven(other) ? [name, other] : [other, name];
      const message = `${variable} is already the address for ${against}`;
      const allowed = `another variable, or "broker": false for ${against}`;
      problems.push({ variable: at, path: ["broker", "base", variable], message, allowed, atKey: true });
    }
  }
  return problems;
}
