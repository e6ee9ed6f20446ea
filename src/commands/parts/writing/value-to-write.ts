/**
 * The values that `set` and `import` want to write to ESC: which variables ESC can provide, and which values become secrets.
 * write-plan.ts then compares these values with the ones that ESC has. All functions are pure.
 */
import { declarationOf, isDeclared } from "../../../contract/check-contract.ts";
import { credentialOf, looksSecret } from "../../../contract/looks-secret.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import type { Variable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { isReservedName } from "../../../resolve/reserved-names.ts";
import { usageError } from "../usage-errors.ts";

export interface ValueToWrite {
  readonly name: string;
  readonly value: string;
  /** ESC stores the value as `fn::secret`; otherwise as plain text. */
  readonly secret: boolean;
  /** Describes the credential that was found in the value, so that it is a secret although the contract declares it public. */
  readonly credential?: string;
  /** The value is a secret only because no contract declares the variable. Neither name nor value looks like a secret. */
  readonly isAssumedSecret?: boolean;
}

/** The variables of a file that are not written, by the reason. */
export interface OmittedNames {
  /** Settings of sophia-run, such as `ESC_ENV`. */
  readonly settings: readonly string[];
  /** Declared variables with an empty value, which means that the variable is unset. */
  readonly empty: readonly string[];
}

export interface SortedVariables {
  readonly values: readonly ValueToWrite[];
  readonly omitted: OmittedNames;
}

/** Separates the variables of a file that can be written from the others. @param plainTextNames the user's `--plain` */
export function sortVariables(
  variables: readonly Variable[],
  contract: Contract,
  plainTextNames: ReadonlySet<string>,
): SortedVariables {
  const values: ValueToWrite[] = [];
  const settings: string[] = [];
  const empty: string[] = [];
  for (const { name, value } of variables) {
    if (reservedAs(name, contract) !== undefined) settings.push(name);
    else if (value === "" && declarationOf(contract, name) !== undefined) empty.push(name);
    else values.push(createValueToWrite(name, value, contract, plainTextNames.has(name)));
  }
  return { values, omitted: { settings, empty } };
}

/**
 * Decides whether a value becomes a secret. The user's `--plain` decides first, then the contract. The value itself decides
 * last: a known credential becomes a secret even if the contract declares the variable public.
 */
export function createValueToWrite(
  name: string,
  value: string,
  contract: Contract,
  userChosePlainText: boolean,
): ValueToWrite {
  if (userChosePlainText) return { name, value, secret: false };
  const declaration = declarationOf(contract, name);
  if (declaration === undefined) return { name, value, secret: true, isAssumedSecret: !looksSecret(name, value) };
  if (declaration.secret) return { name, value, secret: true };
  const credential = credentialOf(contract, name, value);
  return credential === undefined ? { name, value, secret: false } : { name, value, secret: true, credential };
}

/**
 * Checks that a variable may be written as plain text.
 *
 * @param option as the user typed it, such as `--plain`
 * @throws SophiaError (usage, 125) if the contract declares the variable a secret
 */
export function requirePublic(name: string, contract: Contract, option: string): void {
  if (declarationOf(contract, name)?.secret !== true) return;
  throw usageError(
    `${option}: the contract declares ${printable(name)} a secret`,
    `leave the option out, or declare "secret": false there`,
  );
}

/**
 * Returns the reason why a program would not get a variable from ESC; undefined if the program gets it. A `setting` is read by
 * sophia-run itself. An `undeclared` name with the prefix of a setting could become one in a later version.
 */
export function reservedAs(name: string, contract: Contract): "setting" | "undeclared" | undefined {
  const isReservedIf = (declared: boolean): boolean =>
    isReservedName(
      name,
      () => false,
      () => declared,
    );
  if (isReservedIf(true)) return "setting";
  return isReservedIf(isDeclared(contract, name)) ? "undeclared" : undefined;
}
