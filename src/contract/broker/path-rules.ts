/** Rules over methods and paths, such as `POST /v2/documents/*` or `api.github.com: GET /repos/**`; pure. */

export interface PathRule {
  /** Host and port, in lower case; absent for all hosts of the key. */
  readonly host?: string;
  /** In upper case; `*` for any. */
  readonly method: string;
  /** `*` stands for one segment, `**` at the end for all that follow, also none. */
  readonly segments: readonly string[];
  /** The segments as `isDenied` compares them. */
  readonly folded: readonly string[];
  readonly text: string;
}

/** The rules' characters of RFC 9110 (method) and RFC 3986 (path), without characters that servers read differently. */
const RULE = /^(?:([A-Za-z\d.-]+(?::\d{1,5})?): )?(\*|[A-Za-z][A-Za-z\d-]{0,31}) (\/[\w.~!$&'()*+,;=:@%/-]*)$/;

/** Parses a rule. @returns undefined for any other text */
export function parseRule(text: string): PathRule | undefined {
  const [, host, method, path] = RULE.exec(text) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const segments = segmentsOf(path);
  const isWild = (segment: string, index: number): boolean =>
    segment === "*" || (segment === "**" && index === segments.length - 1);
  const isValid = segments.every((segment, index) => !segment.includes("*") || isWild(segment, index));
  if (!isValid || isAmbiguous(path)) return undefined;
  const ofHost = host === undefined ? {} : { host: host.toLowerCase() };
  return ruleOf({ ...ofHost, method: method.toUpperCase(), segments, text });
}

export function ruleOf(parts: Omit<PathRule, "folded">): PathRule {
  return { ...parts, folded: parts.segments.map(fold) };
}

/** Parses rules, and leaves out any other text. */
export function parseRules(texts: readonly string[]): readonly PathRule[] {
  return texts.flatMap((text) => parseRule(text) ?? []);
}

/** Characters that need no escape, and those that separate segments. */
const NEEDLESS = /[\w.~/\\-]/;

/**
 * Returns true for a path that two servers may read as two different ones: empty and dot segments, also in front of
 * parameters (`/..;x`), backslashes, and escapes of characters that need none (RFC 3986, 6.2.2) or that separate segments,
 * also if these are escaped again (`%252F`).
 */
export function isAmbiguous(path: string): boolean {
  if (isPlain(path)) return false;
  if (/\/\/|\\|\/\.{1,2}(?:\/|$)|\/\.{0,2}(?:;|%(?:25)*3b)/i.test(path)) return true;
  return hasOddEscape(path, NEEDLESS);
}

/** Texts of which each ambiguous path has one. */
const MARKS = ["%", "//", "\\", "/.", "/;"] as const;

/** Most paths are: looking for a few texts takes a tenth of the time of a regular expression in QuickJS. */
function isPlain(path: string): boolean {
  return !MARKS.some((mark) => path.includes(mark));
}

/**
 * Returns the two readings of a path, with `%2F` as a character and as a slash, as in the name of a branch or a project; one
 * for other paths.
 *
 * @returns undefined if there are further ones
 */
export function readingsOf(path: string): readonly string[] | undefined {
  if (!path.includes("%") || !/%2f/i.test(path)) return isAmbiguous(path) ? undefined : [path];
  const separated = path.replaceAll(/%2f/gi, "/");
  return isAmbiguous(separated) || hasOddEscape(path, /[\w.~\\-]/) ? undefined : [path, separated];
}

/** @param needless characters that need no escape */
function hasOddEscape(path: string, needless: RegExp): boolean {
  return (
    (path.match(/%.{0,2}/gs) ?? []).some(
      (escape) => !/^%[\da-f]{2}$/i.test(escape) || isOdd(escape.slice(1), needless),
    ) ||
    // Escapes of escapes, such as %252F, which a server behind one that decodes takes for a slash. They have no second reading.
    Array.from(path.matchAll(/%(?:25)+([\da-f]{2})/gi)).some(([, digits = ""]) => isOdd(digits, NEEDLESS))
  );
}

/** @param digits of an escape */
function isOdd(digits: string, needless: RegExp): boolean {
  const character = String.fromCharCode(Number.parseInt(digits, 16));
  return needless.test(character) || character < " ";
}

/** The parts of a request over which a rule decides. */
interface RuleTarget {
  /** Host and port, in lower case. */
  readonly host: string;
  readonly method: string;
  /** Not ambiguous. */
  readonly path: string;
}

/** Returns true if one of the rules has the host, the method and the path. */
export function isCovered(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const segments = segmentsOf(path);
  return rules.some((rule) => isFor(rule, host, method) && isPath(rule.segments, segments));
}

/**
 * The same for rules that deny. As on some servers, neither case nor escapes (`/a%3Arun`) nor parameters (`/keys;x`) of segments
 * matter, on either side.
 */
export function isDenied(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  // Most paths have neither.
  const isFolded = path.includes("%") || path.includes(";");
  const segments = isFolded ? segmentsOf(path).map(fold) : segmentsOf(path.toLowerCase());
  return rules.some((rule) => isFor(rule, host, method) && isPath(rule.folded, segments));
}

/** As often as a chain of servers decodes a path. */
const MOST_DECODINGS = 3;

function fold(segment: string): string {
  let text = segment;
  for (let count = 0; count < MOST_DECODINGS && text.includes("%"); count += 1) {
    text = text.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  }
  return text.toLowerCase().replace(/;.*$/s, "");
}

function isFor(rule: PathRule, host: string, method: string): boolean {
  if (rule.host !== undefined && rule.host !== host) return false;
  return rule.method === "*" || rule.method === method || rule.method === method.toUpperCase();
}

function isPath(pattern: readonly string[], segments: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === "**";
  const fixed = isOpen ? pattern.length - 1 : pattern.length;
  if (isOpen ? segments.length < fixed : segments.length !== fixed) return false;
  for (let index = 0; index < fixed; index++) {
    if (pattern[index] !== "*" && pattern[index] !== segments[index]) return false;
  }
  return true;
}

/** A slash at the end is ignored. */
function segmentsOf(path: string): readonly string[] {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}
