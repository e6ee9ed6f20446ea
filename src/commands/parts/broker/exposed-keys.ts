/**
 * Finds the API keys that the program would get in plain text although `--broker` is on; pure. Only keys of known services
 * are found (`contract/broker/providers.ts`). The broker refuses to start if it finds one that the user has not excepted.
 */
import { providerOf } from "../../../contract/broker/providers.ts";
import { isBlank } from "../../../contract/check-contract.ts";
import type { Resolved } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";

/**
 * The reason why no dummy replaces a key:
 * - `undeclared`: the contract does not declare the key
 * - `contract`: the contract declares the key, and does not let the broker hold it
 * - `alias`: the variable has the value of the key under another name
 * - `file`: the program gets the path of a file that contains the key
 * - `excepted`: the user allows it (`--broker-except`)
 */
export type Exposure = "undeclared" | "contract" | "alias" | "file" | "excepted";

export interface ExposedKey {
  /** The variable that the program would get. */
  readonly name: string;
  /** The name by which the service is known. It differs from `name` for an alias. */
  readonly key: string;
  readonly why: Exposure;
}

export interface ExposureRules {
  /** The brokered keys, and those that cannot be brokered: the latter are faults, and reported as such. */
  readonly handled: readonly string[];
  /** The keys that an outer sophia-run brokers. */
  readonly outer: readonly string[];
  readonly isContractNamed: boolean;
  readonly isExcepted: (name: string) => boolean;
  /** The environment ignores case in names, as on Windows. */
  readonly foldsCase: boolean | undefined;
}

/** Returns the variables with the key of a known service that no dummy replaces, each with the reason. */
export function exposedKeys(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  { handled, outer, isContractNamed, isExcepted, foldsCase }: ExposureRules,
): readonly ExposedKey[] {
  const knownSpelling = (name: string): string => knownSpellingOf(name, foldsCase);
  const aliasesOf = (name: string): readonly string[] =>
    (contract.variables.get(name)?.aliases ?? []).map((alias) => alias.name);
  const replaced = new Set(handled.flatMap((name) => [name, ...aliasesOf(name).map(knownSpelling)]));
  const findKnownKey = ({ name, origin }: Resolved): string | undefined =>
    [name, contract.aliases.get(name) ?? "", origin.alias ?? ""]
      .map(knownSpelling)
      .find((candidate) => providerOf(candidate) !== undefined);
  return Array.from(selected.values()).flatMap((variable): readonly ExposedKey[] => {
    const { value, origin, delivery } = variable;
    const key = findKnownKey(variable);
    const name = knownSpelling(variable.name);
    if (key === undefined || replaced.has(name) || isBlank(value) || origin.source === "fake") return [];
    // The value is the dummy of the outer sophia-run.
    if (origin.source === "environment" && outer.includes(key)) return [];
    const exposedBy = (why: Exposure): readonly ExposedKey[] => [{ name, key, why }];
    const declaration = contract.variables.get(key);
    if ([name, key, ...aliasesOf(key)].some(isExcepted)) return exposedBy("excepted");
    // A contract that the user named may leave a key to the program, if it says so by `"broker": false`.
    if (isContractNamed && declaration?.broker === false) return [];
    if (delivery === "file") return exposedBy("file");
    if (name !== key) return exposedBy("alias");
    return exposedBy(declaration === undefined ? "undeclared" : "contract");
  });
}

/** Returns the spelling by which the service of a key is known: on Windows a name may be in any case. */
export function knownSpellingOf(name: string, foldsCase: boolean | undefined): string {
  const upper = name.toUpperCase();
  return foldsCase === true && providerOf(upper) !== undefined ? upper : name;
}
