/**
 * Finds the different ways in which servers read the path of a request. The broker applies its rules to the path, and
 * the service must not read it as a path that the rules deny:
 *
 *     /repos/a%2Fb/keys       `a/b` is one segment for some servers, and two for others
 *     /v1/%6Beys              is `/v1/keys`
 *     /v1/x/..;a/keys         is `/v1/keys` for some servers
 *
 * The broker refuses an ambiguous path, which servers read in several ways (`isAmbiguous`). Clients need some such
 * paths, for the names of branches and projects. For these, `listReadings` returns each way to read the path, and
 * `splitIntoNames` returns the segments as the most lenient server compares them.
 */

/**
 * Matches characters that are ambiguous if they are escaped: those that need no escape, and those that separate
 * segments.
 */
const NEVER_ESCAPED = /[\w.~/\\-]/;
/** The same, but allows `%2F`, the escaped form of a slash within a segment. */
const NEVER_ESCAPED_IN_SEGMENTS = /[\w.~\\-]/;

/**
 * Returns true for a path that two servers may read as two different paths. Such a path has at least one of these:
 * - empty segments or dot segments, also with parameters (`/..;x`) or in fullwidth letters (`／．．`);
 * - backslashes;
 * - escapes of characters that need none (RFC 3986, 6.2.2), of separators, or of control characters (tab, NUL), also if
 *   the escape is escaped again (`%252F`);
 * - escapes of bytes that are not valid UTF-8, such as overlong forms.
 */
export function isAmbiguous(path: string): boolean {
  return hasSeveralReadings(path, NEVER_ESCAPED);
}

/**
 * Returns the paths as which servers may read a path. `%2F` is a part of a name for some servers, and a slash for
 * others. `%3F` and `%23` are a part of a name for some servers, and end the path for others.
 *
 * @returns undefined if the path is ambiguous in another way
 */
export function listReadings(path: string): readonly string[] | undefined {
  if (!path.includes("%")) return isAmbiguous(path) ? undefined : [path];
  if (hasSeveralReadings(path, NEVER_ESCAPED_IN_SEGMENTS)) return undefined;
  const wholePaths = [path, path.replaceAll(SLASH_ESCAPES, "/")];
  const pathsWithoutQuery = wholePaths.map((text) => text.replace(QUERY_ESCAPES, ""));
  return [...new Set([...wholePaths, ...pathsWithoutQuery])];
}

/** A segment of a path, or a part of a segment between escaped slashes. */
export interface PathName {
  /** The name as the most lenient servers compare it ({@link foldSegment}). */
  readonly text: string;
  /** True if a slash in another form, such as `%2F`, precedes the name: only some servers begin a segment there. */
  readonly isJoined: boolean;
}

/** Returns the names of a path, which rules that deny are compared with. A slash at the end is ignored. */
export function splitIntoNames(path: string): readonly PathName[] {
  const names = splitIntoSegments(path).flatMap((segment) =>
    foldSegment(segment)
      .split(SLASHES)
      .map((text, index): PathName => ({ text, isJoined: index > 0 })),
  );
  return names.at(-1)?.text === "" ? names.slice(0, -1) : names;
}

/**
 * Returns a text as the most lenient servers compare it: decoded, in lower case, with one spelling for similar letters.
 */
export function foldSegment(segment: string): string {
  const text = decodeRepeatedly(segment) ?? segment;
  if (ASCII.test(text)) return text.toLowerCase();
  // Through upper case, because some letters equal others only there: the capital of the dotless i is I.
  return text.normalize("NFKD").replaceAll(IGNORED, "").toUpperCase().toLowerCase();
}

/** Returns the segments of a path. A slash at the end is ignored. */
export function splitIntoSegments(path: string): readonly string[] {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}

const ASCII = /^[\u0020-\u007e]*$/;
/**
 * Matches accents, which the collations of some servers ignore, and invisible characters: controls, and those without a
 * width.
 */
const IGNORED = /[\p{M}\p{Cc}\p{Cf}]/gu;
/** Matches slashes, backslashes, and characters that look like them. (NFKD has turned fullwidth forms into ASCII.) */
const SLASHES = /[/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;
/** Matches the escaped forms of slashes and of characters that look like them, with their fullwidth and small forms. */
const SLASH_ESCAPES = /%2f|%ef%bc%(?:8f|bc)|%ef%b9%a8|%e2%(?:81%84|88%9[56]|a7%b[589])/gi;
/**
 * Matches the rest of a path from an escaped `?` or `#` on. The percent sign may be escaped again (`%253F`), and the
 * character may be a fullwidth or small form.
 */
const QUERY_ESCAPES = /(?:%(?:25)*(?:3f|23)|%ef%bc%(?:9f|83)|%ef%b9%(?:96|9f)).*$/is;

/** Each ambiguous path contains one of these. */
const SIGNS_OF_AMBIGUITY = ["%", "//", "\\", "/.", "/;"] as const;

/**
 * Returns true for nearly all paths. In QuickJS, five such searches take a tenth of the time of one regular expression.
 */
function isUnambiguousAtSight(path: string): boolean {
  return !SIGNS_OF_AMBIGUITY.some((sign) => path.includes(sign));
}

/**
 * Returns true if servers may read the path in several ways.
 *
 * @param neverEscaped characters that are ambiguous as escapes
 */
function hasSeveralReadings(path: string, neverEscaped: RegExp): boolean {
  if (isUnambiguousAtSight(path)) return false;
  if (/\/\/|\\/.test(path) || hasAmbiguousEscape(path, neverEscaped) || decodeRepeatedly(path) === undefined)
    return true;
  const namesWithoutParameters = splitIntoNames(path).map(({ text }) => text.replace(/;.*$/s, "").trim());
  return namesWithoutParameters.some((name) => name === "" || name === "." || name === "..");
}

/** The limit on decodings of a path, for services that decode it in several places. */
const MAX_DECODINGS = 3;

/** Decodes escapes, and escapes of escapes. @returns undefined if the bytes are not valid UTF-8 */
function decodeRepeatedly(text: string): string | undefined {
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

/** Returns true if an escape is incomplete, or stands for a character that is ambiguous as an escape. */
function hasAmbiguousEscape(path: string, neverEscaped: RegExp): boolean {
  const escapes = path.match(/%.{0,2}/gs) ?? [];
  const isAmbiguousEscape = (escape: string): boolean =>
    !/^%[\da-f]{2}$/i.test(escape) || isAmbiguousIfEscaped(escape.slice(1), neverEscaped);
  if (escapes.some(isAmbiguousEscape)) return true;
  // The first server turns %252F into %2F, and the second one into a slash. `listReadings` does not consider two servers,
  // so that a slash is always ambiguous here.
  const escapedEscapes = Array.from(path.matchAll(/%(?:25)+([\da-f]{2})/gi));
  return escapedEscapes.some(([, digits = ""]) => isAmbiguousIfEscaped(digits, NEVER_ESCAPED));
}

/** @param digits the two hexadecimal digits of an escape */
function isAmbiguousIfEscaped(digits: string, neverEscaped: RegExp): boolean {
  const character = String.fromCharCode(Number.parseInt(digits, 16));
  const isControl = character < " " || character === "\u007f";
  return isControl || neverEscaped.test(character);
}
