/**
 * Parses and applies the rules by which a contract allows or denies requests with a key:
 *
 *     POST /v2/documents/*                    `*` stands for one segment
 *     api.github.com: GET /repos/**           `**` stands for any number of segments
 *
 * The broker calls `isCovered` for the rules that allow: it compares paths exactly. It calls `isDenied` for the rules
 * that deny: this compares leniently, so that a program cannot reach a denied path by another spelling.
 */
import { foldSegment, isAmbiguous, splitIntoNames, type PathName, splitIntoSegments } from "./path-forms.ts";

export interface PathRule {
  /** Host and port, in lower case; absent for all hosts of the key. */
  readonly host?: string;
  /** In upper case; `*` for any method. */
  readonly method: string;
  /** `*` stands for one segment. `**` is only the last one, and stands for the rest of the path, which may be empty. */
  readonly segments: readonly string[];
  /** The segments in the spelling that `isDenied` compares. */
  readonly names: readonly string[];
  /** The rule as it was written. */
  readonly text: string;
}

/** Matches host, method and path of a rule: `HOST: METHOD /PATH`. The host and its colon may be absent. */
const RULE = /^(?:([A-Za-z\d.-]+(?::\d{1,5})?): )?(\*|[A-Za-z][A-Za-z\d-]{0,31}) (\/[\w.~!$&'()*+,;=:@%/-]*)$/;

/** Parses a rule. @returns undefined for any other text */
export function parseRule(text: string): PathRule | undefined {
  const [, host, method, path] = RULE.exec(text) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const segments = splitIntoSegments(path);
  const isWildcard = (segment: string, index: number): boolean =>
    segment === "*" || (segment === "**" && index === segments.length - 1);
  const isValid = segments.every((segment, index) => !segment.includes("*") || isWildcard(segment, index));
  if (!isValid || isAmbiguous(path)) return undefined;
  const hostPart = host === undefined ? {} : { host: host.toLowerCase() };
  return createRule({ ...hostPart, method: method.toUpperCase(), segments, text });
}

/** Creates a rule from its other fields. The names lack parameters, such as `;x`. */
export function createRule(parts: Omit<PathRule, "names">): PathRule {
  return { ...parts, names: parts.segments.map((segment) => foldSegment(segment).replace(/;.*$/s, "").trim()) };
}

/** Parses rules. Texts that are no rules are left out, because the check of a contract has refused them. */
export function parseRules(texts: readonly string[]): readonly PathRule[] {
  return texts.flatMap((text) => parseRule(text) ?? []);
}

/** The part of a request that a rule is about. */
interface RuleTarget {
  /** Host and port, in lower case. */
  readonly host: string;
  readonly method: string;
  /** A path that is not ambiguous (path-forms.ts). */
  readonly path: string;
}

/** Returns true if one of the rules matches the request exactly. */
export function isCovered(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const segments = splitIntoSegments(path);
  const isEqual = (ruleSegment: string, segment: string): boolean => ruleSegment === segment;
  return rules.some((rule) => appliesTo(rule, host, method) && matchesPath(rule.segments, segments, isEqual));
}

/**
 * Returns true if one of the rules matches the request as any server may read it. The comparison ignores case, escapes,
 * differences of similar letters, and what follows a name (`/keys;x`, `/keys.json`, `/keys%3fx`). A slash in another
 * form, such as `%2F`, is tried both as a slash and as a part of a name.
 */
export function isDenied(rules: readonly PathRule[], { host, method, path }: RuleTarget): boolean {
  const candidates = rules.filter((rule) => appliesTo(rule, host, method));
  // Fast path: most paths have no escape.
  if (!path.includes("%")) {
    const segments = splitIntoSegments(path.toLowerCase());
    return candidates.some(({ names }) => matchesPath(names, segments, isName));
  }
  const names = splitIntoNames(path);
  // For some servers, the path ends at an escaped `?` or `#`.
  const queryIndex = names.findIndex(({ text }) => text.includes("?") || text.includes("#"));
  const possiblePaths = queryIndex === -1 ? [names] : [names, names.slice(0, queryIndex + 1)];
  return possiblePaths.some((pathNames) => {
    if (pathNames.some(({ isJoined }) => isJoined)) {
      return candidates.some((rule) => matchesJoinedPath(rule.names, pathNames));
    }
    const texts = pathNames.map(({ text }) => text);
    return candidates.some((rule) => matchesPath(rule.names, texts, isName));
  });
}

/** Returns true if a rule is about requests to this host with this method. */
function appliesTo(rule: PathRule, host: string, method: string): boolean {
  if (rule.host !== undefined && rule.host !== host) return false;
  return rule.method === "*" || rule.method === method || rule.method === method.toUpperCase();
}

/**
 * Returns true if the segments of a rule match those of a path.
 *
 * @param isSame compares a segment of the rule that is no wildcard with a segment of the path
 */
function matchesPath(
  ruleSegments: readonly string[],
  segments: readonly string[],
  isSame: (ruleSegment: string, segment: string) => boolean,
): boolean {
  const hasOpenEnd = ruleSegments.at(-1) === "**";
  const fixedLength = hasOpenEnd ? ruleSegments.length - 1 : ruleSegments.length;
  if (hasOpenEnd ? segments.length < fixedLength : segments.length !== fixedLength) return false;
  for (let index = 0; index < fixedLength; index++) {
    const ruleSegment = ruleSegments[index] ?? "";
    if (ruleSegment !== "*" && !isSame(ruleSegment, segments[index] ?? "")) return false;
  }
  return true;
}

/**
 * Returns true if a rule matches a path in which each slash in another form (`isJoined`) may be a slash or a part of a
 * name. So `*` stands for one name and any number of names that are joined to it: `/repos/*` matches `/repos/a%2Fb`.
 *
 * This is dynamic programming: for the first segments of the rule, one more in each round, `matchesCount` says which
 * numbers of the first names they match.
 */
function matchesJoinedPath(ruleNames: readonly string[], names: readonly PathName[]): boolean {
  const hasOpenEnd = ruleNames.at(-1) === "**";
  // Fast path: most rules are for other paths.
  const [firstRuleName = "**"] = ruleNames;
  if (!firstRuleName.startsWith("*") && !isName(firstRuleName, names[0]?.text ?? "")) return false;
  // Before the first round: the rule's first 0 segments match the first 0 names.
  let matchesCount: readonly boolean[] = [true];
  for (const ruleName of hasOpenEnd ? ruleNames.slice(0, -1) : ruleNames) {
    const isWildcard = ruleName === "*";
    const nextMatchesCount: boolean[] = [false];
    for (const [index, { text, isJoined }] of names.entries()) {
      const beginsSegment = matchesCount[index] === true && (isWildcard || isName(ruleName, text));
      const continuesSegment = isWildcard && isJoined && nextMatchesCount[index] === true;
      nextMatchesCount.push(beginsSegment || continuesSegment);
    }
    if (!nextMatchesCount.includes(true)) return false;
    matchesCount = nextMatchesCount;
  }
  return hasOpenEnd || matchesCount[names.length] === true;
}

/** Matches a character of a name. At any other character, some servers begin an extension, a parameter or a query. */
const NAME_CHARACTER = /[\p{L}\p{N}_:@~-]/u;

/**
 * Returns true if a text is the name, or begins with the name and continues with something that some servers cut off.
 */
function isName(name: string, text: string): boolean {
  const trimmed = text.trimStart();
  return (
    trimmed.startsWith(name) && (trimmed.length === name.length || !NAME_CHARACTER.test(trimmed.charAt(name.length)))
  );
}
