/** The keys of known services that the program would get in clear, although --broker is on; pure. */
import { providerOf } from "../../../contract/broker/providers.ts";
import { isBlank } from "../../../contract/check-contract.ts";
import type { Resolved } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";

/**
 * The reason why no dummy replaces a key. `contract`: it is declared, and the contract does not have it brokered. `alias`: the
 * variable has the value of the key under another name. `excepted`: the caller has allowed it (`--broker-except`).
 */
export type Exposure = "undeclared" | "contract" | "alias" | "file" | "excepted";

export interface ExposedKey {
  /** The variable that the program would get. */
  readonly name: string;
  /** The name by which the service is known, mostly the same. */
  readonly key: string;
  readonly why: Exposure;
}

export interface ExposureRules {
  /** The brokered keys, and those that cannot be brokered, which is a failure of its own. */
  readonly handled: readonly string[];
  /** The keys that an outer sophia-run brokers. */
  readonly outer: readonly string[];
  readonly isContractNamed: boolean;
  readonly isExcepted: (name: string) => boolean;
  readonly foldsCase: boolean | undefined;
}

/**
 * Returns the variables with a key of the table of providers that no dummy replaces. A contract that the caller has named may
 * leave a key to the program (`"broker": false`); it must say so.
 */
export function exposedKeys(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  { handled, outer, isContractNamed, isExcepted, foldsCase }: ExposureRules,
): readonly ExposedKey[] {
  const spelled = (name: string): string => spelledAsKnown(name, foldsCase);
  const replaced = new Set(
    handled.flatMap((name) => [
      name,
      ...(contract.variables.get(name)?.aliases ?? []).map((alias) => spelled(alias.name)),
    ]),
  );
  const keyOf = ({ name, origin }: Resolved): string | undefined =>
    [name, contract.aliases.get(name) ?? "", origin.alias ?? ""]
      .map(spelled)
      .find((one) => providerOf(one) !== undefined);
  return Array.from(selected.values()).flatMap((variable): readonly ExposedKey[] => {
    const { value, origin, delivery } = variable;
    const key = keyOf(variable);
    const name = spelled(variable.name);
    if (key === undefined || replaced.has(name) || isBlank(value) || origin.source === "fake") return [];
    if (origin.source === "environment" && outer.includes(key)) return [];
    const exposedBy = (why: Exposure): readonly ExposedKey[] => [{ name, key, why }];
    const declared = contract.variables.get(key);
    const names = [name, key, ...(declared?.aliases ?? []).map((alias) => alias.name)];
    if (names.some(isExcepted)) return exposedBy("excepted");
    if (isContractNamed && declared?.broker === false) return [];
    if (delivery === "file") return exposedBy("file");
    if (name !== key) return exposedBy("alias");
    return exposedBy(declared === undefined ? "undeclared" : "contract");
  });
}

/** Returns the spelling by which a key is known: on Windows a name may have any. */
export function spelledAsKnown(name: string, foldsCase: boolean | undefined): string {
  const upper = name.toUpperCase();
  return foldsCase === true && providerOf(upper) !== undefined ? upper : name;
}
