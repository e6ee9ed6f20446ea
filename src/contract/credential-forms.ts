/**
 * Recognizes credentials in the values of variables, so that sophia-run can treat a value as a secret although no
 * contract declares it. The time is linear in the length of a value.
 *
 * There are three kinds:
 * - a token that begins with a mark of its service (`ghp_…`);
 * - a password at a place for passwords (`https://user:password@host`, `password=…`);
 * - a value that has the form of a credential as a whole.
 *
 * known-credentials.ts has the tables of the first and the third kind.
 */
import {
  EMBEDDED_CREDENTIAL_FORMS,
  MAX_WHOLE_VALUE_LENGTH,
  TOKEN_FORMS,
  WHOLE_VALUE_FORMS,
} from "./known-credentials.ts";

/** Matches a user and a password in front of a host without a scheme: `user:password@tcp(host:3306)/name`. */
const USER_AND_PASSWORD =
  /^(?!(?:mailto|sips?|xmpp|acct|npm|jsr|git):)[^\s:@/"']{1,256}:[^\s@/"']{1,256}@(?!sha\d+:)[a-z\d[(]/i;
/** Matches a user and a password in a URL of Oracle: `jdbc:oracle:thin:user/password@host`. */
const ORACLE = /^jdbc:oracle:thin:[^/@\s]{1,128}\/[^@\s]{1,256}@/i;

/**
 * Names of passwords in connection strings (ADO.NET, ODBC, JDBC, libpq, Azure) and options. They also match at the end
 * of a word.
 */
const PASSWORD_NAMES: readonly string[] =
  "password passwd passphrase secretkey accesskey accountkey secret_key access_key private_key".split(" ");
/**
 * The same, and names in the queries of URLs. They match only as a whole word, because common words end with some of
 * them.
 */
const SHORT_PASSWORD_NAMES: readonly string[] = "pwd pass secret token signature sig api_key api-key apikey".split(" ");
/** Names of keys that are searched only in the queries of URLs, because elsewhere they are common words. */
const QUERY_KEY_NAMES: readonly string[] = ["key", "auth", "code"];

/** Matches a JSON Web Token: two JSON objects in base64, and a signature. */
const JSON_WEB_TOKEN = /eyJ[\w-]{8,4096}\.eyJ[\w-]{8,16384}\.[\w-]{10}/y;

/**
 * Describes the credential in a value, such as `a token (ghp_…)`. The description contains nothing of the value but a
 * beginning that all tokens of the service have.
 *
 * @returns undefined if the value contains no credential of a known form
 */
export function describeCredential(value: string): string | undefined {
  // Fast path: in a short value, a credential is recognized only behind a name (`=`) or in front of a host (`@`).
  if (value.length < 16 && !/[@=]/.test(value)) return undefined;
  const trimmed = value.trim();
  return describeWholeValue(trimmed) ?? describeByBeginning(value) ?? describePassword(trimmed);
}

function describeWholeValue(value: string): string | undefined {
  if (value.length > MAX_WHOLE_VALUE_LENGTH) return undefined;
  const [, description] = WHOLE_VALUE_FORMS.find(([form]) => form.test(value)) ?? [];
  return description;
}

function describeByBeginning(value: string): string | undefined {
  for (const [beginning, rest] of TOKEN_FORMS) {
    if (hasBeginning(value, beginning, rest, NOT_IN_WORD)) return `a token (${beginning.trim()}…)`;
  }
  const [, , description] =
    EMBEDDED_CREDENTIAL_FORMS.find(([beginning, rest]) => hasBeginning(value, beginning, rest)) ?? [];
  if (description !== undefined) return description;
  return matchesAtBeginning(value, "eyJ", JSON_WEB_TOKEN, NOT_IN_WORD) ? "a JSON Web Token" : undefined;
}

function describePassword(value: string): string | undefined {
  const isUrl = value.includes("://");
  if (isUrl && hasUserInUrl(value)) return "a URL with a user name or password";
  if (ORACLE.test(value)) return "a connection string with a password";
  const lower = value.toLowerCase();
  const assignment = /[\r\n]/.test(value) ? ASSIGNMENT_IN_LINES : ASSIGNMENT;
  const isAssigned =
    PASSWORD_NAMES.some((name) => hasBeginning(lower, name, assignment)) ||
    SHORT_PASSWORD_NAMES.some((name) => hasBeginning(lower, name, assignment, NOT_IN_NAME));
  if (isAssigned) return "text with a password or token";
  const hasQueryKey = isUrl && QUERY_KEY_NAMES.some((name) => hasBeginning(lower, name, "=[^\\s&#]{8}", IN_QUERY));
  if (hasQueryKey) return "a URL with a key";
  return USER_AND_PASSWORD.test(value) ? "a user name and password" : undefined;
}

/** Matches what follows the name in `name=value` and in `"name": "value"`. The source of a regular expression. */
const ASSIGNMENT = `(?:\\s{0,9}=\\s{0,9}["']?[^;\\s&"',]|"\\s{0,9}:\\s{0,9}"[^"])`;
/** Also matches YAML (`name: value`). In a value of one line, this may be a sentence, such as `Password: required`. */
const ASSIGNMENT_IN_LINES = `(?:${ASSIGNMENT}|:[ \\t]{1,9}["']?[^\\s"'])`;

/**
 * Matches `user:password@` and `:password@` after the `://` of a URL. A password with a `/` must not begin like a port:
 * in `://host:80/@x` the `80/` is not a password.
 */
const PASSWORD = "[^/?#\\s:@\"']{0,512}:(?:[^/?#\\s@\"']{1,2048}|(?!\\d{1,5}[/?#])[^\\s:@\"']{1,2048})@";
const USER_WITH_PASSWORD = new RegExp(`://${PASSWORD}`, "y");
const USER = new RegExp(`://(?:[^/?#\\s:@"']{1,2048}@|${PASSWORD})`, "y");

/** Matches the end of a scheme with which a user name alone is not a secret: `ssh://git@host`. */
const LOGIN_SCHEME = /(?:ssh|sftp|scp|rsync|svn|git)$/i;
/** In characters. No scheme of {@link LOGIN_SCHEME} is longer. */
const MAX_SCHEME_LENGTH = 10;

/** Returns true if a URL in the value has a password, or a user name, which may be a token. */
function hasUserInUrl(value: string): boolean {
  for (let index = value.indexOf("://"); index !== -1; index = value.indexOf("://", index + 3)) {
    const endOfScheme = value.slice(Math.max(0, index - MAX_SCHEME_LENGTH), index);
    const pattern = LOGIN_SCHEME.test(endOfScheme) ? USER_WITH_PASSWORD : USER;
    pattern.lastIndex = index;
    if (pattern.test(value)) return true;
  }
  return false;
}

// These match the character that must precede the beginning of a credential, unless the value starts with the
// beginning.
const NOT_IN_WORD = /[^\w-]/;
const NOT_IN_NAME = /[^a-z\d]/;
const IN_QUERY = /[?&]/;

/**
 * Returns true if the value contains the beginning, and the rest follows it.
 *
 * @param rest the source of a regular expression. It is compiled only for a value with the beginning, which few values
 *   have
 * @param precedingCharacter matches the character that must precede the beginning, unless the value starts with it
 */
function hasBeginning(value: string, beginning: string, rest: string, precedingCharacter?: RegExp): boolean {
  if (!value.includes(beginning)) return false;
  const pattern = new RegExp(beginning.replaceAll(".", "\\.") + rest, "y");
  return matchesAtBeginning(value, beginning, pattern, precedingCharacter);
}

/** Returns true if the pattern, which has the flag `y`, matches at one of the places where the beginning is. */
function matchesAtBeginning(value: string, beginning: string, pattern: RegExp, precedingCharacter?: RegExp): boolean {
  for (let index = value.indexOf(beginning); index !== -1; index = value.indexOf(beginning, index + beginning.length)) {
    if (precedingCharacter !== undefined && index > 0 && !precedingCharacter.test(value.charAt(index - 1))) continue;
    pattern.lastIndex = index;
    if (pattern.test(value)) return true;
  }
  return false;
}
