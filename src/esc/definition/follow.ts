/** The parts of a definition that make a value; pure. */
import { isMap, isScalar, isSeq } from "yaml";
import { childOf, flowText, keyOf, type Node } from "./nodes.ts";
import type { Parsed } from "./parse.ts";

export type Path = readonly string[];

/** A value of another environment, or of one that is imported. */
interface Outside {
  /** As the definition writes it: `project/name`; absent for a value of the same environment that an import gives. */
  readonly environment?: string;
  readonly path: Path;
}

export interface Made {
  readonly text: string;
  readonly outside: readonly Outside[];
  /** A provider makes the value on every open (`fn::open`). */
  readonly isMinted: boolean;
}

const LONGEST_CHAIN = 20;

/** Follows a value below `values` and its references. @returns undefined if this definition does not have it */
export function follow({ top }: Parsed, path: Path): Made | undefined {
  const values = childOf(top, "values");
  const start = placeOf(values, path)?.node;
  if (start === undefined) return undefined;
  const texts: string[] = [];
  const outside: Outside[] = [];
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
      const inside = reference.environment === undefined ? placeOf(values, reference.path)?.node : undefined;
      if (inside === undefined) outside.push(reference);
      else add(inside, depth + 1);
    }
  };
  add(start, 0);
  return { text: texts.join("\n"), outside, isMinted };
}

/**
 * Finds the one call of `fn::rotate` that a value below `values` is, or refers to by `${…}`, perhaps through others.
 *
 * @returns its property path, or undefined where there is none in this definition, or several
 */
export function rotatedBy({ top }: Parsed, path: Path): string | undefined {
  const values = childOf(top, "values");
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (at: Path): void => {
    const place = placeOf(values, at);
    if (place === undefined || seen.has(place.path)) return;
    seen.add(place.path);
    if (functionOf(place.node)?.startsWith("fn::rotate") === true) found.add(place.path);
    else {
      for (const one of partsOf(place.node).references) if (one.environment === undefined) visit(one.path);
    }
  };
  visit(path);
  const [only, ...others] = found;
  return others.length === 0 ? only : undefined;
}

/** The environments that a definition imports, in its order, as it writes them. */
export function importsOf({ top }: Parsed): readonly string[] {
  const list = childOf(top, "imports");
  if (!isSeq<Node>(list)) return [];
  return list.items.flatMap((item) => {
    if (isScalar(item)) return typeof item.value === "string" ? [item.value] : [];
    return isMap<Node, Node | null>(item) ? item.items.map(keyOf) : [];
  });
}

/** The node at a path, or the function or reference above it that gives it; with its own path as ESC writes it. */
function placeOf(
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

/** The name of a built-in function, where the node is a call of one. */
function functionOf(node: Node | null | undefined): string | undefined {
  const [only, ...others] = isMap<Node, Node | null>(node) ? node.items : [];
  if (only === undefined || others.length > 0) return undefined;
  const key = keyOf(only);
  return key.startsWith("fn::") ? key : undefined;
}

function partsOf(node: Node | null): { readonly references: readonly Outside[]; readonly minted: boolean } {
  const references: Outside[] = [];
  let minted = false;
  const visit = (one: Node | null): void => {
    const call = functionOf(one);
    // Its argument is a literal.
    if (call === "fn::secret") return;
    minted ||= call?.startsWith("fn::open") === true;
    if (isMap<Node, Node | null>(one)) for (const { value } of one.items) visit(value);
    else if (isSeq<Node>(one)) one.items.forEach(visit);
    else if (isScalar(one) && typeof one.value === "string") references.push(...referencesIn(one.value));
  };
  visit(node);
  return { references, minted };
}

function referencesIn(text: string): readonly Outside[] {
  // `$$` stands for a dollar.
  return Array.from(text.matchAll(/\$\$|\$\{([^}]*)\}/g), ([, path]) => path ?? "")
    .filter((path) => path !== "")
    .map(outsideOf);
}

function outsideOf(text: string): Outside {
  const [first = "", ...rest] = stepsOf(text);
  const [second = "", third = "", ...others] = rest;
  if (first === "imports") return { environment: second, path: rest.slice(1) };
  if (first === "environments") return { environment: `${second}/${third}`, path: others };
  return { path: [first, ...rest] };
}

/** `a.b[0]["c d"]` as its steps. */
function stepsOf(path: string): Path {
  return Array.from(
    path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]"]+)/g),
    ([, index, key, name]) => index ?? key?.replaceAll(/\\(.)/g, "$1") ?? name ?? "",
  );
}
