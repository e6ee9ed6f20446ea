/** Decides which variables are secret by the contract and by names, without looking at values. */
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";
import type { Environment, Variable } from "../core/model.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";

/** The variables that open ESC, which are secret although no contract declares them. */
const ESC_CREDENTIALS: ReadonlySet<string> = new Set(["ESC_TOKEN", ADMIN_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);

/**
 * Returns what the contract declares about a variable. One that is not declared is secret if ESC says so, or if it opens
 * ESC.
 */
export function isSecret(contract: Contract, { name, secret }: Pick<Variable, "name" | "secret">): boolean {
  return declarationOf(contract, name)?.secret ?? (secret || ESC_CREDENTIALS.has(name.toUpperCase()));
}

/** Returns the environment for programs that need no secret, such as git. */
export function withoutSecrets(environment: Environment, contract: Contract): Environment {
  return new Map(Array.from(environment).filter(([name]) => !isSecret(contract, { name, secret: false })));
}
