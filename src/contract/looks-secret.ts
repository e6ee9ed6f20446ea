/** The decision whether a variable is a secret if no contract says so: by its name and its value; pure. */

/** A part of a name, between other characters than letters and digits, or from one capital letter to the next. */
const PART =
  /^(?:AUTH|COOKIE|CREDENTIAL|DSN|KEY|PASS|PASSPHRASE|PASSWD|PASSWORD|PAT|PRIVATE|PWD|SALT|SECRET|SIGNATURE|TOKEN)S?$/;
/** The end of names written as one word: `APIKEY`, `PGPASSWORD`. */
const END = /(?:KEY|TOKEN|SECRET|PASSPHRASE|PASSWORD|PASSWD)S?$/;

export function isSecretName(name: string): boolean {
  const upper = name.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").toUpperCase();
  return END.test(upper) || upper.split(/[^A-Z\d]+/).some((part) => PART.test(part));
}

/** Returns true for a URL with a user name or password, and for a private key. */
function isSecretValue(value: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]*@/i.test(value) || holdsPrivateKey(value);
}

export function holdsPrivateKey(value: string): boolean {
  return value.includes("PRIVATE KEY-----");
}

export function looksSecret(name: string, value: string): boolean {
  return isSecretName(name) || isSecretValue(value);
}
