/**
 * Evaluates definitions as ESC does: imports, interpolations, functions, and the merging of objects.
 * evaluator.esc.test.ts compares it with answers of the evaluator that Pulumi publishes.
 */
import {
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
import { applyBuiltin, type BuiltinContext, containsSecret, isFunction, plainJson } from "./builtins.ts";
import { interpolate, isUnterminated, parsePath, type PathStep, pathText } from "./interpolation.ts";
import { writeJson } from "./json.ts";
import { Places } from "./places.ts";
import { type Schema, validate } from "./validate.ts";
import { mapValues, type ObjectNode, type Range, type ValueNode } from "./values.ts";

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

const FIELDS = "Existing fields are: 'values', 'imports', 'description'";
const EMPTY: ObjectNode = { kind: "object", properties: new Map(), secret: false };

/**
 * Evaluates a definition the way the service does, as far as configuration needs it: imports merged in order,
 * `${references}`, secrets, provider results, the conversions of builtins.ts. The rest is a diagnostic, never a guess.
 */
export function evaluate(yaml: string, context: EvaluationContext): Evaluation {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, uniqueKeys: false });
  const places = new Places(context.environment, yaml, lines);
  const diagnostics: Diagnostic[] = document.errors.map((error) => ({
    // The parser's message quotes the source after the first line; a definition's source may hold secrets.
    summary: `yaml: ${error.message.split(/ at line \d/)[0] ?? "invalid"}`,
  }));
  if (diagnostics.length > 0) return { root: EMPTY, diagnostics };
  const top = document.contents;
  if (top === null || (isScalar(top) && top.value === null)) return { root: EMPTY, diagnostics };
  if (!isMap(top)) {
    return { root: EMPTY, diagnostics: [{ summary: "environment must be an object", range: places.of(top) }] };
  }
  const evaluator = new Evaluator(places, context, diagnostics);
  return { root: evaluator.environment(top), diagnostics };
}

class Evaluator {
  readonly #places: Places;
  readonly #context: EvaluationContext;
  readonly #diagnostics: Diagnostic[];
  readonly #done = new Map<YamlNode, ValueNode>();
  readonly #active = new Set<YamlNode>();
  #values: YAMLMap | undefined;
  #imported: ObjectNode = EMPTY;

  constructor(places: Places, context: EvaluationContext, diagnostics: Diagnostic[]) {
    this.#places = places;
    this.#context = context;
    this.#diagnostics = diagnostics;
  }

  environment(top: YAMLMap): ObjectNode {
    for (const { key, value, keyNode } of listPairs(top)) {
      if (key === "description") continue;
      if (key === "imports") this.#imports(value);
      else if (key === "values" && isMap(value)) this.#values = value;
      else if (key === "values" && value !== null) this.#fail("values must be an object", value, "values");
      else if (key !== "values")
        this.#fail(`Field '${key}' does not exist on Object 'environment'. ${FIELDS}`, keyNode, key);
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
      const merged = isMap(item) ? listPairs(item)[0] : undefined;
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
    const ranged: ValueNode = { ...plain, range, path: pathText(["values", ...path]) };
    const value = base === undefined ? ranged : { ...ranged, base };
    this.#active.delete(node);
    this.#done.set(node, value);
    return value;
  }

  #expression(node: YamlNode, base: ValueNode | undefined, path: readonly PathStep[]): ValueNode {
    if (isAlias(node)) return this.#unknown("alias nodes are not supported", node, path);
    if (isMap(node)) {
      const entries = listPairs(node);
      const call = entries.find(({ key }) => key.startsWith("fn::"));
      if (call === undefined) return this.#object(node, base, path);
      return entries.length === 1 ? this.#call(call, node, path) : this.#unknown(notAlone(call.key), node, path);
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#evaluate(asNode(item), undefined, [...path, index]));
      return { kind: "list", items, secret: false };
    }
    return isScalar(node) ? this.#scalar(node, path) : { kind: "null", secret: false };
  }

  #call({ key, value, keyNode }: Entry, node: YamlNode, path: readonly PathStep[]): ValueNode {
    if (!isFunction(key)) return this.#unknown("'fn::' is a reserved prefix", keyNode, path);
    const literal = key === "fn::secret" && isScalar(value) && typeof value.value === "string";
    const argument: ValueNode = literal
      ? { kind: "string", text: String(value.value), secret: true }
      : this.#evaluate(value, undefined, [...path, key]);
    if (key === "fn::validate") return this.#validated(argument);
    const result = applyBuiltin(key, argument, this.#context);
    if (!("failure" in result)) return moveToRange(result, this.#places.of(node));
    const wrong = result.at === undefined ? undefined : nodeAt(value, result.at);
    return this.#unknown(result.failure, wrong ?? node, path);
  }

  /** The value passes through, whether it is right or not. */
  #validated(argument: ValueNode): ValueNode {
    const parts = argument.kind === "object" ? argument.properties : new Map<string, ValueNode>();
    const value = parts.get("value") ?? { kind: "null", secret: false };
    const schema = parts.get("schema");
    if (schema !== undefined) {
      const plain: Schema = JSON.parse(writeJson(plainJson(schema)));
      this.#diagnostics.push(...validate(value, plain));
    }
    return containsSecret(value) ? { ...value, secret: true } : value;
  }

  #object(map: YAMLMap, base: ValueNode | undefined, path: readonly PathStep[]): ValueNode {
    const under: ReadonlyMap<string, ValueNode> = base?.kind === "object" ? base.properties : new Map();
    const properties = new Map(under);
    const own = new Set<string>();
    for (const { key, value, keyNode } of listPairs(map)) {
      if (own.has(key)) {
        this.#fail(`duplicate key "${key}"`, keyNode, pathText(["values", ...path, key]));
        continue;
      }
      own.add(key);
      properties.set(key, this.#evaluate(value, under.get(key), [...path, key]));
    }
    return { kind: "object", properties, secret: false };
  }

  #scalar(node: Scalar, path: readonly PathStep[]): ValueNode {
    const { value, source } = node;
    if (typeof value === "boolean") return { kind: "boolean", value, secret: false };
    if (typeof value === "number" || typeof value === "bigint") return numberOf(value, source);
    if (typeof value !== "string") return { kind: "null", secret: false };
    // As the YAML of Go reads it.
    if (node.type === "PLAIN" && /^[-+]?\d+(?:_\d+)+$/.test(value)) return numberOf(BigInt(value.replaceAll("_", "")));
    const isPlain = node.type === "PLAIN";
    const at = (offset: number): Range => (isPlain ? this.#places.within(node, offset) : this.#places.of(node));
    if (isUnterminated(value)) {
      return this.#unknownAt("missing closing brace '}' in interpolation", at(value.length), path);
    }
    return interpolate(value, (reference, offset) => {
      const steps = parsePath(reference);
      if (steps === undefined) return this.#unknownAt(`invalid reference "${reference}"`, at(offset), path);
      const found = this.#lookUp(steps.map(({ step }) => step));
      if (!("failure" in found)) return found;
      return this.#unknownAt(found.failure, at(offset + (steps[found.at]?.offset ?? 0)), path);
    });
  }

  /** The value at `steps`: down the definition as far as it is written out, then down the evaluated value. */
  #lookUp(steps: readonly PathStep[]): ValueNode | Missing {
    let node: YamlNode | null | undefined = this.#values;
    let base: ValueNode | undefined = this.#imported;
    for (const [depth, step] of steps.entries()) {
      const found: YamlNode | null | undefined = isMap(node)
        ? listPairs(node).find((pair) => pair.key === step)?.value
        : undefined;
      base = findChild(base, step);
      if (found === undefined) {
        return base === undefined
          ? { failure: `unknown property "${step}"`, at: depth }
          : descend(base, steps, depth + 1);
      }
      node = found;
      const isCall = isMap(node) && listPairs(node)[0]?.key.startsWith("fn::") === true;
      if (!isMap(node) || isCall)
        return descend(this.#evaluate(node, base, steps.slice(0, depth + 1)), steps, depth + 1);
    }
    return node === undefined ? { failure: "unknown property", at: 0 } : this.#evaluate(node, base, steps);
  }

  #unknown(summary: string, node: YamlNode, path: readonly PathStep[]): ValueNode {
    return this.#unknownAt(summary, this.#places.of(node), path);
  }

  #unknownAt(summary: string, range: Range, path: readonly PathStep[]): ValueNode {
    this.#diagnostics.push({ summary, path: pathText(["values", ...path]), range });
    return { kind: "unknown", secret: false };
  }

  #fail(summary: string, node: YamlNode, path: string): void {
    this.#diagnostics.push({ summary, path, range: this.#places.of(node) });
  }
}

/** A step of a reference that leads nowhere. */
interface Missing {
  readonly failure: string;
  /** The index of the step. */
  readonly at: number;
}

function notAlone(name: string): string {
  return `illegal call to builtin function: "${name}" must be the only key within its containing object`;
}

function numberOf(value: number | bigint, source?: string): ValueNode {
  // Beyond a double it is a text to the service.
  if (!Number.isFinite(Number(value))) return { kind: "string", text: source ?? "", secret: false };
  const isExact = source !== undefined && /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(source);
  return { kind: "number", text: isExact ? source : String(value), secret: false };
}

/** A provider's result, all of whose parts are at the place of the call. */
function moveToRange(node: ValueNode, range: Range): ValueNode {
  const again = (one: ValueNode): ValueNode => moveToRange(one, range);
  if (node.kind === "object") return { ...node, range, properties: mapValues(node.properties, again) };
  return node.kind === "list" ? { ...node, range, items: node.items.map(again) } : { ...node, range };
}

/** `over` on top of `under`: objects entry by entry; each remembers what it replaced. */
export function overlay(under: ValueNode, over: ValueNode): ValueNode {
  if (under.kind !== "object" || over.kind !== "object") return { ...over, base: under };
  const properties = new Map(under.properties);
  for (const [key, value] of over.properties) {
    const below = properties.get(key);
    properties.set(key, below === undefined ? value : overlay(below, value));
  }
  return { ...over, properties, base: under };
}

function descend(value: ValueNode, steps: readonly PathStep[], from: number): ValueNode | Missing {
  let current = value;
  for (const [index, step] of steps.entries()) {
    if (index < from) continue;
    const next = findChild(current, step);
    if (next === undefined) return { failure: describeMissing(current, step), at: index };
    current = next;
  }
  return current;
}

function describeMissing(receiver: ValueNode, step: PathStep): string {
  if (receiver.kind === "list" && typeof step === "number") {
    return `array index ${step} out-of-bounds for array of length ${receiver.items.length}`;
  }
  if (receiver.kind !== "list" && receiver.kind !== "object") return "receiver must be an array or an object";
  return `unknown property "${step}"`;
}

function findChild(value: ValueNode | undefined, step: PathStep): ValueNode | undefined {
  if (value?.kind === "unknown") {
    const of = findChild(value.of, step);
    return { kind: "unknown", secret: value.secret, ...(of === undefined ? {} : { of }) };
  }
  if (value?.kind === "object") return value.properties.get(String(step));
  return value?.kind === "list" && typeof step === "number" ? value.items[step] : undefined;
}

interface Entry {
  readonly key: string;
  readonly value: YamlNode | null;
  readonly keyNode: YamlNode;
}

function listPairs(map: YAMLMap): readonly Entry[] {
  return map.items.map((pair) => ({
    key: isScalar(pair.key) ? String(pair.key.value) : "",
    value: asNode(pair.value),
    keyNode: asNode(pair.key) ?? map,
  }));
}

/** The node below another one in lists. */
function nodeAt(node: YamlNode | null, [first, ...rest]: readonly PathStep[]): YamlNode | undefined {
  if (first === undefined) return node ?? undefined;
  return isSeq(node) && typeof first === "number" ? nodeAt(asNode(node.items[first]), rest) : undefined;
}

function asNode(item: unknown): YamlNode | null {
  return isScalar(item) || isMap(item) || isSeq(item) || isAlias(item) ? item : null;
}
