/**
 * The different ways in which servers read one path; pure. Rules must hold for the path that the service reads, not only
 * for the path that the broker reads:
 *
 *     /repos/a%2Fb/keys       `a/b` is one segment for some servers, and two for others
 *     /v1/%6Beys              is `/v1/keys`
 *     /v1/x/..;a/keys         is `/v1/keys` for some servers
 *
 * The broker refuses a path that two servers may read differently (`isAmbiguous`), except where clients need such paths:
 * for those, `readingsOf` returns each reading, and `namesOf` returns the segments as the most lenient server compares
 * them.
 */

/** Characters that a path should not have in escaped form: those that need no escape, and those that separate segments. */
const NEVER_ESCAPED = /[\w.~/\\-]/;
/** The same within one segment, where `%2F` is the escaped form of a slash. */
const NEVER_ESCAPED_IN_SEGMENTS = /[\w.~\\-]/;

/**
 * Returns true for a path that two servers may read as two different paths. Such a path has
 * - empty segments or dot segments, also with parameters (`/..;x`) or in fullwidth letters (`／．．`);
 * - backslashes;
 * - escapes of characters that need none (RFC 3986, 6.2.2), of separators, or of control characters (tab, NUL), also if the
 *   escape is escaped again (`%252F`);
 * - escapes of bytes that are not valid UTF-8, such as overlong forms.
 */
export function isAmbiguous(path: string): boolean {
  return hasTwoForms(path, NEVER_ESCAPED);
}

/**
 * Returns all readings of a path. `%2F`, as in the name of a branch or a project, is read as a part of a name and as a
 * slash; `%3F` and `%23` are read as a part of a name and as the end of the path. Other paths have one reading.
 *
 * @returns undefined if the path is ambiguous in other respects
 */
export function readingsOf(path: string): readonly string[] | undefined {
  if (!path.includes("%")) return isAmbiguous(path) ? undefined : [path];
  if (hasTwoForms(path, NEVER_ESCAPED_IN_SEGMENTS)) return undefined;
  const wholePaths = [path, path.replaceAll(SLASH_ESCAPES, "/")];
  const pathsWithoutQuery = wholePaths.map((text) => text.replace(QUERY_ESCAPES, ""));
  return [...new Set([...wholePaths, ...pathsWithoutQuery])];
}

/** A segment of a path, or a part of a segment between escaped slashes. */
export interface PathName {
  /** The name as the most lenient servers compare it: decoded, and folded (see `folded`). */
  readonly text: string;
  /** In front of the name is a slash in another form, such as `%2F`, which is a slash only for some servers. */
  readonly isJoined: boolean;
}

/** Returns the names of a path, for rules that deny. A slash at the end is ignored. */
export function namesOf(path: string): readonly PathName[] {
  const names = segmentsOf(path).flatMap((segment) =>
    folded(segment)
      .split(SLASHES)
      .map((text, index): PathName => ({ text, isJoined: index > 0 })),
  );
  return names.at(-1)?.text === "" ? names.slice(0, -1) : names;
}

/** Returns a segment as the most lenient servers compare it: decoded, in lower case, with one spelling for similar letters. */
export function folded(segment: string): string {
  const text = decoded(segment) ?? segment;
  if (ASCII.test(text)) return text.toLowerCase();
  // Some letters equal others only in upper case, such as the dotless i, whose capital letter is I.
  return text.normalize("NFKD").replaceAll(IGNORED, "").toUpperCase().toLowerCase();
}

/** Returns the segments of a path. A slash at the end is ignored. */
export function segmentsOf(path: string): readonly string[] {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}

const ASCII = /^[\u0020-\u007e]*$/;
/**
 * Matches accents, which the collations of some servers ignore, and invisible characters: controls, and those without a
 * width.
 */
const IGNORED = /[\p{M}\p{Cc}\p{Cf}]/gu;
/** Matches slashes, backslashes, and characters that look like them. (NFKD turns some of those into ASCII.) */
const SLASHES = /[/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;
/** Matches the escaped forms of slashes and of characters that look like them, with their fullwidth and small forms. */
const SLASH_ESCAPES = /%2f|%ef%bc%(?:8f|bc)|%ef%b9%a8|%e2%(?:81%84|88%9[56]|a7%b[589])/gi;
/**
 * Matches the rest of a path from an escaped `?` or `#` on. The escape may be escaped again, or be that of a fullwidth
 * form.
 */
const QUERY_ESCAPES = /(?:%(?:25)*(?:3f|23)|%ef%bc%(?:9f|83)|%ef%b9%(?:96|9f)).*$/is;

/** Each ambiguous path contains one of these. */
const SIGNS_OF_AMBIGUITY = ["%", "//", "\\", "/.", "/;"] as const;

/** Fast path for nearly all paths: in QuickJS, a search for these texts takes a tenth of the time of a regular expression. */
function isPlain(path: string): boolean {
  return !SIGNS_OF_AMBIGUITY.some((sign) => path.includes(sign));
}

/** Returns true if servers may read the path differently. @param neverEscaped matches characters that must not be escaped */
function hasTwoForms(path: string, neverEscaped: RegExp): boolean {
  if (isPlain(path)) return false;
  if (/\/\/|\\/.test(path) || hasAmbiguousEscape(path, neverEscaped) || decoded(path) === undefined) return true;
  const namesWithoutParameters = namesOf(path).map(({ text }) => text.replace(/;.*$/s, "").trim());
  return namesWithoutParameters.some((name) => name === "" || name === "." || name === "..");
}

/** A chain of servers decodes a path at most this often. */
const MAX_DECODINGS = 3;

/** Decodes escapes, and escapes of escapes. @returns undefined if the bytes are not valid UTF-8 */
function decoded(text: string): string | undefined {
  let result = text;
  try {
    for (let count = 0; count < MAX_DECODINGS && result.includes("%"); count += 1) {
      result = result.replaceAll(/(?:%[\da-f]{2})+/gi, decodeURIComponent);
    }
  } catch {
    return undefined;
  }
  return result;
}

function hasAmbiguousEscape(path: string, neverEscaped: RegExp): boolean {
  const escapes = path.match(/%.{0,2}/gs) ?? [];
  const isAmbiguousEscape = (escape: string): boolean =>
    !/^%[\da-f]{2}$/i.test(escape) || isAmbiguousIfEscaped(escape.slice(1), neverEscaped);
  if (escapes.some(isAmbiguousEscape)) return true;
  // Escapes of escapes, such as %252F: a second server, behind one that decodes it, reads a slash. `readingsOf` does not
  // list that reading, so these are always ambiguous.
  const escapedEscapes = Array.from(path.matchAll(/%(?:25)+([\da-f]{2})/gi));
  return escapedEscapes.some(([, digits = ""]) => isAmbiguousIfEscaped(digits, NEVER_ESCAPED));
}

/** @param digits the two of an escape */
function isAmbiguousIfEscaped(digits: string, neverEscaped: RegExp): boolean {
  const character = String.fromCharCode(Number.parseInt(digits, 16));
  const isControl = character < " " || character === "\u007f";
  return isControl || neverEscaped.test(character);
}
