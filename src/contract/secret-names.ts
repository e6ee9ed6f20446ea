/**
 * Decides whether a variable is a secret by what the contract and ESC declare about it, without a guess by its name or
 * value. (looks-secret.ts has the guesses.)
 */
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";
import type { Environment, Variable } from "../core/model.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";

/** The variables with credentials for ESC, which are secret although no contract declares them. */
const ESC_CREDENTIALS: ReadonlySet<string> = new Set(["ESC_TOKEN", ADMIN_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);

/**
 * Returns true if a variable is a secret. A declaration in the contract decides. Without one, the variable is a secret
 * if ESC says so, or if it is a credential for ESC.
 */
export function isSecret(contract: Contract, { name, secret }: Pick<Variable, "name" | "secret">): boolean {
  return declarationOf(contract, name)?.secret ?? (secret || ESC_CREDENTIALS.has(name.toUpperCase()));
}

/** Returns the environment without secrets, for programs that need none, such as git. */
export function withoutSecrets(environment: Environment, contract: Contract): Environment {
  return new Map(Array.from(environment).filter(([name]) => !isSecret(contract, { name, secret: false })));
}
