/**
 * Finds where a value of an ESC definition comes from: it follows references such as `${DATABASE.url}` within the definition, and
 * lists references to imports (`${imports["acme/base"].KEY}`) and functions (`fn::open`, `fn::rotate`). `audit` and `rotate` use
 * it.
 */
import { isMap, isScalar, isSeq } from "yaml";
import { childOf, flowText, isLinked, isNull, keyOf, type Node, type ParsedDefinition } from "./nodes.ts";

/** The path of a value below `values`, such as `["environmentVariables", "PORT"]`. */
export type ValuePath = readonly string[];

/** A reference to a value that this definition does not have. */
interface Reference {
  /** The environment as the definition writes it, `project/name`; absent for a value that an import merges into this one. */
  readonly environment?: string;
  readonly path: ValuePath;
}

/** The source of a value in one definition. */
export interface ValueSource {
  /**
   * The texts of the value and of all that it refers to. In two revisions with the same text, the definition makes the same value.
   */
  readonly text: string;
  /** The references to values that this definition does not have. */
  readonly outside: readonly Reference[];
  /** True if a provider makes the value, or a part of it, whenever the environment is opened. */
  readonly isMinted: boolean;
}

/** The limit on the length of a chain of references. References at its end are not followed. */
const MAX_CHAIN_LENGTH = 20;

/** Follows a value and its references. @returns undefined if this definition does not have the value */
export function followReferences({ top }: ParsedDefinition, path: ValuePath): ValueSource | undefined {
  const values = childOf(top, "values");
  const valueNode = locate(values, path)?.node;
  if (valueNode === undefined) return undefined;
  const texts: string[] = [];
  const outside: Reference[] = [];
  const seen = new Set<string>();
  let isMinted = false;
  const addParts = (node: Node | null, depth: number): void => {
    texts.push(flowText(node));
    const { references, isMinted: isPartMinted } = partsOf(node);
    isMinted ||= isPartMinted;
    for (const reference of references) {
      const id = JSON.stringify(reference);
      if (seen.has(id) || depth === MAX_CHAIN_LENGTH) continue;
      seen.add(id);
      const inside = reference.environment === undefined ? locate(values, reference.path)?.node : undefined;
      if (inside === undefined) outside.push(reference);
      else addParts(inside, depth + 1);
    }
  };
  addParts(valueNode, 0);
  return { text: texts.join("\n"), outside, isMinted };
}

/**
 * Finds the `fn::rotate` that makes a value, directly or by references.
 * @returns its path as ESC writes it; undefined if there is none, or more than one
 */
export function findRotation({ top }: ParsedDefinition, path: ValuePath): string | undefined {
  const values = childOf(top, "values");
  const rotations = new Set<string>();
  const seen = new Set<string>();
  const visit = (visited: ValuePath): void => {
    const { node, path: nodePath } = locate(values, visited) ?? {};
    if (node === undefined || nodePath === undefined || seen.has(nodePath)) return;
    seen.add(nodePath);
    if (functionOf(node)?.startsWith("fn::rotate") === true) {
      rotations.add(nodePath);
      return;
    }
    for (const reference of partsOf(node).references) if (reference.environment === undefined) visit(reference.path);
  };
  visit(path);
  const [only, ...others] = rotations;
  return others.length === 0 ? only : undefined;
}

/** An import as the definition writes it. With `merge: false` its values are not merged, and can only be referred to. */
interface Import {
  readonly written: string;
  readonly isMerged: boolean;
}

/** Returns the imports of a definition in their order; undefined if they are not a plain list. */
export function importsOf({ top }: ParsedDefinition): readonly Import[] | undefined {
  const list = childOf(top, "imports") ?? null;
  if (isNull(list)) return [];
  if (!isSeq<Node>(list) || isLinked(list)) return undefined;
  return list.items.flatMap((item): readonly Import[] => {
    if (isScalar(item)) return typeof item.value === "string" ? [{ written: item.value, isMerged: true }] : [];
    const entries = isMap<Node, Node | null>(item) ? item.items : [];
    return entries.map((pair) => {
      const merge = childOf(pair.value, "merge");
      return { written: keyOf(pair), isMerged: !(isScalar(merge) && merge.value === false) };
    });
  });
}

/**
 * Finds the node at a path. If a node above it is a function or a scalar, such as a reference, that node makes the value, and is
 * returned.
 * @returns the node, and its path as ESC writes it, such as `aws.keys[0]["a b"]`
 */
function locate(
  values: Node | null | undefined,
  path: ValuePath,
): { readonly node: Node | null; readonly path: string } | undefined {
  let node = values;
  let text = "";
  for (const step of path) {
    if (isScalar(node) || functionOf(node) !== undefined) break;
    const list = isSeq<Node>(node) ? node : undefined;
    node = list === undefined ? childOf(node, step) : list.items[Number(step)];
    if (node === undefined) return undefined;
    const isName = /^[A-Za-z_]\w*$/.test(step);
    const member = isName ? `.${step}` : `[${JSON.stringify(step)}]`;
    text += list === undefined ? member : `[${step}]`;
  }
  return node === undefined ? undefined : { node, path: text.replace(/^\./, "") };
}

/** Returns the name of the function that a node calls, such as `fn::secret`. */
function functionOf(node: Node | null | undefined): string | undefined {
  const [only, ...others] = isMap<Node, Node | null>(node) ? node.items : [];
  if (only === undefined || others.length > 0) return undefined;
  const key = keyOf(only);
  return key.startsWith("fn::") ? key : undefined;
}

/** Finds all references in a node, and whether a provider makes a part of it. Secrets are literals, without references. */
function partsOf(node: Node | null): { readonly references: readonly Reference[]; readonly isMinted: boolean } {
  const references: Reference[] = [];
  let isMinted = false;
  const visit = (part: Node | null): void => {
    const functionName = functionOf(part);
    if (functionName === "fn::secret") return;
    isMinted ||= functionName?.startsWith("fn::open") === true;
    if (isMap<Node, Node | null>(part)) for (const { value } of part.items) visit(value);
    else if (isSeq<Node>(part)) part.items.forEach(visit);
    else if (isScalar(part) && typeof part.value === "string") references.push(...referencesIn(part.value));
  };
  visit(node);
  return { references, isMinted };
}

/** Finds `${path}` in a text. `$$` is an escaped dollar. */
function referencesIn(text: string): readonly Reference[] {
  return Array.from(text.matchAll(/\$\$|\$\{([^}]*)\}/g), ([, path]) => path ?? "")
    .filter((path) => path !== "")
    .map(referenceTo);
}

function referenceTo(text: string): Reference {
  const [first = "", ...rest] = stepsOf(text);
  const [second = "", third = "", ...others] = rest;
  // `${imports["acme/base"].KEY}`, `${environments.acme.base.KEY}`, `${aws.keys}`
  if (first === "imports") return { environment: second, path: rest.slice(1) };
  if (first === "environments") return { environment: `${second}/${third}`, path: others };
  return { path: [first, ...rest] };
}

/** Splits `aws.keys[0]["a b"]` into its steps: `aws`, `keys`, `0`, `a b`. */
function stepsOf(path: string): ValuePath {
  return Array.from(
    path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]"]+)/g),
    ([, index, key, name]) => index ?? key?.replaceAll(/\\(.)/g, "$1") ?? name ?? "",
  );
}
