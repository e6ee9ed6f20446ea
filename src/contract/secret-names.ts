/** The decision which names are secret, without a look at values. */
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";
import type { Environment, Variable } from "../core/model.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";

const OWN_SECRETS: ReadonlySet<string> = new Set(["ESC_TOKEN", ADMIN_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);

/** Returns true if the contract declares a secret; for undeclared variables, if ESC marks it or it opens ESC. */
export function isSecret(contract: Contract, { name, secret }: Pick<Variable, "name" | "secret">): boolean {
  return declarationOf(contract, name)?.secret ?? (secret || OWN_SECRETS.has(name.toUpperCase()));
}

/** Returns the environment for programs that need no secret, such as git. */
export function withoutSecrets(environment: Environment, contract: Contract): Environment {
  return new Map(Array.from(environment).filter(([name]) => !isSecret(contract, { name, secret: false })));
}
