/** Writes evaluated environments as the JSON that clients of ESC get. */
import { type Json, RawJson } from "./json.ts";
import { mapValues, type ObjectNode, type Range, relabel, type ValueNode } from "./values.ts";

/** How an answer is written; the service's forms have changed over time. */
export interface WireStyle {
  /** `omit` (the default): null and unknown have no `value` key. `explicit`: they have `"value": null`. */
  readonly nulls?: "omit" | "explicit";
  /** `false`: no `trace`. */
  readonly trace?: boolean;
  /** `false`: no `exprs`, `schema` and `executionContext`; all three hold plain text of secrets otherwise. */
  readonly details?: boolean;
  /** `false`: no `environmentFunctionSummary`, which is otherwise all that an environment without values answers with. */
  readonly summary?: boolean;
  /** The name of the opened environment in traces and `rootEnvironment`; `project/name` by default. */
  readonly rootName?: string;
}

export interface ExecutionContext {
  readonly organization: string;
  readonly environment: string;
  readonly login: string;
}

/** The answer to reading a session. An environment without values has its summary alone. */
export function environmentJson(root: ObjectNode, context: ExecutionContext, style: WireStyle): Record<string, Json> {
  const summary: Record<string, Json> =
    style.summary === false ? {} : { environmentFunctionSummary: functionSummary(root) };
  if (root.properties.size === 0) return summary;
  const { environment, rootName = environment } = { ...context, ...style };
  const called = rootName === environment ? root : renameRoot(root, environment, rootName);
  const properties = jsonObject(mapValues(called.properties, (node) => valueJson(node, style)));
  if (style.details === false) return { properties, ...summary };
  return {
    exprs: jsonObject(mapValues(root.properties, exprJson)),
    properties,
    schema: schemaJson(root),
    executionContext: {
      properties: {
        currentEnvironment: contextValue({ name: contextValue(rootName) }),
        rootEnvironment: contextValue({ name: contextValue(rootName) }),
        pulumi: contextValue({
          organization: contextValue({ login: contextValue(context.organization) }),
          user: contextValue({ login: contextValue(context.login) }),
        }),
      },
    },
    ...summary,
  };
}

/** How often each function is called; here secrets and providers are all that is known of. */
function functionSummary(root: ObjectNode): Json {
  const counts = new Map<string, number>();
  const secrets = countSecrets(root);
  if (secrets > 0) counts.set("fn::secret", secrets);
  for (const call of callsIn(root)) counts.set(call, (counts.get(call) ?? 0) + 1);
  return { funcCounts: Object.fromEntries(counts), rotationPaths: null };
}

function callsIn(node: ValueNode): readonly string[] {
  if (node.call !== undefined) return [node.call];
  if (node.kind === "list") return node.items.flatMap(callsIn);
  return node.kind === "object" ? Array.from(node.properties.values()).flatMap(callsIn) : [];
}

function countSecrets(node: ValueNode): number {
  const sum = (nodes: Iterable<ValueNode>): number => Array.from(nodes, countSecrets).reduce((a, b) => a + b, 0);
  if (node.kind === "list") return sum(node.items);
  if (node.kind === "object") return sum(node.properties.values());
  return node.secret ? 1 : 0;
}

function renameRoot(root: ObjectNode, from: string, to: string): ObjectNode {
  const renamed = relabel(root, (environment) => (environment === from ? to : environment));
  return renamed.kind === "object" ? renamed : root;
}

function contextValue(value: Json): Json {
  return { value, trace: { def: { begin: { line: 0, column: 0, byte: 0 }, end: { line: 0, column: 0, byte: 0 } } } };
}

/** The wire form of one value. */
function valueJson(node: ValueNode, style: WireStyle): Json {
  if (node.kind === "wire") return node.json;
  const isAbsent = node.kind === "null" || (node.kind === "unknown" && node.isText !== true);
  return {
    value: isAbsent && style.nulls !== "explicit" ? undefined : payloadOf(node, (child) => valueJson(child, style)),
    secret: node.secret ? true : undefined,
    unknown: node.kind === "unknown" ? true : undefined,
    trace: style.trace === false ? undefined : traceJson(node, style),
  };
}

function traceJson(node: ValueNode, style: WireStyle): Json {
  return {
    def: node.range === undefined ? undefined : rangeJson(node.range),
    base: node.base === undefined ? undefined : valueJson(node.base, style),
  };
}

/** The plain value of a node whose children are written by `child`. */
function payloadOf(node: ValueNode, child: (node: ValueNode) => Json): Json {
  switch (node.kind) {
    case "string":
      return node.text;
    case "boolean":
      return node.value;
    case "number":
      return new RawJson(node.text);
    case "unknown":
      return node.isText === true ? "[unknown]" : null;
    case "null":
      return null;
    case "list":
      return node.items.map(child);
    case "object":
      return jsonObject(mapValues(node.properties, child));
    case "wire":
      return node.json;
  }
}

function exprJson(node: ValueNode): Json {
  const range = node.range === undefined ? {} : { range: rangeJson(node.range) };
  const bare = { ...range, schema: schemaJson(node) };
  if (node.call !== undefined) return { ...bare, builtin: { name: node.call, argSchema: true, arg: { ...range } } };
  const body: Record<string, Json> =
    node.kind === "list"
      ? { list: node.items.map(exprJson) }
      : node.kind === "object"
        ? { object: jsonObject(mapValues(node.properties, exprJson)) }
        : node.kind === "null" || node.kind === "unknown" || node.kind === "wire"
          ? {}
          : { literal: payloadOf(node, exprJson) };
  if (!node.secret || node.kind === "list" || node.kind === "object") return { ...bare, ...body };
  return { ...bare, builtin: { name: "fn::secret", argSchema: true, arg: { ...bare, ...body } } };
}

/** The JSON schema that the service infers: `const` holds the plain text, of secrets too. */
function schemaJson(node: ValueNode): Json {
  switch (node.kind) {
    case "string":
    case "boolean":
    case "number":
      return { type: node.kind, const: payloadOf(node, schemaJson) };
    case "null":
      return { type: "null" };
    case "unknown":
      return node.of === undefined ? true : typeJson(node.of);
    case "wire":
      return true;
    case "list":
      return { type: "array", prefixItems: node.items.map(schemaJson), items: false };
    case "object":
      return {
        type: "object",
        properties: jsonObject(mapValues(node.properties, schemaJson)),
        required: [...node.properties.keys()].toSorted(),
      };
  }
}

/** The schema of what a provider will give: types, and no `const`. */
function typeJson(node: ValueNode): Json {
  switch (node.kind) {
    case "string":
    case "boolean":
    case "number":
    case "null":
      return { type: node.kind };
    case "unknown":
      return node.of === undefined ? true : typeJson(node.of);
    case "wire":
      return true;
    case "list":
      return { type: "array", items: true };
    case "object": {
      const properties = jsonObject(mapValues(node.properties, typeJson));
      return { type: "object", properties, required: [...node.properties.keys()].toSorted() };
    }
  }
}

export function rangeJson(range: Range): Json {
  return { environment: range.environment, begin: { ...range.begin }, end: { ...range.end } };
}

/** Entries as own properties: `__proto__` is a name like any other. */
function jsonObject(entries: ReadonlyMap<string, Json>): Record<string, Json> {
  return Object.fromEntries(entries);
}
