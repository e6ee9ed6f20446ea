/** The variables of a definition, and changes of them. Pure. */
import { isMap, isScalar } from "yaml";
import { childOf, type EntryPair, flowText, isLinked, keyOf, type Mapping, type Node } from "./nodes.ts";
import { parseDefinition, type Parsed } from "./nodes.ts";

/** The place of the variables in a definition. */
export const PATH = ["values", "environmentVariables"] as const;

export type Change =
  | { readonly kind: "value"; readonly name: string; readonly value: string; readonly secret: boolean }
  /** The text that `nodeOf` returned for another revision of the same environment. */
  | { readonly kind: "node"; readonly name: string; readonly text: string };

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
  return pair === undefined ? undefined : { kind: kindOf(pair.value), text: flowText(pair.value) };
}

function pairsIn(definition: Text): Pairs {
  const pairs = parsed.get(definition) ?? pairsOf(parseDefinition(definition.yaml));
  parsed.set(definition, pairs);
  return pairs;
}

/** Returns the entries of the variables by their names. */
export function pairsOf({ top }: Parsed): Pairs {
  const variables = PATH.reduce<Node | null | undefined>(childOf, top);
  const entries: Mapping["items"] = isMap<Node, Node | null>(variables) ? variables.items : [];
  return new Map(entries.map((pair) => [keyOf(pair), pair]));
}

function kindOf(value: Node | null): Defined["kind"] {
  if (isLinked(value)) return "reference";
  const first = isMap<Node, Node | null>(value) ? value.items[0] : undefined;
  const key = first === undefined ? "" : keyOf(first);
  if (key === "fn::secret") return "secret";
  if (key.startsWith("fn::")) return key.startsWith("fn::rotate") ? "rotated" : "function";
  // `$$` is a dollar; another one before a brace begins a reference.
  const isReference = isScalar(value) && String(value.value).replaceAll("$$", "").includes("${");
  return isReference ? "reference" : "value";
}
