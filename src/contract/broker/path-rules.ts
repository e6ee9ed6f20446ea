/**
 * Rules over methods and paths, by which a contract allows or denies requests with a key; pure:
 *
 *     POST /v2/documents/*                    one segment in place of `*`
 *     api.github.com: GET /repos/**           any segments in place of `**`, also none
 *
 * `isCovered` decides over rules that allow: it compares exactly. `isDenied` decides over rules that deny: it compares so
 * leniently that no other spelling of a denied path gets through.
 */
import { folded, isAmbiguous, namesOf, type PathName, segmentsOf } from "./path-forms.ts";

export interface PathRule {
  /** Host and port, in lower case; absent for all hosts of the key. */
  readonly host?: string;
  /** In upper case; `*` for any. */
  readonly method: string;
  /** `*` stands for one segment; `**` at the end stands for all segments that follow, also for none. */
  readonly segments: readonly string[];
  /** The segments as `isDenied` compares them. */
  readonly names: readonly string[];
  /** The rule as it was written. */
  readonly text: string;
}

/** Matches host, method and path, with the characters of RFC 9110 and RFC 3986 that all servers read alike. */
const RULE = /^(?:([A-Za-z\d.-]+(?::\d{1,5})?): )?(\*|[A-Za-z][A-Za-z\d-]{0,31}) (\/[\w.~!$&'()*+,;=:@%/-]*)$/;

/** Parses a rule. @returns undefined for any other text */
export function parseRule(text: string): PathRule | undefined {
  const [, host, method, path] = RULE.exec(text) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const segments = segmentsOf(path);
  const isWildcard = (segment: string, index: number): boolean =>
    segment === "*" || (segment === "**" && index === segments.length - 1);
  const isValid = segments.every((segment, index) => !segment.includes("*") || isWildcard(segment, index));
  if (!isValid || isAmbiguous(path)) return undefined;
  const hostPart = host === undefined ? {} : { host: host.toLowerCase() };
  return ruleOf({ ...hostPart, method: method.toUpperCase(), segments, text });
}

/** Completes a rule by the names that `isDenied` compares. */
export function ruleOf(parts: Omit<PathRule, "names">): PathRule {
  return { ...parts, names: parts.segments.map((segment) => folded(segment).replace(/;.*$/s, "").trim()) };
}

/** Parses rules, and leaves out texts that are no rules: the check of the contract has refused those. */
export function parseRules(texts: readonly string[]): readonly PathRule[] {
  return texts.flatMap((text) => parseRule(text) ?? []);
}

/** The parts of a request over which a rule decides. */
interface RuleTarget {
  /** Host and port, in lower case. */
  readonly host: string;
  readonly method: string;
  /** A path that is not ambiguous (path-forms.ts). */
  readonly path: string;
}

/** Returns true if one of the rules matches the request exactly. */
export function isCovered(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const segments = segmentsOf(path);
  const isEqual = (part: string, segment: string): boolean => part === segment;
  return rules.some((rule) => isFor(rule, host, method) && matchesPath(rule.segments, segments, isEqual));
}

/**
 * Returns true if one of the rules matches the request as any server may read it. Ignored are case, escapes, similar
 * letters, and what follows a name (`/keys;x`, `/keys.json`, `/keys%3fx`). A slash in another form, such as `%2F`, may be a
 * slash or not.
 */
export function isDenied(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const candidates = rules.filter((rule) => isFor(rule, host, method));
  // Fast path: most paths have no escape.
  if (!path.includes("%")) {
    const segments = segmentsOf(path.toLowerCase());
    return candidates.some(({ names }) => matchesPath(names, segments, isName));
  }
  const names = namesOf(path);
  // For some servers, the path ends at an escaped `?` or `#`.
  const queryIndex = names.findIndex(({ text }) => text.includes("?") || text.includes("#"));
  const readings = queryIndex === -1 ? [names] : [names, names.slice(0, queryIndex + 1)];
  return readings.some((reading) => {
    if (reading.some(({ isJoined }) => isJoined)) {
      return candidates.some((rule) => matchesJoinedPath(rule.names, reading));
    }
    const texts = reading.map(({ text }) => text);
    return candidates.some((rule) => matchesPath(rule.names, texts, isName));
  });
}

function isFor(rule: PathRule, host: string, method: string): boolean {
  if (rule.host !== undefined && rule.host !== host) return false;
  return rule.method === "*" || rule.method === method || rule.method === method.toUpperCase();
}

/**
 * Returns true if a pattern with `*` and `**` matches the segments.
 *
 * @param isSame compares a part without `*` with a segment
 */
function matchesPath(
  pattern: readonly string[],
  segments: readonly string[],
  isSame: (part: string, segment: string) => boolean,
): boolean {
  const isOpen = pattern.at(-1) === "**";
  const fixedLength = isOpen ? pattern.length - 1 : pattern.length;
  if (isOpen ? segments.length < fixedLength : segments.length !== fixedLength) return false;
  for (let index = 0; index < fixedLength; index++) {
    const part = pattern[index] ?? "";
    if (part !== "*" && !isSame(part, segments[index] ?? "")) return false;
  }
  return true;
}

/**
 * Returns true if a pattern matches a path in which each slash in another form (`isJoined`) may be a slash or a part of a
 * name. So `*` stands for one name and any number of names that are joined to it: `/repos/*` matches `/repos/a%2Fb`.
 *
 * This goes through the pattern once, and keeps for each number of names if they match the beginning of the pattern.
 */
function matchesJoinedPath(pattern: readonly string[], names: readonly PathName[]): boolean {
  const isOpen = pattern.at(-1) === "**";
  // Fast path: most rules are for other paths.
  const [first = "**"] = pattern;
  if (!first.startsWith("*") && !isName(first, names[0]?.text ?? "")) return false;
  /** At each index: true if the parts of the pattern so far match exactly that number of names. */
  let matchesCount: readonly boolean[] = [true];
  for (const part of isOpen ? pattern.slice(0, -1) : pattern) {
    const nextMatchesCount: boolean[] = [false];
    for (const [index, { text, isJoined }] of names.entries()) {
      const beginsPart = matchesCount[index] === true && (part === "*" || isName(part, text));
      const continuesPart = part === "*" && isJoined && nextMatchesCount[index] === true;
      nextMatchesCount.push(beginsPart || continuesPart);
    }
    if (!nextMatchesCount.includes(true)) return false;
    matchesCount = nextMatchesCount;
  }
  return isOpen || matchesCount[names.length] === true;
}

/** Matches characters of names. After any other character, some servers read an extension, a parameter or a query. */
const NAME_CHARACTER = /[\p{L}\p{N}_:@~-]/u;

/** Returns true if the text is the name, or begins with the name and goes on with something that some servers cut off. */
function isName(name: string, text: string): boolean {
  const trimmed = text.trimStart();
  return (
    trimmed.startsWith(name) && (trimmed.length === name.length || !NAME_CHARACTER.test(trimmed.charAt(name.length)))
  );
}
