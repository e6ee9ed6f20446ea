/** Finds the secrets that `--fake` replaces, and makes a dummy for each. The file is loaded only for that option. */
import { declarationOf } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import { createDummyInPlaceOf, createDummyValue } from "../contract/dummy-value.ts";
import { looksSecret } from "../contract/looks-secret.ts";
import type { Layer, Notice, Resolution, ResolvedVariable, Variable } from "../core/model.ts";
import { mayRunCode } from "../trust/code-variables.ts";
import { mayDecideNetwork } from "../trust/network-variables.ts";
import { isOwnVariable } from "./reserved-names.ts";
import { isHidden } from "./secret-values.ts";
import { type WindowsNameRules, isBaseline } from "./select.ts";

interface Replacement {
  /** A dummy for each secret. This layer is above all others. */
  readonly layer: Layer;
  readonly notices: readonly Notice[];
}

/**
 * Returns a dummy for each secret that the program would get, so that it gets none of the real ones. A declared variable and its
 * aliases have the dummy of the declaration. An undeclared variable is replaced if its name or value looks secret, as `init` sees
 * it, whichever source sets it.
 *
 * @param selected the variables that the program would get
 * @throws SophiaError (fake-value, 125) if no value of a declared format can be generated
 */
export function makeDummiesForSecrets(
  contract: Contract,
  selected: Resolution,
  folding: WindowsNameRules | undefined,
): Replacement {
  const variables: Variable[] = [];
  const reportedNames: string[] = [];
  selected.forEach((variable) => {
    if (!isReplaced(contract, variable, folding)) return;
    const { name, value: realValue, origin } = variable;
    const declaration = declarationOf(contract, name);
    const value = declaration === undefined ? createDummyInPlaceOf(name, realValue) : createDummyValue(declaration);
    const delivery = declaration?.as ?? "value";
    variables.push({ name, value, secret: true, origin: { source: "fake" }, delivery });
    // There is no notice for a dummy that an outer sophia-run has already set, nor for the path of a private file, which always differs.
    const isSetByCaller = origin.source === "environment" && origin.read === undefined;
    if (isSetByCaller && realValue !== value && delivery === "value") reportedNames.push(name);
  });
  return {
    layer: { source: "fake", variables },
    notices: reportedNames.length === 0 ? [] : [{ kind: "replaced-by-dummies", names: reportedNames.toSorted() }],
  };
}

/** Returns true for a variable whose value is replaced by a dummy. */
function isReplaced(contract: Contract, variable: ResolvedVariable, folding: WindowsNameRules | undefined): boolean {
  const { name, value, origin } = variable;
  // A default in the contract is public. Sophia-run's own variables are passed on only if the caller says so (--keep-esc).
  if (value === "" || origin.source === "contract" || isOwnVariable(name)) return false;
  if (declarationOf(contract, name) !== undefined) return isHidden(contract, variable);
  return looksSecret(name, value) && !isNeededToRun(name, folding);
}

/** Returns true for a variable that programs need to run or to connect, such as a proxy or `PWD`. A dummy would break them. */
function isNeededToRun(name: string, folding: WindowsNameRules | undefined): boolean {
  return isBaseline(name, folding) || name === "SSH_AUTH_SOCK" || mayDecideNetwork(name) || mayRunCode(name);
}
