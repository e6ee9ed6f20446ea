/** Which variables are secret; pure. */
import type { Contract } from "../contract/model.ts";
import type { Environment, Resolved, Variable } from "../core/model.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";
import type { Secret } from "../masking/model.ts";
import type { Assessment } from "./assessment.ts";

/** Variables that open ESC; the other ones hold names and paths. */
const OWN_SECRETS: ReadonlySet<string> = new Set(["ESC_TOKEN", ADMIN_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);

/**
 * Returns true if a value is a secret: the contract says so, for the variable or for that of which it is another name;
 * where it says nothing, ESC marks it, or it is what opens ESC.
 */
export function isSecret(contract: Contract, { name, secret }: Pick<Variable, "name" | "secret">): boolean {
  const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
  return declaration?.secret ?? (secret || OWN_SECRETS.has(name.toUpperCase()));
}

type Sources = Pick<Assessment, "contract" | "resolution" | "selected">;

/** The secrets that outputs must not show: of all that the sources give, whether the program gets it or not. */
export function secretsOf({ contract, resolution, selected }: Sources): readonly Secret[] {
  const isHidden = (variable: Resolved): boolean => variable.origin.source !== "fake" && isSecret(contract, variable);
  const secrets = Array.from(resolution.values()).filter(isHidden);
  // A value that is withheld from the program may have hidden another that it gets.
  const others = Array.from(selected.values()).filter(
    (variable) => isHidden(variable) && resolution.get(variable.name)?.value !== variable.value,
  );
  return [...secrets, ...others].map(({ name, value }) => ({ name, value }));
}

/** The environment of programs that need no secret, such as git. */
export function withoutSecrets(environment: Environment, contract: Contract): Environment {
  return new Map(Array.from(environment).filter(([name]) => !isSecret(contract, { name, secret: false })));
}
