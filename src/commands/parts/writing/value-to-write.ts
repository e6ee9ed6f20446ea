/**
 * Decides which variables `set` and `import` write to Pulumi ESC, and which of the values become secrets there. write-plan.ts then
 * compares these values with the ones that ESC has.
 */
import { declarationOf, isDeclared } from "../../../contract/check-contract.ts";
import { describeVariableCredential, looksSecret } from "../../../contract/looks-secret.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import type { Variable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { isReservedName } from "../../../resolve/reserved-names.ts";
import { usageError } from "../usage-errors.ts";

export interface ValueToWrite {
  readonly name: string;
  readonly value: string;
  /** True if ESC must store the value as a secret (`fn::secret`), rather than as plain text. */
  readonly secret: boolean;
  /** Describes the credential in the value, because of which the value is a secret although the contract declares it public. */
  readonly credential?: string;
  /** True if the value is a secret only because the contract does not declare the variable: it does not look like a secret. */
  readonly isAssumedSecret?: boolean;
}

/** The names of the variables in a file that are not written, by the reason. */
export interface OmittedNames {
  /** Settings of sophia-run, such as `ESC_ENV`. */
  readonly settings: readonly string[];
  /** Declared variables with an empty value, which means that the variable is unset. */
  readonly empty: readonly string[];
}

export interface SelectedValues {
  readonly values: readonly ValueToWrite[];
  readonly omitted: OmittedNames;
}

/** Separates the variables of a file that can be written from the others. @param plainTextNames the names in `--plain` */
export function selectValuesToWrite(
  variables: readonly Variable[],
  contract: Contract,
  plainTextNames: ReadonlySet<string>,
): SelectedValues {
  const values: ValueToWrite[] = [];
  const settings: string[] = [];
  const empty: string[] = [];
  for (const { name, value } of variables) {
    if (findReservation(name, contract) !== undefined) settings.push(name);
    else if (value === "" && declarationOf(contract, name) !== undefined) empty.push(name);
    else values.push(createValueToWrite(name, value, contract, plainTextNames.has(name)));
  }
  return { values, omitted: { settings, empty } };
}

/**
 * Decides whether a value becomes a secret. `--plain` decides first, then the contract. But a value with a known credential becomes
 * a secret even if the contract declares the variable public.
 *
 * @param isPlainTextChosen true if the user chose plain text for this variable (`--plain`)
 */
export function createValueToWrite(
  name: string,
  value: string,
  contract: Contract,
  isPlainTextChosen: boolean,
): ValueToWrite {
  if (isPlainTextChosen) return { name, value, secret: false };
  const declaration = declarationOf(contract, name);
  if (declaration === undefined) return { name, value, secret: true, isAssumedSecret: !looksSecret(name, value) };
  if (declaration.secret) return { name, value, secret: true };
  const credential = describeVariableCredential(contract, name, value);
  return credential === undefined ? { name, value, secret: false } : { name, value, secret: true, credential };
}

/**
 * Refuses to write a secret as plain text.
 *
 * @param option the option as the user typed it, such as `--plain`
 * @throws SophiaError (usage, 125) if the contract declares the variable a secret
 */
export function refuseSecretAsPlainText(name: string, contract: Contract, option: string): void {
  if (declarationOf(contract, name)?.secret !== true) return;
  throw usageError(
    `${option}: the contract declares ${printable(name)} a secret`,
    `leave the option out, or declare "secret": false there`,
  );
}

/**
 * Returns the reason why a program would not get a variable from ESC; undefined if the program would get it. A `setting` is a
 * variable that sophia-run itself reads. An `undeclared` variable has the prefix of such settings, so that a later version may read
 * it; the program gets it only if the contract declares it.
 */
export function findReservation(name: string, contract: Contract): "setting" | "undeclared" | undefined {
  const isReserved = (isNameDeclared: boolean): boolean =>
    isReservedName(
      name,
      () => false,
      () => isNameDeclared,
    );
  // The contract cannot make a setting of sophia-run a variable of the program.
  const isReservedIfDeclared = isReserved(true);
  if (isReservedIfDeclared) return "setting";
  return isReserved(isDeclared(contract, name)) ? "undeclared" : undefined;
}
