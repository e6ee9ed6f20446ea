/**
 * Decides which values are masked, and lists the parts of a secret that a program may print by themselves: its lines,
 * the passwords in its URLs, and the strings in its JSON. patterns.ts makes patterns of these texts.
 */

/**
 * The decision about a value: `masked`, or the reason why it is not masked. `short` and `common` values appear in
 * outputs by chance. `armour` is the first or last line of a key in PEM, which is the same for all keys.
 */
export type Maskability = "masked" | "short" | "common" | "armour";

/**
 * The part of a value that a text is: the complete value, a line, or a `leaf`, which is a password in a URL or a string
 * in JSON.
 */
export type SecretPart = "value" | "line" | "leaf";

/** In characters (code points). Shorter values would often be masked by chance. */
const MIN_VALUE_LENGTH = 6;
/** In characters. A line is less likely a secret than a complete value. */
const MIN_LINE_LENGTH = 8;
/** The depth to which strings in JSON are read as JSON again. */
const MAX_DEPTH = 3;

/** Values that are never masked (docs/masking.md): this would make outputs unreadable, and hide nothing. */
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

/** Matches the first and last lines of keys in PEM (RFC 7468), OpenSSH and PGP: `-----BEGIN PRIVATE KEY-----`. */
const ARMOUR = /^-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+ ?-{4,5}$/;

/**
 * Matches the part of a URL between its scheme and its host (RFC 3986, 3.2.1): `user:password` in
 * `https://user:password@host`. It ends at the last at sign, as in browsers.
 */
const USER_INFO = /:\/\/([^\s/?#]*)@/g;

/**
 * Matches a line with a name and a value: `name: value`, `NAME=value`, `"name": "value",`. Such a line is as secret as
 * its value. Something must follow the `=`, because base64 may end with it.
 */
const NAMED_VALUE = /^(?:- )?(?:export )?["']?[A-Za-z][\w.-]{0,63}["']?(?:: |=)\s*["']?([^=\s].*?)["']?,?$/;

/** Decides whether a value is masked where it appears by itself. */
export function maskabilityOf(value: string | Uint8Array): Maskability {
  const text = (typeof value === "string" ? value : Buffer.from(value).toString()).trim();
  if (isShorter(text, MIN_VALUE_LENGTH)) return "short";
  if (COMMON_WORDS.has(text.toLowerCase())) return "common";
  return ARMOUR.test(text) ? "armour" : "masked";
}

/**
 * Returns the texts of a value that a program may print, without duplicates: the value itself, the value without white
 * space around it, both also with LF as line ends; its lines; the passwords in its URLs; and its strings if it is JSON.
 * If the value is not masked, it has no texts.
 */
export function listMaskedTexts(value: string): ReadonlyMap<string, SecretPart> {
  const texts = new Map<string, SecretPart>();
  if (maskabilityOf(value) === "masked") collectTexts(value, "value", texts, MAX_DEPTH);
  return texts;
}

/** Adds a text and the texts in it to `texts`. @param depth how often strings in it may be read as JSON */
function collectTexts(text: string, part: SecretPart, texts: Map<string, SecretPart>, depth: number): void {
  const addText = (added: string, addedPart: SecretPart): void => {
    if (!texts.has(added)) texts.set(added, addedPart);
  };
  const trimmed = text.trim();
  for (const spelling of text === trimmed ? [text] : [text, trimmed]) {
    addText(spelling, part);
    // This is for the base64 of the text. In plain text the search reads each line end as LF.
    if (spelling.includes("\r")) addText(spelling.replaceAll(/\r\n?/g, "\n"), part);
  }
  if (/[\r\n]/.test(trimmed)) {
    // A program may print a line without its indentation.
    for (const line of trimmed.split(/[\r\n]+/).map((indented) => indented.trim())) {
      if (isSecretLine(line)) addText(line, "line");
    }
  }
  for (const password of findPasswords(trimmed)) addText(password, "leaf");
  if (depth === 0) return;
  // A `.env` file may have a key on one line, with `\n` for each line end. Programs replace these by real line ends.
  if (/\\n/.test(trimmed)) collectTexts(trimmed.replaceAll(/(?:\\r)?\\n/g, "\n"), part, texts, depth - 1);
  for (const leaf of listJsonStrings(trimmed)) {
    if (maskabilityOf(leaf) === "masked") collectTexts(leaf, "leaf", texts, depth - 1);
  }
}

/** Returns true if a line of a secret is masked where it appears by itself. */
function isSecretLine(line: string): boolean {
  if (isShorter(line, MIN_LINE_LENGTH) || maskabilityOf(line) !== "masked") return false;
  const namedValue = NAMED_VALUE.exec(line)?.[1];
  return namedValue === undefined || maskabilityOf(namedValue) === "masked";
}

/** Returns the passwords of the URLs in a text, both as they are and decoded, because programs print both. */
function findPasswords(text: string): readonly string[] {
  const passwords = Array.from(text.matchAll(USER_INFO), ([, userinfo = ""]) => /:(.*)$/s.exec(userinfo)?.[1] ?? "");
  return passwords
    .flatMap((password) => [password, decodePercent(password)])
    .filter((password) => maskabilityOf(password) === "masked");
}

/** Decodes escapes such as `%20`. Returns a text with an invalid escape unchanged. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // At least one percent sign stands for itself.
    return text;
  }
}

/**
 * Returns the strings in a text that is JSON, at any depth. It is a loop, since recursion would overflow the stack on
 * deep JSON.
 */
function listJsonStrings(text: string): readonly string[] {
  if (!/^[[{"]/.test(text)) return [];
  const values: unknown[] = [];
  try {
    values.push(JSON.parse(text));
  } catch (error) {
    // The text only looks like JSON. Any other error must not be swallowed, since strings would then appear unmasked.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const strings: string[] = [];
  // The loop appends the members of each object and list.
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === "string") strings.push(value);
    else if (typeof value === "object" && value !== null)
      for (const member of Object.values(value)) values.push(member);
  }
  return strings;
}

/**
 * Returns true if a text has fewer than `minLength` characters. `length` counts code units, of which a character has
 * one or two.
 */
function isShorter(text: string, minLength: number): boolean {
  return text.length < minLength || (text.length < 2 * minLength && Array.from(text).length < minLength);
}
