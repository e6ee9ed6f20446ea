/**
 * Guesses by the name and the value of a variable whether it is a secret. Commands use this for variables that no
 * contract declares. In doubt the variable is a secret.
 */
import { describeCredential } from "./credential-forms.ts";
import type { Contract } from "./contract-model.ts";

/** Matches a part of the name of a secret. The parts of `DB_PASS` are `DB` and `PASS`; `dbPass` has the same parts. */
const SECRET_NAME_PART =
  /^(?:AUTH|BEARER|COOKIE|CREDENTIAL|DSN|HMAC|JWT|KEY|MNEMONIC|OTP|PASS|PASSCODE|PASSPHRASE|PASSWD|PASSWORD|PAT|PIN|PRIVATE|PWD|SALT|SECRET|SIGNATURE|TOKEN)S?$/;
/** Matches the end of a name without separators: `APIKEY`, `PGPASSWORD`. */
const SECRET_NAME_END = /(?:KEY|TOKEN|SECRET|PASSPHRASE|PASSWORD|PASSWD)S?$/;
/**
 * Matches the names of public keys (`STRIPE_PUBLISHABLE_KEY`), and of facts about a secret (`TOKEN_TTL`, `MAX_TOKENS`).
 */
const PUBLIC_NAME =
  /(?:^|_)(?:PUBLIC|PUBLISHABLE|MAX|MIN|NUM)_|_(?:AGE|ALG|ALGORITHM|AUDIENCE|BITS|BYTES|COUNT|DAYS|DIR|DISABLED|DOMAIN|DURATION|ENABLED|ENDPOINT|EXPIRATION|EXPIRES|EXPIRES_IN|EXPIRY|FORMAT|HEADER|HOST|HOURS|INTERVAL|ISSUER|LENGTH|LIFETIME|LIMIT|METHOD|MINUTES|MODE|NAME|PATH|PORT|PREFIX|PROVIDER|REGION|REQUIRED|ROUNDS|SAMESITE|SECONDS|SECURE|SIZE|TIMEOUT|TTL|TYPE|UR[IL]|VERSION)$/;

/** Returns true if the name of a variable suggests that its value is a secret. */
export function isSecretName(name: string): boolean {
  const upperSnakeCase = name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replaceAll(/[^A-Z\d]+/g, "_");
  if (PUBLIC_NAME.test(upperSnakeCase)) return false;
  return SECRET_NAME_END.test(upperSnakeCase) || upperSnakeCase.split("_").some((part) => SECRET_NAME_PART.test(part));
}

/** Returns true if the name of a variable suggests a secret, or its value contains a credential. */
export function looksSecret(name: string, value: string): boolean {
  return isSecretName(name) || describeCredential(value) !== undefined;
}

/** Returns true for a value to which a user may later add credentials: a URL, or hosts with ports. */
export function mayHoldCredentials(value: string): boolean {
  return /:\/\/|^[^\s:/]+:\d{1,5}(?:[/,]|$)/.test(value);
}

/**
 * Describes the credential in the value of a variable, such as `a token (ghp_…)`.
 *
 * @returns undefined if there is none, or if the contract has a reason why the variable is public
 */
export function describeVariableCredential(
  { variables, aliases }: Contract,
  name: string,
  value: string,
): string | undefined {
  // This does not call declarationOf: the bundler would put check-contract.ts into the file of this module
  // (scripts/build/bundle.mjs).
  const declaration = variables.get(aliases.get(name) ?? name);
  const isPublicByReason = declaration?.reason !== undefined && !declaration.secret;
  return isPublicByReason ? undefined : describeCredential(value);
}
