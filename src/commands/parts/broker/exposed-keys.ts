/**
 * Finds the API keys that the program would get in plain text although the user has turned the broker on. Only keys of known
 * services are found (`contract/broker/providers.ts`). `run --broker` refuses to start if there is such a key, unless the user has
 * named it in `--broker-except`.
 */
import { providerOf } from "../../../contract/broker/providers.ts";
import { isBlank } from "../../../contract/check-contract.ts";
import type { ResolvedVariable } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";

/**
 * The reason why the program would get a key rather than a dummy:
 * - `undeclared`: the contract does not declare the key
 * - `contract`: the contract declares the key, and does not let the broker hold it
 * - `alias`: the variable has the value of the key under another name
 * - `file`: the program gets the path of a file that contains the key
 * - `excepted`: the user allows it (`--broker-except`)
 */
export type ExposureReason = "undeclared" | "contract" | "alias" | "file" | "excepted";

export interface ExposedKey {
  /** The name of the variable that the program would get. */
  readonly name: string;
  /** The usual name of the key, such as `OPENAI_API_KEY`. It differs from `name` if the program gets the key by an alias. */
  readonly key: string;
  readonly why: ExposureReason;
}

export interface ExposureSearch {
  /** The names of the keys that the broker holds, and of those that it cannot hold, which are reported as faults. */
  readonly plannedKeyNames: readonly string[];
  /** The names of the keys that an outer sophia-run brokers. */
  readonly namesBrokeredByOuter: readonly string[];
  /** True if the user named the contract, rather than that sophia-run found it. */
  readonly isContractNamed: boolean;
  /** Returns true for the names in `--broker-except`. */
  readonly isExcepted: (name: string) => boolean;
  /** True if the environment ignores the case of names, as on Windows. */
  readonly foldsCase: boolean | undefined;
}

/** Finds the variables with the key of a known service that no dummy replaces. */
export function findExposedKeys(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  { plannedKeyNames, namesBrokeredByOuter, isContractNamed, isExcepted, foldsCase }: ExposureSearch,
): readonly ExposedKey[] {
  const knownSpelling = (name: string): string => normalizeSpelling(name, foldsCase);
  const aliasesOf = (name: string): readonly string[] =>
    (contract.variables.get(name)?.aliases ?? []).map((alias) => alias.name);
  const plannedNames = new Set(plannedKeyNames.flatMap((name) => [name, ...aliasesOf(name).map(knownSpelling)]));
  // A variable may have the key's own name, or be an alias of it, or have got the value of an alias.
  const findKnownKey = ({ name, origin }: ResolvedVariable): string | undefined =>
    [name, contract.aliases.get(name) ?? "", origin.alias ?? ""]
      .map(knownSpelling)
      .find((candidate) => providerOf(candidate) !== undefined);
  return Array.from(selected.values()).flatMap((variable): readonly ExposedKey[] => {
    const { value, origin, delivery } = variable;
    const key = findKnownKey(variable);
    const name = knownSpelling(variable.name);
    if (key === undefined || plannedNames.has(name) || isBlank(value) || origin.source === "fake") return [];
    // The value is the dummy of the outer sophia-run.
    if (origin.source === "environment" && namesBrokeredByOuter.includes(key)) return [];
    const exposedBy = (why: ExposureReason): readonly ExposedKey[] => [{ name, key, why }];
    const declaration = contract.variables.get(key);
    if ([name, key, ...aliasesOf(key)].some(isExcepted)) return exposedBy("excepted");
    // A contract that the user named may leave a key to the program, if it says so by `"broker": false`.
    if (isContractNamed && declaration?.broker === false) return [];
    if (delivery === "file") return exposedBy("file");
    if (name !== key) return exposedBy("alias");
    return exposedBy(declaration === undefined ? "undeclared" : "contract");
  });
}

/** Returns the name of a known service's key in its usual case, since on Windows a name may be in any case. */
export function normalizeSpelling(name: string, foldsCase: boolean | undefined): string {
  const upperCaseName = name.toUpperCase();
  return foldsCase === true && providerOf(upperCaseName) !== undefined ? upperCaseName : name;
}
