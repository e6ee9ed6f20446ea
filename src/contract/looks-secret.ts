/** Decides whether a variable is a secret if no contract says so, by its name and its value; pure. In doubt it is one. */
import { credentialIn } from "./credential-forms.ts";
import type { Contract } from "./contract-model.ts";

/** Matches a part of a secret name. Parts are separated by `_`: `DB_PASS`, or `dbPass`, which is compared as `DB_PASS`. */
const SECRET_PART =
  /^(?:AUTH|BEARER|COOKIE|CREDENTIAL|DSN|HMAC|JWT|KEY|MNEMONIC|OTP|PASS|PASSCODE|PASSPHRASE|PASSWD|PASSWORD|PAT|PIN|PRIVATE|PWD|SALT|SECRET|SIGNATURE|TOKEN)S?$/;
/** Matches the end of a secret name that is written as one word: `APIKEY`, `PGPASSWORD`. */
const SECRET_END = /(?:KEY|TOKEN|SECRET|PASSPHRASE|PASSWORD|PASSWD)S?$/;
/** Matches names of public keys, and of facts about a secret: `STRIPE_PUBLISHABLE_KEY`, `TOKEN_TTL`, `MAX_TOKENS`. */
const PUBLIC_NAME =
  /(?:^|_)(?:PUBLIC|PUBLISHABLE|MAX|MIN|NUM)_|_(?:AGE|ALG|ALGORITHM|AUDIENCE|BITS|BYTES|COUNT|DAYS|DIR|DISABLED|DOMAIN|DURATION|ENABLED|ENDPOINT|EXPIRATION|EXPIRES|EXPIRES_IN|EXPIRY|FORMAT|HEADER|HOST|HOURS|INTERVAL|ISSUER|LENGTH|LIFETIME|LIMIT|METHOD|MINUTES|MODE|NAME|PATH|PORT|PREFIX|PROVIDER|REGION|REQUIRED|ROUNDS|SAMESITE|SECONDS|SECURE|SIZE|TIMEOUT|TTL|TYPE|UR[IL]|VERSION)$/;

/** Returns true if a name says that its value is a secret. */
export function isSecretName(name: string): boolean {
  const upperSnakeCase = name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replaceAll(/[^A-Z\d]+/g, "_");
  if (PUBLIC_NAME.test(upperSnakeCase)) return false;
  return SECRET_END.test(upperSnakeCase) || upperSnakeCase.split("_").some((part) => SECRET_PART.test(part));
}

/** Returns true if the name of a variable says that it is a secret, or its value has the form of a credential. */
export function looksSecret(name: string, value: string): boolean {
  return isSecretName(name) || credentialIn(value) !== undefined;
}

/** Returns true for a value in which a user may later write credentials: a URL, or hosts with ports. */
export function mayHoldCredentials(value: string): boolean {
  return /:\/\/|^[^\s:/]+:\d{1,5}(?:[/,]|$)/.test(value);
}

/** Describes the credential in the value of a variable; undefined if the contract has a reason why the variable is public. */
export function credentialOf({ variables, aliases }: Contract, name: string, value: string): string | undefined {
  // This does not call declarationOf: the bundler would put check-contract.ts into the file of this module
  // (scripts/build/bundle.mjs).
  const declaration = variables.get(aliases.get(name) ?? name);
  const isPublicByReason = declaration?.reason !== undefined && !declaration.secret;
  return isPublicByReason ? undefined : credentialIn(value);
}
