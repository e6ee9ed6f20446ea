/** The decision which variables are secret. Pure. */
import type { Contract } from "../contract/model.ts";
import type { Environment, Resolved, Variable } from "../core/model.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";
import type { Secret } from "../masking/model.ts";
import type { Assessment } from "./assessment.ts";

const OWN_SECRETS: ReadonlySet<string> = new Set(["ESC_TOKEN", ADMIN_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);

/** Returns true if the contract declares a secret; for undeclared variables, if ESC marks it or it opens ESC. */
export function isSecret(contract: Contract, { name, secret }: Pick<Variable, "name" | "secret">): boolean {
  const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
  return declaration?.secret ?? (secret || OWN_SECRETS.has(name.toUpperCase()));
}

export type Sources = Pick<Assessment, "contract" | "resolution" | "selected">;

type TextSecret = Secret & { readonly value: string };

/** Returns the secrets that outputs must not show, of all sources, whether the program gets them or not. */
export function secretsOf({ contract, resolution, selected }: Sources): readonly TextSecret[] {
  const isHidden = (variable: Resolved): boolean => variable.origin.source !== "fake" && isSecret(contract, variable);
  const secrets = Array.from(resolution.values()).filter(isHidden);
  // A withheld value may hide another one, which the program gets.
  const others = Array.from(selected.values()).filter(
    (variable) => isHidden(variable) && resolution.get(variable.name)?.value !== variable.value,
  );
  return [...secrets, ...others].map(({ name, value }) => ({ name, value }));
}

/** Returns the environment for programs that need no secret, such as git. */
export function withoutSecrets(environment: Environment, contract: Contract): Environment {
  return new Map(Array.from(environment).filter(([name]) => !isSecret(contract, { name, secret: false })));
}
