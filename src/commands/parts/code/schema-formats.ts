/**
 * Translates the schemas of zod, valibot, envalid and joi into formats of a contract. Each library has a function that parses the
 * expression of one field, and schema-reads.ts calls it. The function splits the expression into steps, collects the facts that
 * each step states, and creates the format from all facts:
 *
 *     z.coerce.number().int().min(1)                       the expression of a field
 *     { kind: "integer", range: { minimum: 1 } }           its facts (SchemaFacts)
 *     { type: "integer", minimum: 1 }                      its format in the contract
 *
 * In doubt a field gets no format. With a format that is too narrow, the contract would refuse values that the program accepts.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { type ChainStep, parseChain, parseNumber, parseString, parseStringList, splitList } from "./expressions.ts";
import { createEnumFormat, createNumberFormat, type NumberRange, createTextFormat } from "./type-formats.ts";

/** Returns the strings of an expression that is a list, or the name of a constant with a list: `["a", "b"]`, `LEVELS`. */
type ListFinder = (expression: string) => readonly string[] | undefined;

/**
 * Returns the format of a field; undefined if the schema states nothing that a contract can state, or if it accepts values that the
 * format does not admit.
 *
 * @param name the name of the variable, since the variables that end in `_PORT` have a format of their own
 * @param findList returns the strings of a list in the expression, which may be a constant of the file
 */
export type SchemaFormatParser = (expression: string, name: string, findList: ListFinder) => FormatEntry | undefined;

/** How many schemas within schemas are followed, as in `z.optional(z.union([z.literal("a")]))`. */
const MAX_DEPTH = 4;

/**
 * The facts that the steps of a schema have stated so far. `kind` decides which of the others `createFormat` uses: the range for a
 * number, and the format, the prefix and the length for a text.
 */
interface SchemaFacts {
  /** The type of the value; undefined if `format` is known already, or if the type is none of these. */
  readonly kind?: "text" | "number" | "integer" | undefined;
  readonly format?: FormatEntry | undefined;
  readonly range: NumberRange;
  readonly prefix?: string | undefined;
  readonly minLength?: number | undefined;
}

const NO_FACTS: SchemaFacts = { range: {} };

/** Returns the format that the facts of a whole schema amount to. */
function createFormat({ kind, format, range, prefix, minLength }: SchemaFacts, name: string): FormatEntry | undefined {
  if (kind === "number" || kind === "integer") return createNumberFormat(kind, range, name);
  // A text that starts with `postgres://` is a URL with this scheme.
  const scheme = /^([a-z][a-z\d+.-]*):\/\/$/.exec(prefix ?? "")?.[1];
  if ((format === "url" || kind === "text") && scheme !== undefined) return { type: "url", schemes: [scheme] };
  if (format !== undefined || kind !== "text") return format;
  return createTextFormat(prefix, minLength);
}

/** Adds what one step, such as `min(1)`, states about a text or a number. The libraries use the same names for the same methods. */
function addStepFacts(facts: SchemaFacts, step: ChainStep, findList: ListFinder): SchemaFacts {
  return facts.kind === "text" ? addTextStepFacts(facts, step, findList) : addNumberStepFacts(facts, step);
}

/** See `addStepFacts`. A step that states nothing, or something that a contract cannot state, leaves the facts unchanged. */
function addNumberStepFacts(facts: SchemaFacts, { name, argumentText }: ChainStep): SchemaFacts {
  const value = parseNumber(argumentText);
  const withBound = (bound: NumberRange): SchemaFacts => ({ ...facts, range: { ...facts.range, ...bound } });
  // The bounds of a contract are inclusive. An exclusive bound can be translated for integers only.
  const isInteger = facts.kind === "integer";
  switch (name) {
    case "int":
    case "integer":
      return { ...facts, kind: "integer" };
    case "min":
    case "gte":
    case "minValue":
      return value === undefined ? facts : withBound({ minimum: value });
    case "max":
    case "lte":
    case "maxValue":
      return value === undefined ? facts : withBound({ maximum: value });
    case "gt":
      return value !== undefined && isInteger ? withBound({ minimum: value + 1 }) : facts;
    case "lt":
      return value !== undefined && isInteger ? withBound({ maximum: value - 1 }) : facts;
    case "positive":
      return isInteger ? withBound({ minimum: 1 }) : facts;
    case "nonnegative":
      return withBound({ minimum: 0 });
    default:
      return facts;
  }
}

function addTextStepFacts(
  facts: SchemaFacts,
  { name, argumentText = "" }: ChainStep,
  findList: ListFinder,
): SchemaFacts {
  switch (name) {
    case "url":
    case "uri":
      return { ...facts, format: parseUrlOptions(argumentText, findList) };
    case "httpUrl":
      return { ...facts, format: HTTP_URL };
    case "email":
    case "base64":
      return { ...facts, format: name };
    case "min":
    case "length":
    case "minLength": {
      const minLength = parseNumber(argumentText);
      return minLength === undefined ? facts : { ...facts, minLength };
    }
    case "startsWith":
      return { ...facts, prefix: parseString(splitList(argumentText)[0] ?? "") };
    default:
      return facts;
  }
}

const HTTP_URL: FormatEntry = { type: "url", schemes: ["http", "https"] };

/** Parses the options of a URL: `{ protocol: /^https?$/ }` of zod, or `{ scheme: ["https"] }` of joi. */
function parseUrlOptions(options: string, findList: ListFinder): FormatEntry {
  const protocol = /\bprotocol\s*:\s*\/\^(https\??)\$\//.exec(options)?.[1];
  if (protocol === "https") return { type: "url", schemes: ["https"] };
  if (protocol !== undefined) return HTTP_URL;
  const schemeOption = /\bscheme\s*:\s*(\[[^\]]{0,200}\]|["'][^"']{0,40}["'])/.exec(options)?.[1] ?? "";
  const schemes = findList(schemeOption) ?? [parseString(schemeOption) ?? ""];
  return schemes.every((scheme) => /^[a-z][a-z\d+.-]*$/.test(scheme)) ? { type: "url", schemes } : "url";
}

/** Methods by which a schema may accept values that its format does not admit. */
const LOOSENING_METHODS = new Set(["catch", "or", "preprocess", "allow", "alter", "when"]);
/** Schemas around another schema, which only state that the value may be missing: `z.optional(z.string())`. */
const OPTIONAL_WRAPPERS = new Set([
  "optional",
  "nullable",
  "nullish",
  "exactOptional",
  "undefinedable",
  "_default",
  "prefault",
]);

/**
 * Returns true for a step by which the schema accepts other values. Returns false for `.or(z.literal(""))`, since a contract takes
 * an empty variable for one that is not set.
 */
function isLoosening({ name, argumentText = "" }: ChainStep): boolean {
  return LOOSENING_METHODS.has(name) && !/^\s*z\.literal\(\s*(?:""|''|undefined)\s*\)\s*$/.test(argumentText);
}

/** Returns the format of a schema of zod, such as `z.string().url()`. */
export const parseZodFormat: SchemaFormatParser = (expression, name, findList) => {
  return parseZod(expression, name, findList, MAX_DEPTH);
};

/** @param depth how many further schemas within this schema are followed */
function parseZod(expression: string, name: string, findList: ListFinder, depth: number): FormatEntry | undefined {
  const [library, ...steps] = parseChain(expression);
  const isZod = library?.argumentText === undefined && (library?.name === "z" || library?.name === "zod");
  if (depth === 0 || !isZod) return undefined;
  // `z.coerce.number()` has the type `number`.
  const [type, ...methods] = steps[0]?.name === "coerce" ? steps.slice(1) : steps;
  if (type?.argumentText === undefined || methods.some(isLoosening)) return undefined;
  const parseInner = (inner = ""): FormatEntry | undefined => parseZod(inner, name, findList, depth - 1);
  if (OPTIONAL_WRAPPERS.has(type.name)) return parseInner(splitList(type.argumentText)[0]);

  let facts = findZodTypeFacts(type, parseInner, findList);
  for (const [index, method] of methods.entries()) {
    if (method.name === "transform" || method.name === "pipe") {
      // From here on the methods are about the result of a transformation, not about the value of the variable.
      const numberSchema = facts.kind === "text" ? findNumberSchema(methods.slice(index)) : undefined;
      return numberSchema === undefined ? createFormat(facts, name) : parseInner(numberSchema);
    }
    facts = addStepFacts(facts, method, findList);
  }
  return createFormat(facts, name);
}

/**
 * Finds the schema of a number that is parsed from a text: `z.number().min(1)` in `.transform(Number).pipe(z.number().min(1))`.
 * Returns undefined if a transformation may return anything else.
 */
function findNumberSchema(transformations: readonly ChainStep[]): string | undefined {
  const isNumber = transformations.every((step) => step.name !== "transform" || convertsToNumber(step.argumentText));
  return isNumber ? transformations.find((step) => step.name === "pipe")?.argumentText : undefined;
}

/** Returns true for a function that converts a text to a number: `Number`, `(text) => parseInt(text, 10)`. */
function convertsToNumber(transformation = ""): boolean {
  return /^\s*(?:Number|parseInt|parseFloat)\s*$|^\s*\(?\s*(\w+)\s*\)?\s*=>\s*(?:Number|(?:Number\.)?parseInt|(?:Number\.)?parseFloat)\(\s*\1\s*(?:,\s*10\s*)?\)\s*$/.test(
    transformation,
  );
}

/**
 * Returns what the first call of a schema states, such as `z.string()` or `z.enum(["a", "b"])`.
 *
 * @param parseInner returns the format of a schema within the schema
 */
function findZodTypeFacts(
  { name, argumentText = "" }: ChainStep,
  parseInner: (expression: string) => FormatEntry | undefined,
  findList: ListFinder,
): SchemaFacts {
  switch (name) {
    case "string":
      return { ...NO_FACTS, kind: "text" };
    case "url":
    case "httpUrl":
    case "email":
    case "base64":
      return addTextStepFacts({ ...NO_FACTS, kind: "text" }, { name, argumentText }, findList);
    case "number":
      return { ...NO_FACTS, kind: "number" };
    case "int":
    case "int32":
    case "uint32":
    case "bigint":
      return { ...NO_FACTS, kind: "integer" };
    case "boolean":
    case "stringbool":
      return { ...NO_FACTS, format: "boolean" };
    case "enum":
      return { ...NO_FACTS, format: createEnumFormat(findList(argumentText)) };
    case "literal":
      return { ...NO_FACTS, format: createEnumFormat(parseLiterals(argumentText, findList)) };
    case "union": {
      const schemas = /^\s*\[([^]*)\]\s*$/.exec(argumentText)?.[1];
      const formats = schemas === undefined ? [] : splitList(schemas).map(parseInner);
      return { ...NO_FACTS, format: combineEnumFormats(formats) };
    }
    default:
      return NO_FACTS;
  }
}

/** Returns the choice of all texts if each format is a choice of texts; otherwise undefined. */
function combineEnumFormats(formats: readonly (FormatEntry | undefined)[]): FormatEntry | undefined {
  const values: string[] = [];
  for (const format of formats) {
    if (typeof format !== "object" || format.type !== "enum") return undefined;
    values.push(...format.values);
  }
  return createEnumFormat(values);
}

/** Parses the argument of `literal`: one string, or a list of them. */
function parseLiterals(argumentText: string, findList: ListFinder): readonly string[] | undefined {
  const literal = parseString(argumentText);
  return literal === undefined ? findList(argumentText) : [literal];
}

/** Returns the format of a validator of envalid, such as `str({ choices: ["a", "b"] })`. */
export const parseEnvalidFormat: SchemaFormatParser = (expression, name, findList) => {
  const { name: validator = "", argumentText = "" } = findFirstCall(expression) ?? {};
  switch (validator) {
    case "bool":
      return "boolean";
    case "num":
      return createNumberFormat("number", {}, name);
    case "port":
    case "url":
    case "email":
    case "json":
      return validator;
    case "str": {
      const choicesKey = /\bchoices\s*:\s*/.exec(argumentText);
      if (choicesKey === null) return undefined;
      return createEnumFormat(findList(argumentText.slice(choicesKey.index + choicesKey[0].length)));
    }
    default:
      return undefined;
  }
};

/** Returns the first step that is a call: `string()` of `v.string()`. */
function findFirstCall(expression: string): ChainStep | undefined {
  return parseChain(expression).find((step) => step.argumentText !== undefined);
}

/** Returns the format of a schema of valibot, such as `v.pipe(v.string(), v.url())`. */
export const parseValibotFormat: SchemaFormatParser = (expression, name, findList) => {
  return parseValibot(expression, name, findList, MAX_DEPTH);
};

/** @param depth how many further schemas within this schema are followed */
function parseValibot(expression: string, name: string, findList: ListFinder, depth: number): FormatEntry | undefined {
  const call = findFirstCall(expression);
  if (depth === 0 || call?.argumentText === undefined) return undefined;
  const parameters = splitList(call.argumentText);
  const [inner = ""] = parameters;
  if (OPTIONAL_WRAPPERS.has(call.name)) return parseValibot(inner, name, findList, depth - 1);
  switch (call.name) {
    case "picklist":
      return createEnumFormat(findList(call.argumentText));
    case "literal":
      return createEnumFormat(parseLiterals(call.argumentText, findList));
    case "pipe": {
      const [schema, ...actions] = parameters.flatMap((parameter) => findFirstCall(parameter) ?? []);
      if (schema?.name !== "string") return parseValibot(inner, name, findList, depth - 1);
      return createFormat(findValibotPipeFacts(actions, findList), name);
    }
    default:
      return undefined;
  }
}

/** Returns what the actions after `v.string()` in a pipe state. */
function findValibotPipeFacts(actions: readonly ChainStep[], findList: ListFinder): SchemaFacts {
  let facts: SchemaFacts = { ...NO_FACTS, kind: "text" };
  for (const action of actions) {
    // All actions from here on are about the result of the transformation.
    if (action.name === "transform" && !convertsToNumber(action.argumentText)) return facts;
    const isConversion = action.name === "transform" || action.name === "toNumber";
    facts = isConversion ? { ...NO_FACTS, kind: "number" } : addStepFacts(facts, action, findList);
  }
  return facts;
}

/** Returns the format of a schema of joi, such as `Joi.string().uri()`. */
export const parseJoiFormat: SchemaFormatParser = (expression, name, findList) => {
  const [, type, ...methods] = parseChain(expression);
  if (type === undefined || methods.some(isLoosening)) return undefined;
  if (type.name === "boolean" || type.name === "bool") return "boolean";
  if (type.name !== "string" && type.name !== "number") return undefined;
  const isText = type.name === "string";
  const choices = methods.find((method) => method.name === "valid" || method.name === "equal");
  if (choices !== undefined) {
    return isText ? createEnumFormat(parseStringList(`[${choices.argumentText ?? ""}]`)) : undefined;
  }
  if (methods.some((method) => method.name === "port")) return "port";
  let facts: SchemaFacts = { ...NO_FACTS, kind: isText ? "text" : "number" };
  for (const method of methods) facts = addStepFacts(facts, method, findList);
  return createFormat(facts, name);
};

/** How many constants are searched in one file, since each takes a search of the whole file. */
const MAX_CONSTANTS = 20;
const MAX_NAME_LENGTH = 100;

/**
 * Creates the function that finds lists for the schemas of one file. A list may be a constant in the file, such as
 * `const LEVELS = ["debug", "info"] as const`, for which the file is searched once.
 */
export function createListFinder(text: string): ListFinder {
  const listsByConstant = new Map<string, readonly string[] | undefined>();
  return (expression) => {
    const list = parseStringList(expression);
    const [, name] = /^\s*([A-Za-z_$][\w$]*)\s*$/.exec(expression) ?? [];
    if (list !== undefined || name === undefined || name.length > MAX_NAME_LENGTH) return list;
    if (!listsByConstant.has(name) && listsByConstant.size < MAX_CONSTANTS) {
      listsByConstant.set(name, findConstantList(text, name));
    }
    return listsByConstant.get(name);
  };
}

function findConstantList(text: string, name: string): readonly string[] | undefined {
  const escapedName = name.replaceAll("$", String.raw`\$`);
  const constant = new RegExp(String.raw`\bconst\s+${escapedName}(?:\s*:[^=;]{1,80})?\s*=\s*(\[[^\]]{0,2000}\])`);
  const list = constant.exec(text)?.[1];
  return list === undefined ? undefined : parseStringList(list);
}
