/**
 * Explains why a document does not have the form of the schema; pure. Runs only if the generated guard refuses the
 * document.
 *
 * Messages repeat no values, and only keys that the schema has: the user may have named the wrong file, such as one with
 * credentials.
 */
import type { Node } from "jsonc-parser";
import { didYouMean } from "../../core/suggest.ts";
import { alternatives } from "../contract-words.ts";
import { type Fault, membersOf } from "./positions.ts";
import { referenceOf, typesOf, type Schema, type TypeName } from "./schema.ts";

/** Returns all faults of a document, in the order of the document's parts. */
export function explain(schema: Schema, document: Node): readonly Fault[] {
  return Array.from(examine(schema, document, schema));
}

/** Yields the faults of a value. @param root the whole schema, which has the definitions */
function* examine(root: Schema, node: Node, schemaOrReference: Schema): Generator<Fault> {
  const schema = dereference(root, schemaOrReference);
  const value: unknown = node.value;
  const allowedValues = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (allowedValues !== undefined) {
    if (!allowedValues.some((allowed) => allowed === value)) yield unknownValue(node, allowedValues);
  } else if (!isOfType(node, schema)) yield notAllowed(node, describe(schema));
  else if (schema.if !== undefined && schema.then !== undefined && schema.else !== undefined) {
    yield* examine(root, node, isOfType(node, schema.if) ? schema.then : schema.else);
  } else if (schema.oneOf !== undefined) yield* examineOneOf(root, node, schema);
  else if (node.type === "array") yield* examineArray(root, node, schema);
  else if (node.type === "object") yield* examineObject(root, node, schema);
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

const TYPE_WORDS: Readonly<Record<TypeName | Node["type"], string>> = {
  string: "a string",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  null: "null",
  array: "a list",
  object: "an object",
  property: "a property",
};

function notAllowed({ offset, type }: Node, allowed: string): Fault {
  return { offset, message: `${TYPE_WORDS[type]} is not allowed here`, allowed };
}

function describe(schema: Schema): string {
  const types = alternatives(typesOf(schema).map((type) => TYPE_WORDS[type]));
  return schema.description === undefined ? types : `${types} (${schema.description.replace(/\.$/, "")})`;
}

function quote(name: string): string {
  return JSON.stringify(name);
}

function unknownValue(node: Node, values: readonly string[]): Fault {
  const allowed = alternatives(values.map(quote));
  const value: unknown = node.value;
  if (typeof value !== "string") return notAllowed(node, allowed);
  return { offset: node.offset, message: `unknown value${didYouMean(value, values)}`, allowed };
}

/**
 * Returns what is wrong with a value of the right type. The message does not repeat the value: a secret may be in the wrong
 * line.
 */
function findValueFault(schema: Schema, value: unknown): Omit<Fault, "offset"> | undefined {
  const { minLength = 0, maxLength = Infinity, minimum = -Infinity, maximum = Infinity, pattern } = schema;
  if (typeof value === "number" && (value < minimum || value > maximum)) {
    return { message: "the number is out of range", allowed: `from ${minimum} to ${maximum}` };
  }
  if (typeof value !== "string") return undefined;
  const length = Array.from(value).length;
  if (length < minLength) return { message: "the string is empty", allowed: `at least ${minLength} character` };
  if (length > maxLength) return { message: "the string is too long", allowed: `at most ${maxLength} characters` };
  if (pattern === undefined || new RegExp(pattern, "u").test(value)) return undefined;
  return { message: "the string has the wrong form", allowed: schema.description ?? pattern };
}

function* examineArray(root: Schema, node: Node, schema: Schema): Generator<Fault> {
  const { items, minItems = 0, maxItems = Infinity, uniqueItems = false } = schema;
  const { children = [] } = node;
  if (children.length < minItems) {
    yield { offset: node.offset, message: "the list is empty", allowed: "at least one entry" };
  }
  if (children.length > maxItems) {
    yield { offset: node.offset, message: "the list is too long", allowed: `at most ${maxItems} entries` };
  }
  const seen = new Set<unknown>();
  for (const child of children) {
    if (items !== undefined) yield* examine(root, child, items);
    const value: unknown = child.value;
    if (uniqueItems && typeof value === "string" && seen.has(value)) {
      yield { offset: child.offset, message: "duplicate entry", allowed: "each entry once" };
    }
    seen.add(value);
  }
}

function* examineObject(root: Schema, node: Node, schema: Schema): Generator<Fault> {
  const { properties = {}, required = [], additionalProperties, maxProperties = Infinity } = schema;
  const nameSchema = dereference(root, schema.propertyNames ?? {});
  const knownKeys = Object.keys(properties);
  const members = membersOf(node);
  const present = new Set(members.map(({ key }) => key));
  for (const name of required.filter((key) => !present.has(key))) {
    const property = dereference(root, properties[name] ?? {});
    const allowed = `${quote(name)}: ${property.description ?? describe(property)}`;
    yield { offset: node.offset, message: `${quote(name)} is missing`, allowed };
  }
  if (present.size > maxProperties) {
    yield { offset: node.offset, message: "the object has too many members", allowed: `at most ${maxProperties}` };
  }
  const seen = new Set<string>();
  for (const { key, offset, value } of members) {
    if (seen.has(key)) {
      const shownKey = knownKeys.includes(key) ? ` ${quote(key)}` : "";
      yield { offset, message: `duplicate key${shownKey}`, allowed: "each key once" };
    }
    seen.add(key);
    const nameFault = findValueFault(nameSchema, key);
    if (nameFault !== undefined) yield { ...nameFault, offset, message: "this is not a valid name" };
    const property = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (typeof property === "object") yield* examine(root, value, property);
    else if (property === false) {
      const absentKeys = knownKeys.filter((name) => !present.has(name));
      const message = `unknown key${didYouMean(key, absentKeys)}`;
      yield { offset, message, allowed: alternatives(knownKeys.map(quote)) };
    }
  }
}

/** Yields the faults by that schema of `oneOf` which the document's tag chooses, such as `"type": "enum"`. */
function* examineOneOf(root: Schema, node: Node, { oneOf = [], discriminator }: Schema): Generator<Fault> {
  const property = discriminator?.propertyName ?? "type";
  const candidates = oneOf.map((candidate) => dereference(root, candidate));
  const tagsOf = ({ properties }: Schema): readonly string[] => {
    const tag = properties?.[property];
    return tag?.enum ?? (tag?.const === undefined ? [] : [tag.const]);
  };
  const tags = candidates.flatMap(tagsOf);
  const tag = membersOf(node).findLast(({ key }) => key === property)?.value;
  const chosen = candidates.find((candidate) => tagsOf(candidate).some((candidateTag) => candidateTag === tag?.value));
  if (chosen !== undefined) yield* examine(root, node, chosen);
  else if (tag !== undefined) yield unknownValue(tag, tags);
  else {
    const allowed = `${quote(property)}: ${alternatives(tags.map(quote))}`;
    yield { offset: node.offset, message: `${quote(property)} is missing`, allowed };
  }
}
