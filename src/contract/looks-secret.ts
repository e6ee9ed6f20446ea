/** The decision whether a variable is a secret if no contract says so: by its name and its value; pure. */
import { credentialIn } from "./credential-forms.ts";
import type { Contract } from "./contract-model.ts";

/** A part of a name, between other characters than letters and digits, or from one capital letter to the next. */
const PART =
  /^(?:AUTH|BEARER|COOKIE|CREDENTIAL|DSN|HMAC|JWT|KEY|MNEMONIC|OTP|PASS|PASSCODE|PASSPHRASE|PASSWD|PASSWORD|PAT|PIN|PRIVATE|PWD|SALT|SECRET|SIGNATURE|TOKEN)S?$/;
/** The end of names written as one word: `APIKEY`, `PGPASSWORD`. */
const END = /(?:KEY|TOKEN|SECRET|PASSPHRASE|PASSWORD|PASSWD)S?$/;
/** Names of public keys, and of facts about a secret: `STRIPE_PUBLISHABLE_KEY`, `TOKEN_TTL`, `MAX_TOKENS`. */
const PUBLIC =
  /(?:^|_)(?:PUBLIC|PUBLISHABLE|MAX|MIN|NUM)_|_(?:AGE|ALG|ALGORITHM|AUDIENCE|BITS|BYTES|COUNT|DAYS|DIR|DISABLED|DOMAIN|DURATION|ENABLED|ENDPOINT|EXPIRATION|EXPIRES|EXPIRES_IN|EXPIRY|FORMAT|HEADER|HOST|HOURS|INTERVAL|ISSUER|LENGTH|LIFETIME|LIMIT|METHOD|MINUTES|MODE|NAME|PATH|PORT|PREFIX|PROVIDER|REGION|REQUIRED|ROUNDS|SAMESITE|SECONDS|SECURE|SIZE|TIMEOUT|TTL|TYPE|UR[IL]|VERSION)$/;

export function isSecretName(name: string): boolean {
  const upper = name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replaceAll(/[^A-Z\d]+/g, "_");
  return !PUBLIC.test(upper) && (END.test(upper) || upper.split("_").some((part) => PART.test(part)));
}

export function looksSecret(name: string, value: string): boolean {
  return isSecretName(name) || credentialIn(value) !== undefined;
}

/** Returns true for a value that may come to hold credentials: a URL, or hosts with ports. */
export function mayHoldCredentials(value: string): boolean {
  return /:\/\/|^[^\s:/]+:\d{1,5}(?:[/,]|$)/.test(value);
}

/** Returns the credential in a variable's value in words, unless the contract gives a reason for which it is public. */
export function credentialOf({ variables, aliases }: Contract, name: string, value: string): string | undefined {
  // Not by declarationOf: the bundler would put check-contract.ts into this module's file, which every start would then load.
  const declaration = variables.get(aliases.get(name) ?? name);
  return declaration?.reason !== undefined && !declaration.secret ? undefined : credentialIn(value);
}
