/** Checks the `broker` members of a contract beyond the schema; pure. Loaded only if there is one. */
import { PROVIDERS } from "../broker/providers.ts";
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
  return (variables, isGiven) => {
    if (excess !== undefined) return isGiven(excess) ? [tooMany(excess)] : [];
    const keys = new Map<string, BrokeredKey>();
    for (const name of candidates) {
      const entry = variables.get(name);
      const key = entry === undefined ? undefined : brokeredKey(name, entry);
      if (key !== undefined) keys.set(name, key);
    }
    const names: KnownNames = {
      isDeclared: (name) => variables.has(name),
      isKey: (name) => keys.has(name),
      ownerOf: (alias) => owners.get(alias),
    };
    const all = [...keys.values()];
    const own = all.filter(({ name, member }) => member !== undefined && isGiven(name));
    return [...own.flatMap((key) => examineKey(key, names)), ...sharedAddresses(all, isGiven, shared)];
  };
}

function tooMany(variable: string): BrokerProblem {
  const message = "too many variables have a broker member";
  return { variable, path: ["broker"], message, allowed: `at most ${MOST_KEYS}`, atKey: false };
}

/**
 * Reports variables that two keys would set. Case does not matter, as on Windows.
 *
 * @param reported those of other profiles
 */
function sharedAddresses(
  keys: readonly BrokeredKey[],
  isGiven: (name: string) => boolean,
  reported: Set<string>,
): readonly BrokerProblem[] {
  const first = new Map<string, string>();
  return keys.flatMap(({ name, base }) =>
    Object.keys(base).flatMap((variable): readonly BrokerProblem[] => {
      const folded = variable.toUpperCase();
      const other = first.get(folded) ?? name;
      first.set(folded, other);
      const conflict = `${other} ${name} ${folded}`;
      if (other === name || reported.has(conflict)) return [];
      reported.add(conflict);
      // A profile may have an entry for one of the two alone.
      const [at, against] = isGiven(name) || !isGiven(other) ? [name, other] : [other, name];
      const message = `${variable} is already the address for ${against}`;
      const allowed = `another variable, or "broker": false for ${against}`;
      return [{ variable: at, path: ["broker", "base", variable], message, allowed, atKey: true }];
    }),
  );
}
