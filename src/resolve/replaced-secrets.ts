/** The secrets that `--fake` replaces; pure. Loaded only for it. */
import { declarationOf } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import { dummyInPlaceOf, dummyValue } from "../contract/dummy-value.ts";
import { looksSecret } from "../contract/looks-secret.ts";
import type { Layer, Notice, Resolution, Resolved, Variable } from "../core/model.ts";
import { mayRunCode } from "../trust/code-variables.ts";
import { mayDecideNetwork } from "../trust/network-variables.ts";
import { isOwnVariable } from "./reserved-names.ts";
import { isHidden } from "./secret-values.ts";
import { type WindowsNameRules, isBaseline } from "./select.ts";

interface Replacement {
  /** The highest layer: a dummy for each secret. */
  readonly layer: Layer;
  readonly notices: readonly Notice[];
}

/**
 * Returns a dummy for each secret that a source sets, so that the program gets none of the real ones. A declared variable and its
 * aliases have the dummy of the declaration. Of others the name and the value decide, by the rule of `init`, whichever source has
 * them.
 *
 * @param given what the program would get
 * @throws SophiaError (fake-value, 125) if no value of a declared format can be generated
 */
export function replacedSecrets(
  contract: Contract,
  given: Resolution,
  folding: WindowsNameRules | undefined,
): Replacement {
  const variables: Variable[] = [];
  const names: string[] = [];
  given.forEach((variable) => {
    if (!isReplaced(contract, variable, folding)) return;
    const { name, value: real, origin } = variable;
    const declaration = declarationOf(contract, name);
    const value = declaration === undefined ? dummyInPlaceOf(name, real) : dummyValue(declaration);
    const delivery = declaration?.as ?? "value";
    variables.push({ name, value, secret: true, origin: { source: "fake" }, delivery });
    // An outer sophia-run has set the same dummies, but for private files, which have a new path for each program.
    const isCallers = origin.source === "environment" && origin.read === undefined;
    if (isCallers && real !== value && delivery === "value") names.push(name);
  });
  return {
    layer: { source: "fake", variables },
    notices: names.length === 0 ? [] : [{ kind: "replaced-by-dummies", names: names.toSorted() }],
  };
}

function isReplaced(contract: Contract, variable: Resolved, folding: WindowsNameRules | undefined): boolean {
  const { name, value, origin } = variable;
  // A default of the contract is public. The settings for ESC are passed on only if the caller says so (--keep-esc).
  if (value === "" || origin.source === "contract" || isOwnVariable(name)) return false;
  if (declarationOf(contract, name) !== undefined) return isHidden(contract, variable);
  return looksSecret(name, value) && !isOfSession(name, folding);
}

/** Returns true for variables by which programs run and connect at all: a dummy in place of a proxy or of `PWD` would break them. */
function isOfSession(name: string, folding: WindowsNameRules | undefined): boolean {
  return isBaseline(name, folding) || name === "SSH_AUTH_SOCK" || mayDecideNetwork(name) || mayRunCode(name);
}
