/**
 * Explains why the JSON of a contract does not have the form of the schema: for `"reqired": true`, a fault is `unknown
 * key: did you mean "required"?`. This code runs only if the generated check (generated/guard.ts) refuses the document.
 *
 * Messages contain no values of the document, and only keys that the schema has: the user may have named a wrong file,
 * which contains credentials.
 */
import type { Node } from "jsonc-parser";
import { didYouMean } from "../../core/suggest.ts";
import { joinAlternatives } from "../contract-words.ts";
import { type Fault, membersOf } from "./positions.ts";
import { referenceOf, typesOf, type Schema, type TypeName } from "./schema.ts";

/** Returns all faults of a document, in the order in which its parts are examined. */
export function explainRejection(schema: Schema, document: Node): readonly Fault[] {
  return Array.from(findFaults(schema, document, schema));
}

/** Yields the faults of a value. @param root the schema of a document, which has the definitions */
function* findFaults(root: Schema, node: Node, schemaOrReference: Schema): Generator<Fault> {
  const schema = dereference(root, schemaOrReference);
  const value: unknown = node.value;
  const allowedValues = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (allowedValues !== undefined) {
    if (!allowedValues.some((allowed) => allowed === value)) yield createUnknownValueFault(node, allowedValues);
  } else if (!isOfType(node, schema)) yield createTypeFault(node, describeSchema(schema));
  else if (schema.if !== undefined && schema.then !== undefined && schema.else !== undefined) {
    yield* findFaults(root, node, isOfType(node, schema.if) ? schema.then : schema.else);
  } else if (schema.oneOf !== undefined) yield* findOneOfFaults(root, node, schema);
  else if (node.type === "array") yield* findArrayFaults(root, node, schema);
  else if (node.type === "object") yield* findObjectFaults(root, node, schema);
  else {
    const fault = findValueFault(schema, value);
    if (fault !== undefined) yield { offset: node.offset, ...fault };
  }
}

/** Returns the definition to which a schema refers, with the description of the reference if it has one. */
function dereference(root: Schema, schema: Schema): Schema {
  const reference = referenceOf(schema);
  if (reference === undefined) return schema;
  const target = root.definitions?.[reference] ?? {};
  return schema.description === undefined ? target : { ...target, description: schema.description };
}

function isOfType(node: Node, schema: Schema): boolean {
  return typesOf(schema).some((type) => (type === "integer" ? Number.isInteger(node.value) : type === node.type));
}

const TYPE_DESCRIPTIONS: Readonly<Record<TypeName | Node["type"], string>> = {
  string: "a string",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  null: "null",
  array: "a list",
  object: "an object",
  property: "a property",
};

/** Returns the fault of a value whose type the schema does not allow. */
function createTypeFault({ offset, type }: Node, allowed: string): Fault {
  return { offset, message: `${TYPE_DESCRIPTIONS[type]} is not allowed here`, allowed };
}

/** Returns the types that a schema allows, with its description: `a string (the address of a page)`. */
function describeSchema(schema: Schema): string {
  const types = joinAlternatives(typesOf(schema).map((type) => TYPE_DESCRIPTIONS[type]));
  return schema.description === undefined ? types : `${types} (${schema.description.replace(/\.$/, "")})`;
}

function quote(name: string): string {
  return JSON.stringify(name);
}

function createUnknownValueFault(node: Node, values: readonly string[]): Fault {
  const allowed = joinAlternatives(values.map(quote));
  const value: unknown = node.value;
  if (typeof value !== "string") return createTypeFault(node, allowed);
  return { offset: node.offset, message: `unknown value${didYouMean(value, values)}`, allowed };
}

/**
 * Returns what is wrong with a value of the right type. The message does not repeat the value: a secret may be in the
 * wrong line.
 */
function findValueFault(schema: Schema, value: unknown): Omit<Fault, "offset"> | undefined {
  const { minLength = 0, maxLength = Infinity, minimum = -Infinity, maximum = Infinity, pattern } = schema;
  if (typeof value === "number" && (value < minimum || value > maximum)) {
    return { message: "the number is out of range", allowed: `from ${minimum} to ${maximum}` };
  }
  if (typeof value !== "string") return undefined;
  const length = Array.from(value).length;
  // The schema has no `minLength` but 1.
  if (length < minLength) return { message: "the string is empty", allowed: `at least ${minLength} character` };
  if (length > maxLength) return { message: "the string is too long", allowed: `at most ${maxLength} characters` };
  if (pattern === undefined || new RegExp(pattern, "u").test(value)) return undefined;
  return { message: "the string has the wrong form", allowed: schema.description ?? pattern };
}

function* findArrayFaults(root: Schema, node: Node, schema: Schema): Generator<Fault> {
  const { items, minItems = 0, maxItems = Infinity, uniqueItems = false } = schema;
  const { children = [] } = node;
  if (children.length < minItems) {
    yield { offset: node.offset, message: "the list is empty", allowed: "at least one entry" };
  }
  if (children.length > maxItems) {
    yield { offset: node.offset, message: "the list is too long", allowed: `at most ${maxItems} entries` };
  }
  const previousValues = new Set<unknown>();
  for (const child of children) {
    if (items !== undefined) yield* findFaults(root, child, items);
    const value: unknown = child.value;
    if (uniqueItems && typeof value === "string" && previousValues.has(value)) {
      yield { offset: child.offset, message: "duplicate entry", allowed: "each entry once" };
    }
    previousValues.add(value);
  }
}

function* findObjectFaults(root: Schema, node: Node, schema: Schema): Generator<Fault> {
  const { properties = {}, maxProperties = Infinity } = schema;
  const members = membersOf(node);
  const presentKeys = new Set(members.map(({ key }) => key));
  yield* findMissingMembers(root, node, schema, presentKeys);
  if (presentKeys.size > maxProperties) {
    yield { offset: node.offset, message: "the object has too many members", allowed: `at most ${maxProperties}` };
  }
  const nameSchema = dereference(root, schema.propertyNames ?? {});
  const previousKeys = new Set<string>();
  for (const { key, offset, value } of members) {
    if (previousKeys.has(key)) {
      const shownKey = Object.hasOwn(properties, key) ? ` ${quote(key)}` : "";
      yield { offset, message: `duplicate key${shownKey}`, allowed: "each key once" };
    }
    previousKeys.add(key);
    const nameFault = findValueFault(nameSchema, key);
    if (nameFault !== undefined) yield { ...nameFault, offset, message: "this is not a valid name" };
    const memberSchema = Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties;
    if (typeof memberSchema === "object") yield* findFaults(root, value, memberSchema);
    else if (memberSchema === false) yield createUnknownKeyFault(key, offset, Object.keys(properties), presentKeys);
  }
}

function* findMissingMembers(
  root: Schema,
  node: Node,
  { properties = {}, required = [] }: Schema,
  presentKeys: ReadonlySet<string>,
): Generator<Fault> {
  for (const name of required.filter((key) => !presentKeys.has(key))) {
    const memberSchema = dereference(root, properties[name] ?? {});
    const allowed = `${quote(name)}: ${memberSchema.description ?? describeSchema(memberSchema)}`;
    yield { offset: node.offset, message: `${quote(name)} is missing`, allowed };
  }
}

/** Creates the fault of a key that the schema lacks. The message suggests only keys that the object does not have. */
function createUnknownKeyFault(
  key: string,
  offset: number,
  knownKeys: readonly string[],
  presentKeys: ReadonlySet<string>,
): Fault {
  const absentKeys = knownKeys.filter((name) => !presentKeys.has(name));
  const message = `unknown key${didYouMean(key, absentKeys)}`;
  return { offset, message, allowed: joinAlternatives(knownKeys.map(quote)) };
}

/**
 * Yields the faults by one schema of `oneOf`. The member that `discriminator` names is the tag, such as `"type":
 * "enum"`. Its value selects the schema.
 */
function* findOneOfFaults(root: Schema, node: Node, { oneOf = [], discriminator }: Schema): Generator<Fault> {
  const tagKey = discriminator?.propertyName ?? "type";
  const candidates = oneOf.map((candidate) => dereference(root, candidate));
  const allTags = candidates.flatMap((candidate) => listTags(candidate, tagKey));
  // JSON.parse also takes the last of several members with the same key.
  const tagNode = membersOf(node).findLast(({ key }) => key === tagKey)?.value;
  const selectedSchema = candidates.find((candidate) =>
    listTags(candidate, tagKey).some((tag) => tag === tagNode?.value),
  );
  if (selectedSchema !== undefined) yield* findFaults(root, node, selectedSchema);
  else if (tagNode !== undefined) yield createUnknownValueFault(tagNode, allTags);
  else {
    const allowed = `${quote(tagKey)}: ${joinAlternatives(allTags.map(quote))}`;
    yield { offset: node.offset, message: `${quote(tagKey)} is missing`, allowed };
  }
}

/** Returns the values of the tag with which a schema applies. */
function listTags({ properties }: Schema, tagKey: string): readonly string[] {
  const tagSchema = properties?.[tagKey];
  return tagSchema?.enum ?? (tagSchema?.const === undefined ? [] : [tagSchema.const]);
}
