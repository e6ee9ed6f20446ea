import { isMap, isScalar } from "yaml";
import {
  childOf,
  type EntryPair,
  flowText,
  isLinked,
  isNull,
  keyOf,
  type Mapping,
  type Node,
  printOf,
  type Print,
} from "./nodes.ts";
import { parseDefinition, refuse, type Parsed, withoutReferences } from "./nodes.ts";

export type Change =
  | { readonly kind: "value"; readonly name: string; readonly value: string; readonly secret: boolean }
  /** The text that `nodeOf` returned for another revision of the same environment. */
  | { readonly kind: "node"; readonly name: string; readonly text: string };

export const PATH = ["values", "environmentVariables"] as const;

/** Checks that the text has the changes and no others. @throws SophiaError (esc-edit, 125) */
export function verify(before: Parsed, edited: string, changes: readonly Change[]): void {
  const unusual = refuse("its form is unusual, and something else would change, too");
  let after: Parsed;
  try {
    after = parseDefinition(edited);
  } catch {
    throw unusual;
  }
  const names = new Set(changes.map(({ name }) => name));
  const [had, has] = [before, after].map(({ top, comments }) =>
    JSON.stringify([othersIn(top, PATH, names), comments.map(({ text }) => text).join("\n")]),
  );
  const variables = pairsOf(after);
  const isRight = changes.every((change) => {
    const print = JSON.stringify(printOf(variables.get(change.name)?.value));
    return expected(change).some((one) => JSON.stringify(one) === print);
  });
  if (had !== has || !isRight) throw unusual;
}

function expected(change: Change): readonly Print[] {
  if (change.kind === "node") return [printOf(parseDefinition(`{"n": ${change.text}}`).top?.items[0]?.value)];
  const secret = ["map", ["s fn::secret", `s ${change.value}`]];
  return change.secret ? [secret] : [`s ${withoutReferences(change.value)}`, secret];
}

/** Returns the entries except these variables. A mapping above them without other entries is ignored. */
function othersIn(
  map: Mapping | undefined,
  [key, ...path]: readonly string[],
  names: ReadonlySet<string>,
): readonly Print[] {
  return (map?.items ?? []).flatMap((pair): readonly Print[] => {
    const { value } = pair;
    const print = [printOf(pair.key), printOf(value)];
    if (key === undefined) return names.has(keyOf(pair)) ? [] : [print];
    if (keyOf(pair) !== key) return [print];
    if (!isMap<Node, Node | null>(value)) return isNull(value) && !isLinked(value) ? [] : [print];
    const inner = othersIn(value, path, names);
    return inner.length === 0 ? [] : [[key, ...inner]];
  });
}

function variablesOf({ top }: Parsed): Mapping | undefined {
  const found = PATH.reduce<Node | null | undefined>(childOf, top);
  return isMap<Node, Node | null>(found) ? found : undefined;
}

export interface Defined {
  readonly kind: "secret" | "rotated" | "function" | "reference" | "value";
  /** Its value on one line, for another revision of the environment. */
  readonly text: string;
}

interface Text {
  readonly yaml: string;
}

type Pairs = ReadonlyMap<string, EntryPair>;

/** The variables of each definition: parsing takes milliseconds, and an import asks for hundreds of names. */
const parsed = new WeakMap<Text, Pairs>();

/** Returns the names of the definition's own variables. @throws SophiaError (esc-edit, 125) */
export function namesIn(definition: Text): ReadonlySet<string> {
  return new Set(pairsIn(definition).keys());
}

/** Finds a variable. @returns undefined if the definition itself does not have it @throws SophiaError (esc-edit, 125) */
export function nodeOf(definition: Text, name: string): Defined | undefined {
  const pair = pairsIn(definition).get(name);
  if (pair === undefined) return undefined;
  const { value } = pair;
  const first = isMap<Node, Node | null>(value) ? value.items[0] : undefined;
  const key = first === undefined ? "" : keyOf(first);
  return { kind: kindOf(key, value), text: flowText(value) };
}

function pairsIn(definition: Text): Pairs {
  const pairs = parsed.get(definition) ?? pairsOf(parseDefinition(definition.yaml));
  parsed.set(definition, pairs);
  return pairs;
}

function pairsOf(definition: Parsed): Pairs {
  return new Map(variablesOf(definition)?.items.map((pair) => [keyOf(pair), pair]));
}

function kindOf(key: string, value: Node | null): Defined["kind"] {
  if (isLinked(value)) return "reference";
  if (key === "fn::secret") return "secret";
  if (key.startsWith("fn::")) return key.startsWith("fn::rotate") ? "rotated" : "function";
  // `$$` is a dollar; another one before a brace begins a reference.
  const isReference = isScalar(value) && String(value.value).replaceAll("$$", "").includes("${");
  return isReference ? "reference" : "value";
}
