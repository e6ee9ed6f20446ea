import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node as YamlNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { applyBuiltin, type BuiltinContext } from "./builtins.ts";
import { interpolate, parsePath, type PathStep, pathText } from "./interpolation.ts";
import { Places } from "./places.ts";
import type { ObjectNode, Range, ValueNode } from "./values.ts";

/** A finding about a definition, as answers carry it. Without `severity` it is an error. */
export interface Diagnostic {
  readonly summary: string;
  readonly path?: string;
  readonly range?: Range;
  readonly severity?: "error" | "warning";
}

export interface Evaluation {
  readonly root: ObjectNode;
  readonly diagnostics: readonly Diagnostic[];
}

export interface EvaluationContext extends BuiltinContext {
  /** The name of the definition's environment in traces: `project/name`, or an import as it is written. */
  readonly environment: string;
  /** The values of an import, or why it is not available. */
  importEnvironment(reference: string): ObjectNode | { readonly failure: string };
}

const EMPTY: ObjectNode = { kind: "object", properties: new Map(), secret: false };

/**
 * Evaluates a definition the way the service does, as far as configuration needs it: imports merged in order,
 * `${references}`, secrets, provider results, the conversions of builtins.ts. The rest is a diagnostic, never a guess.
 */
export function evaluate(yaml: string, context: EvaluationContext): Evaluation {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines });
  const places = new Places(context.environment, yaml, lines);
  const diagnostics: Diagnostic[] = document.errors.map((error) => ({
    // The parser's message quotes the source after the first line; a definition's source may hold secrets.
    summary: error.message.split(/ at line \d/)[0] ?? "invalid YAML",
    range: places.range(error.pos),
  }));
  if (diagnostics.length > 0) return { root: EMPTY, diagnostics };
  const top = document.contents;
  if (top === null || (isScalar(top) && top.value === null)) return { root: EMPTY, diagnostics };
  if (!isMap(top)) {
    return { root: EMPTY, diagnostics: [{ summary: "the definition must be an object", range: places.of(top) }] };
  }
  const evaluator = new Evaluator(document, places, context, diagnostics);
  return { root: evaluator.environment(top), diagnostics };
}

class Evaluator {
  readonly #document: Document;
  readonly #places: Places;
  readonly #context: EvaluationContext;
  readonly #diagnostics: Diagnostic[];
  readonly #done = new Map<YamlNode, ValueNode>();
  readonly #active = new Set<YamlNode>();
  #values: YAMLMap | undefined;
  #imported: ObjectNode = EMPTY;

  constructor(document: Document, places: Places, context: EvaluationContext, diagnostics: Diagnostic[]) {
    this.#document = document;
    this.#places = places;
    this.#context = context;
    this.#diagnostics = diagnostics;
  }

  environment(top: YAMLMap): ObjectNode {
    for (const { key, value } of pairs(top)) {
      if (key === "imports") this.#imports(value);
      else if (key === "values" && isMap(value)) this.#values = value;
      else if (key === "values" && value !== null) this.#fail("values must be an object", value, "values");
      else if (key !== "values") this.#fail(`unknown key "${key}"`, value ?? top, key);
    }
    if (this.#values === undefined) return this.#imported;
    const root = this.#object(this.#values, this.#imported, []);
    return root.kind === "object" ? root : EMPTY;
  }

  #imports(list: YamlNode | null): void {
    if (!isSeq(list)) {
      if (list !== null) this.#fail("imports must be a list", list, "imports");
      return;
    }
    for (const [index, item] of list.items.entries()) {
      const merged = isMap(item) ? pairs(item)[0] : undefined;
      const name = isScalar(item) ? item.value : merged?.key;
      const node = isScalar(item) || isMap(item) ? item : list;
      if (typeof name !== "string") {
        this.#fail("an import must be a name", node, `imports[${index}]`);
        continue;
      }
      const result = this.#context.importEnvironment(name);
      if ("failure" in result) this.#fail(result.failure, node, `imports[${index}]`);
      else if (!isMap(merged?.value) || merged.value.get("merge") !== false) {
        const both = overlay(this.#imported, result);
        this.#imported = both.kind === "object" ? both : this.#imported;
      }
    }
  }

  #evaluate(node: YamlNode | null, base: ValueNode | undefined, path: readonly PathStep[]): ValueNode {
    if (node === null) return { kind: "null", secret: false };
    const known = this.#done.get(node);
    if (known !== undefined) return known;
    if (this.#active.has(node)) return this.#unknown(`cyclic reference to ${pathText(path)}`, node, path);
    this.#active.add(node);
    const range = this.#places.of(node);
    const plain = this.#expression(node, base, path);
    const ranged: ValueNode = { ...plain, range };
    const value = base === undefined || ranged.kind === "object" ? ranged : { ...ranged, base };
    this.#active.delete(node);
    this.#done.set(node, value);
    return value;
  }

  #expression(node: YamlNode, base: ValueNode | undefined, path: readonly PathStep[]): ValueNode {
    if (isAlias(node)) return this.#evaluate(node.resolve(this.#document) ?? null, base, path);
    if (isMap(node)) {
      const [first, ...others] = pairs(node);
      if (first === undefined || !first.key.startsWith("fn::")) return this.#object(node, base, path);
      if (others.length > 0) return this.#unknown(`${first.key} must stand alone`, node, path);
      const literal = first.key === "fn::secret" && isScalar(first.value) && typeof first.value.value === "string";
      const argument: ValueNode = literal
        ? { kind: "string", text: String(first.value.value), secret: true }
        : this.#evaluate(first.value, undefined, [...path, first.key]);
      const result = applyBuiltin(first.key, argument, this.#context);
      return "failure" in result ? this.#unknown(result.failure, node, path) : result;
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#evaluate(asNode(item), undefined, [...path, index]));
      return { kind: "list", items, secret: false };
    }
    return isScalar(node) ? this.#scalar(node, path) : { kind: "null", secret: false };
  }

  #object(map: YAMLMap, base: ValueNode | undefined, path: readonly PathStep[]): ValueNode {
    const under: ReadonlyMap<string, ValueNode> = base?.kind === "object" ? base.properties : new Map();
    const properties = new Map(under);
    for (const { key, value } of pairs(map)) {
      properties.set(key, this.#evaluate(value, under.get(key), [...path, key]));
    }
    return { kind: "object", properties, secret: false };
  }

  #scalar(node: Scalar, path: readonly PathStep[]): ValueNode {
    const { value, source } = node;
    if (typeof value === "boolean") return { kind: "boolean", value, secret: false };
    if (typeof value === "number" || typeof value === "bigint") {
      const exact = source !== undefined && /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(source);
      return { kind: "number", text: exact ? source : String(value), secret: false };
    }
    if (typeof value !== "string") return { kind: "null", secret: false };
    return interpolate(value, (reference) => {
      const steps = parsePath(reference);
      if (steps === undefined) return this.#unknown(`invalid reference "${reference}"`, node, path);
      return this.#lookUp(steps) ?? this.#unknown(`unknown property "${reference}"`, node, path);
    });
  }

  /** The value at `steps`: down the definition as far as it is written out, then down the evaluated value. */
  #lookUp(steps: readonly PathStep[]): ValueNode | undefined {
    let node: YamlNode | null | undefined = this.#values;
    let base: ValueNode | undefined = this.#imported;
    for (const [depth, step] of steps.entries()) {
      const found: YamlNode | null | undefined = isMap(node)
        ? pairs(node).find((pair) => pair.key === step)?.value
        : undefined;
      base = child(base, step);
      if (found === undefined) return descend(base, steps.slice(depth + 1));
      node = found;
      const builtin = isMap(node) && pairs(node)[0]?.key.startsWith("fn::") === true;
      if (!isMap(node) || builtin) {
        return descend(this.#evaluate(node, base, steps.slice(0, depth + 1)), steps.slice(depth + 1));
      }
    }
    return node === undefined ? undefined : this.#evaluate(node, base, steps);
  }

  #unknown(summary: string, node: YamlNode, path: readonly PathStep[]): ValueNode {
    this.#fail(summary, node, pathText(["values", ...path]));
    return { kind: "unknown", secret: false };
  }

  #fail(summary: string, node: YamlNode, path: string): void {
    this.#diagnostics.push({ summary, path, range: this.#places.of(node) });
  }
}

/** `over` on top of `under`: objects entry by entry, anything else replaces and remembers what it replaced. */
export function overlay(under: ValueNode, over: ValueNode): ValueNode {
  if (under.kind !== "object" || over.kind !== "object") return { ...over, base: under };
  const properties = new Map(under.properties);
  for (const [key, value] of over.properties) {
    const below = properties.get(key);
    properties.set(key, below === undefined ? value : overlay(below, value));
  }
  return { ...over, properties };
}

function descend(value: ValueNode | undefined, steps: readonly PathStep[]): ValueNode | undefined {
  return steps.reduce<ValueNode | undefined>(child, value);
}

function child(value: ValueNode | undefined, step: PathStep): ValueNode | undefined {
  if (value?.kind === "unknown") {
    const of = child(value.of, step);
    return { kind: "unknown", secret: value.secret, ...(of === undefined ? {} : { of }) };
  }
  if (value?.kind === "object") return value.properties.get(String(step));
  return value?.kind === "list" && typeof step === "number" ? value.items[step] : undefined;
}

function pairs(map: YAMLMap): { readonly key: string; readonly value: YamlNode | null }[] {
  return map.items.map((pair) => ({
    key: isScalar(pair.key) ? String(pair.key.value) : "",
    value: asNode(pair.value),
  }));
}

function asNode(item: unknown): YamlNode | null {
  return isScalar(item) || isMap(item) || isSeq(item) || isAlias(item) ? item : null;
}
