/**
 * Decides which values can be masked, and lists the texts in a secret that a program may print alone: its lines, the passwords of
 * its URLs, the strings in its JSON.
 */

/** `masked`, or the reason why a value is not masked: it is too short, a common word, or the first or last line of a key. */
export type Maskability = "masked" | "short" | "common" | "armour";

/** A whole value, or a part of it that a program may print alone. */
export type SecretPart = "value" | "line" | "leaf";

/** In characters (code points). */
const MIN_VALUE_LENGTH = 6;
const MIN_LINE_LENGTH = 8;
/** Strings in JSON are read as JSON again, up to this depth: JSON in JSON in JSON. */
const MAX_DEPTH = 3;

/** Values that are never secret (docs/masking.md): masking them would spoil outputs and hide nothing. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
    undefined default disabled enabled required optional unknown public private internal external
    production development staging testing preview sandbox
    notice warning verbose
    localhost 127.0.0.1 0.0.0.0 localhost.localdomain
    postgres postgresql mongodb rabbitmq username password secret changeme example anonymous administrator
    bearer basic-auth api_key service_account authorized_user external_account client_credentials
    googleapis.com https://accounts.google.com/o/oauth2/auth https://oauth2.googleapis.com/token
    https://accounts.google.com/o/oauth2/token https://www.googleapis.com/oauth2/v1/certs
    config
  `
    .trim()
    .split(/\s+/),
);

/** `-----BEGIN PRIVATE KEY-----`: the first and last lines of PEM (RFC 7468), of OpenSSH's and of PGP's keys. */
const ARMOUR = /^-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+ ?-{4,5}$/;

/**
 * `user:password` in `https://user:password@host`: the part of a URL between its scheme and its host (RFC 3986, 3.2.1). It ends
 * at the last at sign, as browsers read it.
 */
const USER_INFO = /:\/\/([^\s/?#]*)@/g;

/**
 * A line with a name and a value: `name: value`, `NAME=value`, `"name": "value",`. It is as secret as its value. The last
 * character of base64 may be `=`, so that `=` must be followed by something else.
 */
const NAMED_VALUE = /^(?:- )?(?:export )?["']?[A-Za-z][\w.-]{0,63}["']?(?:: |=)\s*["']?([^=\s].*?)["']?,?$/;

/** Returns `masked`, or the reason why the value is not masked if it appears alone. */
export function maskabilityOf(value: string | Uint8Array): Maskability {
  const text = (typeof value === "string" ? value : Buffer.from(value).toString()).trim();
  if (isShorter(text, MIN_VALUE_LENGTH)) return "short";
  if (COMMON_WORDS.has(text.toLowerCase())) return "common";
  return ARMOUR.test(text) ? "armour" : "masked";
}

/**
 * Returns the texts of a value, each once: the value, the value without white space around it, and with LF as line ends; its
 * lines; the passwords in its URLs; and the strings in it if it is JSON. Returns none if the value cannot be masked.
 */
export function textsOf(value: string): ReadonlyMap<string, SecretPart> {
  const texts = new Map<string, SecretPart>();
  if (maskabilityOf(value) === "masked") collectTexts(value, "value", texts, MAX_DEPTH);
  return texts;
}

/** Adds a text, and the texts in it. @param depth how often JSON may be read in it */
function collectTexts(text: string, part: SecretPart, texts: Map<string, SecretPart>, depth: number): void {
  const add = (added: string, addedPart: SecretPart): void => {
    if (!texts.has(added)) texts.set(added, addedPart);
  };
  const trimmed = text.trim();
  for (const whole of text === trimmed ? [text] : [text, trimmed]) {
    add(whole, part);
    // Only the base64 differs: the search reads each line end as LF.
    if (whole.includes("\r")) add(whole.replaceAll(/\r\n?/g, "\n"), part);
  }
  if (/[\r\n]/.test(trimmed)) {
    // A program may print a line without its indentation.
    for (const line of trimmed.split(/[\r\n]+/).map((indented) => indented.trim())) {
      if (isSecretLine(line)) add(line, "line");
    }
  }
  for (const password of passwordsOf(trimmed)) add(password, "leaf");
  if (depth === 0) return;
  // A key may be on one line of a .env file, with `\n` for each line end. Programs replace these by line ends.
  if (/\\n/.test(trimmed)) collectTexts(trimmed.replaceAll(/(?:\\r)?\\n/g, "\n"), part, texts, depth - 1);
  for (const leaf of jsonStringsIn(trimmed)) {
    if (maskabilityOf(leaf) === "masked") collectTexts(leaf, "leaf", texts, depth - 1);
  }
}

function isSecretLine(line: string): boolean {
  if (isShorter(line, MIN_LINE_LENGTH) || maskabilityOf(line) !== "masked") return false;
  const namedValue = NAMED_VALUE.exec(line)?.[1];
  return namedValue === undefined || maskabilityOf(namedValue) === "masked";
}

/** Returns the passwords of the URLs in a text, as they are and decoded: programs print both. */
function passwordsOf(text: string): readonly string[] {
  const passwords = Array.from(text.matchAll(USER_INFO), ([, userinfo = ""]) => /:(.*)$/s.exec(userinfo)?.[1] ?? "");
  return passwords
    .flatMap((password) => [password, decodePercent(password)])
    .filter((password) => maskabilityOf(password) === "masked");
}

/** Decodes `%20`; returns a text with an invalid escape as it is. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // At least one percent sign stands for itself.
    return text;
  }
}

/**
 * Returns the strings in a text that is JSON, at any depth. It is a loop, since a recursive function would exceed the stack's limit
 * on deep JSON.
 */
function jsonStringsIn(text: string): readonly string[] {
  if (!/^[[{"]/.test(text)) return [];
  const waiting: unknown[] = [];
  try {
    waiting.push(JSON.parse(text));
  } catch (error) {
    // The text only looks like JSON. Any other error must be reported, since the strings would appear unmasked.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const strings: string[] = [];
  // The list grows while the loop reads it.
  for (let index = 0; index < waiting.length; index++) {
    const value = waiting[index];
    if (typeof value === "string") strings.push(value);
    else if (typeof value === "object" && value !== null)
      for (const member of Object.values(value)) waiting.push(member);
  }
  return strings;
}

/** Returns true if a text has fewer characters. A character has one or two code units, which `length` counts. */
function isShorter(text: string, minLength: number): boolean {
  return text.length < minLength || (text.length < 2 * minLength && Array.from(text).length < minLength);
}
