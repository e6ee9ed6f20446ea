import { isMap, isScalar } from "yaml";
import type { Change } from "./change.ts";
import { flowText, isLinked, keyOf, type Mapping, type Node, printOf, type Print } from "./nodes.ts";
import { parseDefinition, refuse, type Parsed } from "./parse.ts";
import { withoutReferences } from "./scalars.ts";

const PATH = ["values", "environmentVariables"] as const;

/**
 * Makes sure that the changes are there, and that nothing else is different: no other value, no order, no comment.
 *
 * @throws SophiaError (esc-edit, 125)
 */
export function verify(before: Parsed, edited: string, changes: readonly Change[]): void {
  const unusual = refuse("its form is unusual, and something else would change, too");
  let after: Parsed;
  try {
    after = parseDefinition(edited);
  } catch {
    throw unusual;
  }
  const names = new Set(changes.map(({ name }) => name));
  const others = [before, after].map((parsed) => JSON.stringify(withoutNames(parsed.top, names)));
  const comments = [before, after].map((parsed) => parsed.comments.map(({ text }) => text).join("\n"));
  const variables = variablesOf(after);
  const isRight = changes.every((change) => {
    const print = JSON.stringify(printOf(variables?.items.find((pair) => keyOf(pair) === change.name)?.value));
    return expected(change).some((one) => JSON.stringify(one) === print);
  });
  if (others[0] !== others[1] || comments[0] !== comments[1] || !isRight) throw unusual;
}

function expected(change: Change): readonly Print[] {
  if (change.kind === "node") return [printOf(parseDefinition(`{"n": ${change.text}}`).top?.items[0]?.value)];
  const secret = ["map", ["s fn::secret", `s ${change.value}`]];
  return change.secret ? [secret] : [`s ${withoutReferences(change.value)}`, secret];
}

/** All but these variables. Mappings that were added for them, or that were empty, count as absent. */
function withoutNames(top: Mapping | undefined, names: ReadonlySet<string>): Print {
  const all = (top?.items ?? []).map((pair): Print => {
    if (keyOf(pair) !== PATH[0] || !isMap<Node, Node | null>(pair.value))
      return [printOf(pair.key), printOf(pair.value)];
    return [
      PATH[0],
      ...pair.value.items.map((inner): Print => {
        if (keyOf(inner) !== PATH[1] || !isMap<Node, Node | null>(inner.value)) {
          return [printOf(inner.key), printOf(inner.value)];
        }
        const kept = inner.value.items.filter((one) => !names.has(keyOf(one)));
        return [PATH[1], ...kept.map((one): Print => [printOf(one.key), printOf(one.value)])];
      }),
    ];
  });
  return simplified(all);
}

/** Without `environmentVariables` and `values` that have nothing in them. */
function simplified(entries: readonly Print[]): Print {
  const isEmpty = (entry: Print, key: string): boolean =>
    Array.isArray(entry) &&
    (entry[0] === key || entry[0] === `s ${key}`) &&
    (entry.length === 1 || entry[1] === "p " || entry[1] === "p null" || entry[1] === "p ~");
  return entries
    .map((entry) =>
      Array.isArray(entry) && entry[0] === PATH[0] ? entry.filter((one) => !isEmpty(one, PATH[1])) : entry,
    )
    .filter((entry) => !isEmpty(entry, PATH[0]));
}

export function variablesOf({ top }: Parsed): Mapping | undefined {
  let map = top;
  for (const key of PATH) {
    const value = map?.items.find((pair) => keyOf(pair) === key)?.value;
    map = isMap<Node, Node | null>(value) ? value : undefined;
  }
  return map;
}

/** What a definition has under a name: the text of it, and how it is given. */
export interface Defined {
  readonly kind: "secret" | "rotated" | "function" | "reference" | "value";
  /** It on one line, for another revision of the same environment. */
  readonly text: string;
}

/** Of the variables that the definition itself has. @throws SophiaError (esc-edit, 125) */
export function namesIn(yaml: string): ReadonlySet<string> {
  return new Set(variablesOf(parseDefinition(yaml))?.items.map(keyOf));
}

/** @returns undefined where the definition itself does not have the variable @throws SophiaError (esc-edit, 125) */
export function nodeOf(yaml: string, name: string): Defined | undefined {
  const pair = variablesOf(parseDefinition(yaml))?.items.find((one) => keyOf(one) === name);
  if (pair === undefined) return undefined;
  const { value } = pair;
  const first = isMap<Node, Node | null>(value) ? value.items[0] : undefined;
  const key = first === undefined ? "" : keyOf(first);
  return { kind: kindOf(key, value), text: flowText(value) };
}

function kindOf(key: string, value: Node | null): Defined["kind"] {
  if (isLinked(value)) return "reference";
  if (key === "fn::secret") return "secret";
  if (key.startsWith("fn::")) return key.startsWith("fn::rotate") ? "rotated" : "function";
  // `$$` stands for a dollar; what then is left in front of a brace begins a reference.
  const isReference = isScalar(value) && String(value.value).replaceAll("$$", "").includes("${");
  return isReference ? "reference" : "value";
}
