/** Rules over methods and paths, such as `POST /v2/documents/*` or `api.github.com: GET /repos/**`; pure. */
import { folded, isAmbiguous, namesOf, type PathName, segmentsOf } from "./path-forms.ts";

export interface PathRule {
  /** Host and port, in lower case; absent for all hosts of the key. */
  readonly host?: string;
  /** In upper case; `*` for any. */
  readonly method: string;
  /** `*` stands for one segment, `**` at the end for all that follow, also none. */
  readonly segments: readonly string[];
  /** The segments as `isDenied` compares them. */
  readonly names: readonly string[];
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

export function ruleOf(parts: Omit<PathRule, "names">): PathRule {
  return { ...parts, names: parts.segments.map((segment) => folded(segment).replace(/;.*$/s, "").trim()) };
}

/** Parses rules, and leaves out any other text. */
export function parseRules(texts: readonly string[]): readonly PathRule[] {
  return texts.flatMap((text) => parseRule(text) ?? []);
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
  const isSame = (part: string, segment: string): boolean => part === segment;
  return rules.some((rule) => isFor(rule, host, method) && isPath(rule.segments, segments, isSame));
}

/**
 * The same for rules that deny, which no other spelling may pass that some server takes for the path. Neither case, escapes
 * nor letters that look alike matter, nor what is behind a name (`/keys;x`, `/keys.json`, `/keys%3fx`). Of slashes in other
 * forms, such as `%2F`, any may be one.
 */
export function isDenied(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const of = rules.filter((rule) => isFor(rule, host, method));
  // Most paths have no escape.
  if (!path.includes("%")) {
    const segments = segmentsOf(path.toLowerCase());
    return of.some(({ names }) => isPath(names, segments, isName));
  }
  const names = namesOf(path);
  // Behind an escaped `?` or `#` there is no path for some servers.
  const end = names.findIndex(({ text }) => text.includes("?") || text.includes("#"));
  const readings = end === -1 ? [names] : [names, names.slice(0, end + 1)];
  return readings.some((reading) => {
    const texts = reading.map(({ text }) => text);
    return reading.some(({ isJoined }) => isJoined)
      ? of.some((rule) => isJoinedPath(rule.names, reading))
      : of.some((rule) => isPath(rule.names, texts, isName));
  });
}

function isFor(rule: PathRule, host: string, method: string): boolean {
  if (rule.host !== undefined && rule.host !== host) return false;
  return rule.method === "*" || rule.method === method || rule.method === method.toUpperCase();
}

function isPath(
  pattern: readonly string[],
  segments: readonly string[],
  isSame: (part: string, segment: string) => boolean,
): boolean {
  const isOpen = pattern.at(-1) === "**";
  const fixed = isOpen ? pattern.length - 1 : pattern.length;
  if (isOpen ? segments.length < fixed : segments.length !== fixed) return false;
  for (let index = 0; index < fixed; index++) {
    const part = pattern[index] ?? "";
    if (part !== "*" && !isSame(part, segments[index] ?? "")) return false;
  }
  return true;
}

/** The same for a path with slashes in other forms, each of which may be one: `*` stands for any number of names behind such. */
function isJoinedPath(pattern: readonly string[], names: readonly PathName[]): boolean {
  const isOpen = pattern.at(-1) === "**";
  // Most rules are for other paths.
  const [first = "**"] = pattern;
  if (!first.startsWith("*") && !isName(first, names[0]?.text ?? "")) return false;
  /** Tells for each number of names if the pattern up to here may stand for the first ones. */
  let stands: readonly boolean[] = [true];
  for (const part of isOpen ? pattern.slice(0, -1) : pattern) {
    const next: boolean[] = [false];
    for (const [index, { text, isJoined }] of names.entries()) {
      const begins = stands[index] === true && (part === "*" || isName(part, text));
      const goesOn = part === "*" && isJoined && next[index] === true;
      next.push(begins || goesOn);
    }
    if (!next.includes(true)) return false;
    stands = next;
  }
  return isOpen || stands[names.length] === true;
}

/** Characters of names. What follows a name behind another one is an extension, a parameter or a query for some servers. */
const OF_NAME = /[\p{L}\p{N}_:@~-]/u;

/** Returns true for the name itself, and for one with something behind it that some servers cut off. */
function isName(name: string, text: string): boolean {
  const trimmed = text.trimStart();
  return trimmed.startsWith(name) && (trimmed.length === name.length || !OF_NAME.test(trimmed.charAt(name.length)));
}
