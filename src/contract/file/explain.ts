/** What is wrong with a document by the schema; pure. Runs only when the guard has said that something is. */
import { didYouMean } from "../../core/suggest.ts";
import { alternatives } from "../words.ts";
import type { Fault } from "./fault.ts";
import type { JsonMember, JsonNode } from "./positions.ts";
import { referenceOf, typesOf, type Schema, type TypeName } from "./schema.ts";

/** Every place at which the document is not what the schema allows, in the order of the text. */
export function explain(root: Schema, document: JsonNode): readonly Fault[] {
  const faults: Fault[] = [];
  examine({ root, faults }, root, document);
  return faults;
}

/** Keys that stand twice in one object: JSON.parse would silently take the last. */
export function duplicateKeys(node: JsonNode): readonly Fault[] {
  if (node.kind === "array") return node.items.flatMap(duplicateKeys);
  if (node.kind !== "object") return [];
  const seen = new Set<string>();
  return node.members.flatMap(({ key, keyStart, value }) => {
    const nested = duplicateKeys(value);
    if (!seen.has(key)) {
      seen.add(key);
      return nested;
    }
    return [
      { offset: keyStart, message: `${quote(key)} stands here a second time`, allowed: "each key once" },
      ...nested,
    ];
  });
}

interface Examination {
  readonly root: Schema;
  readonly faults: Fault[];
}

function examine(examination: Examination, given: Schema, node: JsonNode): void {
  const schema = dereference(examination.root, given);
  const report = (message: string, allowed: string): void => {
    examination.faults.push({ offset: node.start, message, allowed });
  };
  if (schema.if !== undefined && schema.then !== undefined && schema.else !== undefined) {
    if (!typesOf(schema).some((type) => isOfType(node, type))) {
      report(`${kindOf(node)} is not allowed here`, describe(schema));
    } else {
      const branch = typesOf(schema.if).some((type) => isOfType(node, type)) ? schema.then : schema.else;
      examine(examination, branch, node);
    }
  } else if (schema.oneOf !== undefined) {
    examineOneOf(examination, schema, node, report);
  } else if (schema.const !== undefined || schema.enum !== undefined) {
    const values = schema.enum ?? [schema.const ?? ""];
    if (node.kind !== "string" || !values.includes(node.value)) {
      report(...enumFault(node, values));
    }
  } else if (!typesOf(schema).some((type) => isOfType(node, type))) {
    report(`${kindOf(node)} is not allowed here`, describe(schema));
  } else if (node.kind === "string") {
    examineString(schema, node.value, report);
  } else if (node.kind === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    if (node.value < minimum || node.value > maximum) {
      report("the number is out of range", `from ${minimum} to ${maximum}`);
    }
  } else if (node.kind === "array") {
    examineArray(examination, schema, node.items, report);
  } else if (node.kind === "object") {
    examineObject(examination, schema, node, node.members);
  }
}

function dereference(root: Schema, schema: Schema): Schema {
  const reference = referenceOf(schema);
  if (reference === undefined) return schema;
  const target = root.definitions?.[reference] ?? {};
  return schema.description === undefined ? target : { ...target, description: schema.description };
}

function isOfType(node: JsonNode, type: TypeName): boolean {
  if (type === "integer") return node.kind === "number" && Number.isInteger(node.value);
  return node.kind === type;
}

function kindOf(node: JsonNode): string {
  switch (node.kind) {
    case "string":
      return "a text";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return "a list";
    case "object":
      return "an object";
    default:
      return node satisfies never;
  }
}

const typeWords: Readonly<Record<TypeName, string>> = {
  string: "a text",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  array: "a list",
  object: "an object",
};

/** What a schema allows, in words. */
function describe(schema: Schema): string {
  const types = alternatives(typesOf(schema).map((type) => typeWords[type]));
  return schema.description === undefined ? types : `${types} (${schema.description.replace(/\.$/, "")})`;
}

function quote(text: string): string {
  const characters = Array.from(text);
  return JSON.stringify(characters.length <= 60 ? text : `${characters.slice(0, 60).join("")}…`);
}

function enumFault(node: JsonNode, values: readonly string[]): [string, string] {
  const allowed = alternatives(values.map(quote));
  if (node.kind !== "string") return [`${kindOf(node)} is not allowed here`, allowed];
  return [`${quote(node.value)} is not known here${didYouMean(node.value, values)}`, allowed];
}

type Report = (message: string, allowed: string) => void;

/** The text itself is not repeated: it may be a value that somebody put in the wrong place. */
function examineString(schema: Schema, value: string, report: Report): void {
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  const length = Array.from(value).length;
  if (length < minLength) report("the text is empty", `at least ${minLength} character`);
  else if (length > maxLength) report("the text is too long", `at most ${maxLength} characters`);
  else if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    report("the text does not have the right form", schema.description ?? pattern);
  }
}

function examineArray(examination: Examination, schema: Schema, items: readonly JsonNode[], report: Report): void {
  if (items.length < (schema.minItems ?? 0)) report("the list is empty", "at least one entry");
  const seen = new Set<string>();
  for (const item of items) {
    if (schema.items !== undefined) examine(examination, schema.items, item);
    if (schema.uniqueItems !== true || item.kind !== "string") continue;
    if (seen.has(item.value)) {
      const message = `${quote(item.value)} stands in the list a second time`;
      examination.faults.push({ offset: item.start, message, allowed: "each entry once" });
    }
    seen.add(item.value);
  }
}

function examineObject(
  examination: Examination,
  schema: Schema,
  { start }: JsonNode,
  members: readonly JsonMember[],
): void {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = schema.propertyNames === undefined ? {} : dereference(examination.root, schema.propertyNames);
  const present = new Set(members.map(({ key }) => key));
  for (const name of required) {
    if (present.has(name)) continue;
    const property = dereference(examination.root, properties[name] ?? {});
    const allowed = property.description ?? describe(property);
    examination.faults.push({
      offset: start,
      message: `${quote(name)} is missing`,
      allowed: `${quote(name)}: ${allowed}`,
    });
  }
  for (const { key, keyStart, value } of members) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    examineString(names, key, (_, allowed) => {
      const message = `${quote(key)} is not a name that is allowed here`;
      examination.faults.push({ offset: keyStart, message, allowed });
    });
    if (property !== undefined) examine(examination, property, value);
    else if (typeof additionalProperties === "object") examine(examination, additionalProperties, value);
    else if (additionalProperties === false) {
      const known = Object.keys(properties);
      const free = known.filter((name) => !present.has(name));
      const message = `${quote(key)} is not known here${didYouMean(key, free)}`;
      examination.faults.push({ offset: keyStart, message, allowed: alternatives(known.map(quote)) });
    }
  }
}

/** The discriminating property says which alternative is meant; that one is then explained. */
function examineOneOf(examination: Examination, schema: Schema, node: JsonNode, report: Report): void {
  const property = schema.discriminator?.propertyName ?? "type";
  const candidates = (schema.oneOf ?? []).map((one) => dereference(examination.root, one));
  const tagsOf = ({ properties }: Schema): readonly string[] => {
    const tag = properties?.[property];
    return tag?.enum ?? (tag?.const === undefined ? [] : [tag.const]);
  };
  if (node.kind !== "object") {
    report(`${kindOf(node)} is not allowed here`, describe(schema));
    return;
  }
  const tags = candidates.flatMap(tagsOf);
  const member = node.members.findLast(({ key }) => key === property);
  if (member === undefined) {
    report(`${quote(property)} is missing`, `${quote(property)}: ${alternatives(tags.map(quote))}`);
    return;
  }
  const tag = member.value.kind === "string" ? member.value.value : undefined;
  const chosen = candidates.find((candidate) => tag !== undefined && tagsOf(candidate).includes(tag));
  if (chosen !== undefined) {
    examine(examination, chosen, node);
    return;
  }
  const [message, allowed] = enumFault(member.value, tags);
  examination.faults.push({ offset: member.value.start, message, allowed });
}
