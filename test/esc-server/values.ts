/**
 * Values of environments: how a test writes them (`secret("x")`), and the nodes with positions that the evaluator makes
 * of them.
 */
import { type Json, RawJson } from "./json.ts";

/** A place in a definition: line and column from 1, byte from 0, as the service counts them. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly byte: number;
}

/** A stretch of the definition of `environment` (`project/name`). */
export interface Range {
  readonly environment: string;
  readonly begin: Position;
  readonly end: Position;
}

interface NodeBase {
  readonly secret: boolean;
  /** The location of the expression. */
  readonly range?: Range;
  /** The path of the expression in its definition, such as `values.environmentVariables.NAME`. */
  readonly path?: string;
  /** The function of a provider that gave it, such as `fn::open::aws-login`. */
  readonly call?: string;
  /** The value of an import that this one replaced. */
  readonly base?: ValueNode;
}

/** One evaluated value. */
export type ValueNode = NodeBase &
  (
    | { readonly kind: "string"; readonly text: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "number"; readonly text: string }
    | { readonly kind: "null" }
    /** `of`: what it will be once it is known. Its type alone is told. `isText`: a text with an unknown part. */
    | { readonly kind: "unknown"; readonly of?: ValueNode; readonly isText?: true }
    | { readonly kind: "list"; readonly items: readonly ValueNode[] }
    | { readonly kind: "object"; readonly properties: ReadonlyMap<string, ValueNode> }
    /** Sent as it is: for answers that no real evaluation gives. */
    | { readonly kind: "wire"; readonly json: Json }
  );

export type ObjectNode = Extract<ValueNode, { kind: "object" }>;

/** A value marked by {@link secret}, {@link unknown}, {@link num} or {@link wire}. */
export class Marked {
  readonly node: ValueNode;
  constructor(node: ValueNode) {
    this.node = node;
  }
}

/** A value as tests write it down: plain JavaScript, and marks where JavaScript has no word for it. */
export type ValueSpec =
  | null
  | boolean
  | number
  | bigint
  | string
  | Marked
  | readonly ValueSpec[]
  | { readonly [key: string]: ValueSpec };

/** A secret; every value inside a list or an object becomes one too, as the service does it. */
export function secret(value: ValueSpec): Marked {
  return new Marked(makeSecret(toNode(value)));
}

/** A value that the service could not work out. */
export function unknown(): Marked {
  return new Marked({ kind: "unknown", secret: false });
}

/** A number by its JSON text, such as `1.0` or `123456789012345678901234567890`. */
export function num(text: string): Marked {
  return new Marked({ kind: "number", text: numberText(text), secret: false });
}

/** A value node by its wire form, such as `{ value: "x" }` without a trace, or `{ value: 1, secret: "yes" }`. */
export function wire(json: Json): Marked {
  return new Marked({ kind: "wire", json, secret: false });
}

export function makeSecret(node: ValueNode): ValueNode {
  switch (node.kind) {
    case "list":
      return { ...node, secret: true, items: node.items.map(makeSecret) };
    case "object":
      return { ...node, secret: true, properties: mapValues(node.properties, makeSecret) };
    case "string":
    case "boolean":
    case "number":
    case "null":
    case "unknown":
    case "wire":
      return { ...node, secret: true };
  }
}

export function toNode(spec: ValueSpec): ValueNode {
  if (spec instanceof Marked) return spec.node;
  if (spec === null) return { kind: "null", secret: false };
  if (typeof spec === "string") return { kind: "string", text: spec, secret: false };
  if (typeof spec === "boolean") return { kind: "boolean", value: spec, secret: false };
  if (typeof spec === "number" || typeof spec === "bigint") {
    return { kind: "number", text: numberText(String(spec)), secret: false };
  }
  if (isList(spec)) return { kind: "list", items: spec.map(toNode), secret: false };
  return objectNode(spec);
}

export function objectNode(spec: { readonly [key: string]: ValueSpec }): ObjectNode {
  const properties = new Map(Object.entries(spec).map(([key, value]) => [key, toNode(value)]));
  return { kind: "object", properties, secret: false };
}

export function mapValues<T, U>(map: ReadonlyMap<string, T>, change: (value: T) => U): Map<string, U> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

/** The value with other names for the environments in which its parts stand. */
export function relabel(node: ValueNode, change: (environment: string) => string): ValueNode {
  const again = (one: ValueNode): ValueNode => relabel(one, change);
  const marks = {
    ...(node.range === undefined ? {} : { range: { ...node.range, environment: change(node.range.environment) } }),
    ...(node.base === undefined ? {} : { base: again(node.base) }),
  };
  if (node.kind === "object") return { ...node, ...marks, properties: mapValues(node.properties, again) };
  if (node.kind === "list") return { ...node, ...marks, items: node.items.map(again) };
  return { ...node, ...marks };
}

function isList(spec: object): spec is readonly ValueSpec[] {
  return Array.isArray(spec);
}

function numberText(text: string): string {
  if (!/^-?\d/.test(text)) throw new TypeError(`not a number in JSON: ${text}`);
  return new RawJson(text).text;
}
