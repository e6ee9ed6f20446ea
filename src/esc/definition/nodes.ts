import { isAlias, isMap, isScalar, isSeq, visit } from "yaml";
import type { Alias, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { quoted } from "./scalars.ts";

export type Node = Scalar | Mapping | YAMLSeq | Alias;
export type Mapping = YAMLMap<Node, Node | null>;
export type EntryPair = Pair<Node, Node | null>;

/** A key as a string; empty for a key that is no scalar. */
export function keyOf({ key }: EntryPair): string {
  return isScalar(key) ? String(key.value) : "";
}

export function childOf(node: Node | null | undefined, key: string): Node | null | undefined {
  return isMap<Node, Node | null>(node) ? node.items.find((pair) => keyOf(pair) === key)?.value : undefined;
}

export function isNull(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** Returns true for a node with an anchor or an alias in it: other places depend on it. */
export function isLinked(node: Node | null): boolean {
  let found = false;
  visit(node, (_, one) => {
    found ||= isAlias(one) || (isNode(one) && !isAlias(one) && one.anchor !== undefined);
  });
  return found;
}

export function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

/** The end of a node's content, without the comment and the line breaks behind it. */
export function contentEnd(node: Node, yaml: string): number {
  const [start = 0, end = 0] = node.range ?? [];
  if (isScalar(node) || isAlias(node) || node.flow === true) return start + yaml.slice(start, end).trimEnd().length;
  const last: unknown = node.items.at(-1);
  if (isNode(last)) return contentEnd(last, yaml);
  if (!isPair(last)) return start;
  const keyEnd = contentEnd(last.key, yaml);
  if (last.value === null) return keyEnd;
  const valueEnd = contentEnd(last.value, yaml);
  // The range of a value that is not there may be on a later line.
  return last.value.range?.[0] === last.value.range?.[1] ? yaml.indexOf(":", keyEnd) + 1 : valueEnd;
}

function isPair(value: unknown): value is EntryPair {
  return typeof value === "object" && value !== null && "key" in value && "value" in value && !isAlias(value);
}

/** A form in which two nodes can be compared: of scalars their own text, since values lose digits. */
export type Print = string | readonly Print[];

export function printOf(node: unknown): Print {
  if (isAlias(node)) return `* ${node.source}`;
  if (isNode(node) && node.anchor !== undefined) return [`& ${node.anchor}`, contentPrint(node)];
  return contentPrint(node);
}

function contentPrint(node: unknown): Print {
  if (isScalar(node)) {
    const tag = node.tag === undefined ? "" : `${node.tag} `;
    if (typeof node.value === "string") return `${tag}s ${node.value}`;
    return `${tag}p ${node.source ?? String(node.value)}`;
  }
  if (isMap<Node, Node | null>(node)) {
    return ["map", ...node.items.map((pair): Print => [printOf(pair.key), printOf(pair.value)])];
  }
  if (isSeq(node)) return ["list", ...node.items.map(printOf)];
  return "p ";
}

/** The node on one line, as it can stand anywhere. */
export function flowText(node: Node | null): string {
  if (isScalar(node)) {
    // Numbers keep every digit.
    return typeof node.value === "string" ? quoted(node.value) : (node.source ?? "null");
  }
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.map((pair) => `${quoted(keyOf(pair))}: ${flowText(pair.value)}`);
    return `{${entries.join(", ")}}`;
  }
  if (isSeq<Node>(node)) return `[${node.items.map(flowText).join(", ")}]`;
  return "null";
}
