/** The forms in which servers read the path of a request; pure. */

/** Characters that need no escape, and those that separate segments. */
const NEEDLESS = /[\w.~/\\-]/;
const NEEDLESS_IN_SEGMENTS = /[\w.~\\-]/;

/**
 * Returns true for a path that two servers may read as two different ones: empty and dot segments, also in front of
 * parameters (`/..;x`) and in other letters (`／．．`), backslashes, escapes of characters that need none (RFC 3986, 6.2.2),
 * that separate segments or that control (tab, NUL), also if these are escaped again (`%252F`), and escapes of bytes that are
 * no UTF-8, such as overlong ones.
 */
export function isAmbiguous(path: string): boolean {
  return isOdd(path, NEEDLESS);
}

/**
 * Returns the readings of a path: `%2F` and the like as a part of a name and as a slash, as in the name of a branch or a
 * project, and `%3F` and `%23` as a part of a name and as the end of the path. One for other paths.
 *
 * @returns undefined if the path is ambiguous otherwise
 */
export function readingsOf(path: string): readonly string[] | undefined {
  if (!path.includes("%")) return isAmbiguous(path) ? undefined : [path];
  if (isOdd(path, NEEDLESS_IN_SEGMENTS)) return undefined;
  const whole = [path, path.replaceAll(SLASH_ESCAPES, "/")];
  return [...new Set([...whole, ...whole.map((text) => text.replace(QUERY_ESCAPES, ""))])];
}

/** A segment of a path, or a part of one between escaped slashes. */
export interface PathName {
  /** As lenient servers compare it: decoded, and one spelling of all that look alike. */
  readonly text: string;
  /** In front of it is a slash in another form, which only some servers take for one. */
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

/** Returns a segment as lenient servers compare it. */
export function folded(segment: string): string {
  const text = decoded(segment) ?? segment;
  if (ASCII.test(text)) return text.toLowerCase();
  // Some letters have no other small form than that of their capital one, such as the dotless i.
  return text.normalize("NFKD").replaceAll(DROPPED, "").toUpperCase().toLowerCase();
}

/** Returns the segments of a path. A slash at the end is ignored. */
export function segmentsOf(path: string): readonly string[] {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}

const ASCII = /^[\u0020-\u007e]*$/;
/** Accents, which some servers' collations ignore, and invisible characters: controls, and those without a width. */
const DROPPED = /[\p{M}\p{Cc}\p{Cf}]/gu;
/** Characters that look like slashes or backslashes, of which NFKD makes ASCII for some. */
const SLASHES = /[/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;
/** Escapes of these, of the fullwidth and the small ones. */
const SLASH_ESCAPES = /%2f|%ef%bc%(?:8f|bc)|%ef%b9%a8|%e2%(?:81%84|88%9[56]|a7%b[589])/gi;
/** The rest of a path from an escaped `?` or `#` on, also one that is escaped again, or fullwidth. */
const QUERY_ESCAPES = /(?:%(?:25)*(?:3f|23)|%ef%bc%(?:9f|83)|%ef%b9%(?:96|9f)).*$/is;

/** Texts of which each ambiguous path has one. */
const MARKS = ["%", "//", "\\", "/.", "/;"] as const;

/** Most paths are: looking for a few texts takes a tenth of the time of a regular expression in QuickJS. */
function isPlain(path: string): boolean {
  return !MARKS.some((mark) => path.includes(mark));
}

/** @param needless characters that need no escape */
function isOdd(path: string, needless: RegExp): boolean {
  if (isPlain(path)) return false;
  if (/\/\/|\\/.test(path) || hasOddEscape(path, needless) || decoded(path) === undefined) return true;
  const names = namesOf(path);
  return names.some(({ text }) => /^\.{0,2}$/.test(text.replace(/;.*$/s, "").trim()));
}

/** As often as a chain of servers decodes a path. */
const MOST_DECODINGS = 3;

/** Decodes escapes of escapes, too. @returns undefined for bytes that are no UTF-8 */
function decoded(text: string): string | undefined {
  let rest = text;
  try {
    for (let count = 0; count < MOST_DECODINGS && rest.includes("%"); count += 1) {
      rest = rest.replaceAll(/(?:%[\da-f]{2})+/gi, decodeURIComponent);
    }
  } catch {
    return undefined;
  }
  return rest;
}

function hasOddEscape(path: string, needless: RegExp): boolean {
  return (
    (path.match(/%.{0,2}/gs) ?? []).some(
      (escape) => !/^%[\da-f]{2}$/i.test(escape) || isOddCharacter(escape.slice(1), needless),
    ) ||
    // Escapes of escapes, such as %252F, which a server behind one that decodes takes for a slash. They have no second reading.
    Array.from(path.matchAll(/%(?:25)+([\da-f]{2})/gi)).some(([, digits = ""]) => isOddCharacter(digits, NEEDLESS))
  );
}

/** @param digits of an escape */
function isOddCharacter(digits: string, needless: RegExp): boolean {
  const character = String.fromCharCode(Number.parseInt(digits, 16));
  return needless.test(character) || character < " " || character === "\u007f";
}
