/** The parts of a definition that make a value. Pure. */
import { isMap, isScalar, isSeq } from "yaml";
import { childOf, flowText, isLinked, isNull, keyOf, type Node, type Parsed } from "./nodes.ts";

export type Path = readonly string[];

/** A reference to a value that this definition does not have. */
interface Reference {
  /** As the definition writes it: `project/name`; absent for a value of the same environment, from an import. */
  readonly environment?: string;
  readonly path: Path;
}

export interface ValueSource {
  readonly text: string;
  readonly outside: readonly Reference[];
  readonly isMinted: boolean;
}

const LONGEST_CHAIN = 20;

/** Follows a value below `values` and its references. @returns undefined if this definition does not have it */
export function follow({ top }: Parsed, path: Path): ValueSource | undefined {
  const values = childOf(top, "values");
  const start = locate(values, path)?.node;
  if (start === undefined) return undefined;
  const texts: string[] = [];
  const outside: Reference[] = [];
  const seen = new Set<string>();
  let isMinted = false;
  const add = (node: Node | null, depth: number): void => {
    texts.push(flowText(node));
    const { references, minted } = partsOf(node);
    isMinted ||= minted;
    for (const reference of references) {
      const id = JSON.stringify(reference);
      if (seen.has(id) || depth === LONGEST_CHAIN) continue;
      seen.add(id);
      const inside = reference.environment === undefined ? locate(values, reference.path)?.node : undefined;
      if (inside === undefined) outside.push(reference);
      else add(inside, depth + 1);
    }
  };
  add(start, 0);
  return { text: texts.join("\n"), outside, isMinted };
}

/** Finds the `fn::rotate` that makes a value, also by references. @returns its path; undefined for none or several */
export function rotatedBy({ top }: Parsed, path: Path): string | undefined {
  const values = childOf(top, "values");
  const rotated = new Set<string>();
  const seen = new Set<string>();
  const visit = (at: Path): void => {
    const { node, path: own } = locate(values, at) ?? {};
    if (node === undefined || own === undefined || seen.has(own)) return;
    seen.add(own);
    if (functionOf(node)?.startsWith("fn::rotate") === true) rotated.add(own);
    else
      for (const reference of partsOf(node).references) if (reference.environment === undefined) visit(reference.path);
  };
  visit(path);
  const [only, ...others] = rotated;
  return others.length === 0 ? only : undefined;
}

/** An import as the definition writes it. With `merge: false` its values are only referred to. */
interface Import {
  readonly written: string;
  readonly isMerged: boolean;
}

/** Returns the imports of a definition in its order; undefined if they are not a plain list. */
export function importsOf({ top }: Parsed): readonly Import[] | undefined {
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

/** Finds the node at a path, or the function or reference above that makes it; with its path as ESC writes it. */
function locate(
  values: Node | null | undefined,
  path: Path,
): { readonly node: Node | null; readonly path: string } | undefined {
  let node = values;
  let text = "";
  for (const step of path) {
    if (isScalar(node) || functionOf(node) !== undefined) break;
    const list = isSeq<Node>(node) ? node : undefined;
    node = list === undefined ? childOf(node, step) : list.items[Number(step)];
    if (node === undefined) return undefined;
    text += list !== undefined ? `[${step}]` : /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return node === undefined ? undefined : { node, path: text.replace(/^\./, "") };
}

function functionOf(node: Node | null | undefined): string | undefined {
  const [only, ...others] = isMap<Node, Node | null>(node) ? node.items : [];
  if (only === undefined || others.length > 0) return undefined;
  const key = keyOf(only);
  return key.startsWith("fn::") ? key : undefined;
}

function partsOf(node: Node | null): { readonly references: readonly Reference[]; readonly minted: boolean } {
  const references: Reference[] = [];
  let minted = false;
  const visit = (part: Node | null): void => {
    const call = functionOf(part);
    if (call === "fn::secret") return;
    minted ||= call?.startsWith("fn::open") === true;
    if (isMap<Node, Node | null>(part)) for (const { value } of part.items) visit(value);
    else if (isSeq<Node>(part)) part.items.forEach(visit);
    else if (isScalar(part) && typeof part.value === "string") references.push(...referencesIn(part.value));
  };
  visit(node);
  return { references, minted };
}

function referencesIn(text: string): readonly Reference[] {
  return Array.from(text.matchAll(/\$\$|\$\{([^}]*)\}/g), ([, path]) => path ?? "")
    .filter((path) => path !== "")
    .map(referenceTo);
}

function referenceTo(text: string): Reference {
  const [first = "", ...rest] = stepsOf(text);
  const [second = "", third = "", ...others] = rest;
  if (first === "imports") return { environment: second, path: rest.slice(1) };
  if (first === "environments") return { environment: `${second}/${third}`, path: others };
  return { path: [first, ...rest] };
}

function stepsOf(path: string): Path {
  return Array.from(
    path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]"]+)/g),
    ([, index, key, name]) => index ?? key?.replaceAll(/\\(.)/g, "$1") ?? name ?? "",
  );
}
