/**
 * Applies the functions of ESC definitions, such as `fn::secret` and `fn::toJSON`, for the evaluator in evaluate.ts.
 */
import { type PathStep, scalarString } from "./interpolation.ts";
import { type Json, RawJson, writeJson } from "./json.ts";
import { makeSecret, mapValues, type ValueNode } from "./values.ts";

export interface BuiltinContext {
  /** `check` evaluates without opening: ciphertext secrets and provider results are unknown. */
  readonly mode: "open" | "check";
  decrypt(cipher: string): string | undefined;
  /** The result of `fn::open::<provider>`; undefined if there is no such provider. */
  provider(name: string): ValueNode | undefined;
}

/** All conversions give text. */
const TEXT: ValueNode = { kind: "string", text: "", secret: false };

/** `at`: the path to the argument's part that is wrong, if it is not the call. */
type Result = ValueNode | { readonly failure: string; readonly at?: readonly PathStep[] };

export function isFunction(name: string): boolean {
  return name === "fn::secret" || name === "fn::validate" || PROVIDER.test(name) || CONVERSIONS.has(name);
}

const PROVIDER = /^fn::(?:open|rotate)::(.+)$/;

/** The value of a call such as `fn::secret`, or what is wrong with it. No message holds a value. */
export function applyBuiltin(name: string, argument: ValueNode, context: BuiltinContext): Result {
  if (name === "fn::secret") return secretValue(argument, context);
  const provider = PROVIDER.exec(name)?.[1];
  if (provider !== undefined) return openProvider(name, provider, context);
  const convert = CONVERSIONS.get(name);
  if (convert === undefined) return { failure: `unknown function "${name}"` };
  if (hasSome(argument, (node) => node.kind === "unknown")) {
    return { kind: "unknown", secret: containsSecret(argument), of: TEXT };
  }
  const other = name === "fn::join" ? otherThanText(argument) : undefined;
  if (other !== undefined) return other;
  const result = convert(argument);
  if (result === undefined) return { failure: `${name}: wrong argument` };
  return containsSecret(argument) ? makeSecret(result) : result;
}

function secretValue(argument: ValueNode, context: BuiltinContext): Result {
  if (argument.kind === "string") return makeSecret(argument);
  const cipher = argument.kind === "object" ? argument.properties.get("ciphertext") : undefined;
  if (cipher?.kind !== "string") return { failure: "secret values must be string literals", at: [] };
  if (context.mode === "check") return { kind: "unknown", secret: true };
  const plain = context.decrypt(cipher.text);
  return plain === undefined ? { failure: "invalid ciphertext" } : { kind: "string", text: plain, secret: true };
}

function openProvider(call: string, provider: string, context: BuiltinContext): Result {
  const value = context.provider(provider);
  if (value === undefined) return { failure: `unknown provider "${provider}"` };
  return { ...(context.mode === "check" ? { kind: "unknown", secret: false, of: value } : value), call };
}

const CONVERSIONS: ReadonlyMap<string, (argument: ValueNode) => ValueNode | undefined> = new Map([
  ["fn::toString", (node: ValueNode) => stringNode(scalarString(node))],
  ["fn::toJSON", (node: ValueNode) => stringNode(writeJson(plainJson(node)))],
  ["fn::toBase64", (node: ValueNode) => stringNode(text(node, (plain) => Buffer.from(plain).toString("base64")))],
  ["fn::fromBase64", (node: ValueNode) => stringNode(text(node, (coded) => Buffer.from(coded, "base64").toString()))],
  ["fn::join", joinList],
]);

function otherThanText(list: ValueNode): Result | undefined {
  const [, parts] = list.kind === "list" ? list.items : [];
  const items = parts?.kind === "list" ? parts.items : [];
  const index = items.findIndex(({ kind }) => kind !== "string" && kind !== "unknown");
  const kind = items[index]?.kind;
  return kind === undefined ? undefined : { failure: `expected string, got ${kind}`, at: [1, index] };
}

function joinList(node: ValueNode): ValueNode | undefined {
  if (node.kind !== "list") return undefined;
  const [separator, parts] = node.items;
  if (separator?.kind !== "string" || parts?.kind !== "list") return undefined;
  return stringNode(parts.items.map((part) => scalarString(part) ?? "").join(separator.text));
}

function stringNode(value: string | undefined): ValueNode | undefined {
  return value === undefined ? undefined : { kind: "string", text: value, secret: false };
}

function text(node: ValueNode, change: (plain: string) => string): string | undefined {
  return node.kind === "string" ? change(node.text) : undefined;
}

export function containsSecret(node: ValueNode): boolean {
  return hasSome(node, ({ secret }) => secret);
}

function hasSome(node: ValueNode, test: (node: ValueNode) => boolean): boolean {
  if (test(node)) return true;
  if (node.kind === "list") return node.items.some((item) => hasSome(item, test));
  return node.kind === "object" && [...node.properties.values()].some((value) => hasSome(value, test));
}

/** The value alone, without marks. */
export function plainJson(node: ValueNode): Json {
  switch (node.kind) {
    case "string":
      return node.text;
    case "number":
      return new RawJson(node.text);
    case "boolean":
      return node.value;
    case "list":
      return node.items.map(plainJson);
    case "object":
      return Object.fromEntries(mapValues(node.properties, plainJson));
    case "null":
    case "unknown":
    case "wire":
      return null;
  }
}
