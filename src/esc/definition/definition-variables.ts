/** The variables in the text of a definition: their names, their kinds, and the changes that a command makes. */
import { isMap, isScalar } from "yaml";
import { childOf, type EntryPair, flowText, isLinked, keyOf, type Mapping, type Node } from "./nodes.ts";
import { parseDefinition, type ParsedDefinition } from "./nodes.ts";

/** The path of the variables in a definition. */
export const VARIABLES_PATH = ["values", "environmentVariables"] as const;

/** A variable that a command sets. */
export type VariableChange =
  | { readonly kind: "value"; readonly name: string; readonly value: string; readonly secret: boolean }
  /** `text` is what `findVariable` returned for another revision of the same environment. */
  | { readonly kind: "node"; readonly name: string; readonly text: string };

/** A variable as a definition defines it. */
export interface DefinedVariable {
  readonly kind: "secret" | "rotated" | "function" | "reference" | "value";
  /** Its value on one line of YAML, which can be set in another revision of the environment. */
  readonly text: string;
}

interface DefinitionText {
  readonly yaml: string;
}

type Pairs = ReadonlyMap<string, EntryPair>;

/** The variables of each definition that was parsed. Parsing takes milliseconds, and an import asks for hundreds of names. */
const parsedVariables = new WeakMap<DefinitionText, Pairs>();

/** Returns the names of the definition's own variables. @throws SophiaError (esc-edit, 125) if it cannot be parsed */
export function variableNames(definition: DefinitionText): ReadonlySet<string> {
  return new Set(pairsIn(definition).keys());
}

/** Finds a variable. @returns undefined if the definition itself lacks it @throws SophiaError (esc-edit, 125) */
export function findVariable(definition: DefinitionText, name: string): DefinedVariable | undefined {
  const pair = pairsIn(definition).get(name);
  return pair === undefined ? undefined : { kind: kindOf(pair.value), text: flowText(pair.value) };
}

function pairsIn(definition: DefinitionText): Pairs {
  const pairs = parsedVariables.get(definition) ?? pairsOf(parseDefinition(definition.yaml));
  parsedVariables.set(definition, pairs);
  return pairs;
}

/** Returns the entries of the variables by name. */
export function pairsOf({ top }: ParsedDefinition): Pairs {
  const variables = VARIABLES_PATH.reduce<Node | null | undefined>(childOf, top);
  const entries: Mapping["items"] = isMap<Node, Node | null>(variables) ? variables.items : [];
  return new Map(entries.map((pair) => [keyOf(pair), pair]));
}

function kindOf(value: Node | null): DefinedVariable["kind"] {
  if (isLinked(value)) return "reference";
  const first = isMap<Node, Node | null>(value) ? value.items[0] : undefined;
  const key = first === undefined ? "" : keyOf(first);
  if (key === "fn::secret") return "secret";
  if (key.startsWith("fn::")) return key.startsWith("fn::rotate") ? "rotated" : "function";
  // `$$` is an escaped dollar. Another dollar before a brace begins a reference.
  const isReference = isScalar(value) && String(value.value).replaceAll("$$", "").includes("${");
  return isReference ? "reference" : "value";
}
