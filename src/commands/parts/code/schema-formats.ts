/** The formats that the schemas of zod, valibot, envalid and joi give to variables, as contracts write them; pure. */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { chainOf, type ChainStep, numberIn, partsOf, stringIn, stringsIn } from "./expressions.ts";
import { enumOf, numeric, textOf, type NumberRange } from "./type-formats.ts";

/** Returns the texts of a list that an expression is, or that a constant of its name has. */
export type ListFinder = (expression: string) => readonly string[] | undefined;

/** @returns undefined if the schema says nothing that a contract can say, or accepts other values as well */
export type SchemaFormat = (expression: string, name: string, listOf: ListFinder) => FormatEntry | undefined;

/** Schemas in schemas are followed so far. */
const DEEPEST = 4;

/** Facts that the steps of a schema have stated so far. */
interface Facts {
  readonly kind?: "text" | "number" | "integer" | undefined;
  readonly format?: FormatEntry | undefined;
  readonly range: NumberRange;
  readonly prefix?: string | undefined;
  readonly minLength?: number | undefined;
}

const NOTHING: Facts = { range: {} };

function formatOf({ kind, format, range, prefix, minLength }: Facts, name: string): FormatEntry | undefined {
  if (kind === "number" || kind === "integer") return numeric(kind, range, name);
  const scheme = /^([a-z][a-z\d+.-]*):\/\/$/.exec(prefix ?? "")?.[1];
  if ((format === "url" || kind === "text") && scheme !== undefined) return { type: "url", schemes: [scheme] };
  if (format !== undefined || kind !== "text") return format;
  return textOf(prefix, minLength);
}

/** Adds what a method says that numbers of all these packages have. */
function withNumberStep(facts: Facts, { name, given }: ChainStep): Facts {
  const value = numberIn(given);
  const step = facts.kind === "integer" ? 1 : undefined;
  const bounded = (range: NumberRange): Facts => ({ ...facts, range: { ...facts.range, ...range } });
  switch (name) {
    case "int":
    case "integer":
      return { ...facts, kind: "integer" };
    case "min":
    case "gte":
    case "minValue":
      return value === undefined ? facts : bounded({ minimum: value });
    case "max":
    case "lte":
    case "maxValue":
      return value === undefined ? facts : bounded({ maximum: value });
    case "gt":
      return value === undefined || step === undefined ? facts : bounded({ minimum: value + step });
    case "lt":
      return value === undefined || step === undefined ? facts : bounded({ maximum: value - step });
    case "positive":
      return step === undefined ? facts : bounded({ minimum: step });
    case "nonnegative":
      return bounded({ minimum: 0 });
    default:
      return facts;
  }
}

function withTextStep(facts: Facts, { name, given = "" }: ChainStep, listOf: ListFinder): Facts {
  switch (name) {
    case "url":
    case "uri":
    case "httpUrl":
      return { ...facts, format: name === "httpUrl" ? HTTP : urlOf(given, listOf) };
    case "email":
    case "base64":
      return { ...facts, format: name };
    case "min":
    case "length":
    case "minLength": {
      const value = numberIn(given);
      return value === undefined ? facts : { ...facts, minLength: value };
    }
    case "startsWith":
      return { ...facts, prefix: stringIn(partsOf(given)[0] ?? "") };
    default:
      return facts;
  }
}

const HTTP: FormatEntry = { type: "url", schemes: ["http", "https"] };

/** Reads `{ protocol: /^https?$/ }` of zod, and `{ scheme: ["https"] }` of joi. */
function urlOf(options: string, listOf: ListFinder): FormatEntry {
  const protocol = /\bprotocol\s*:\s*\/\^(https\??)\$\//.exec(options)?.[1];
  if (protocol !== undefined) return protocol === "https" ? { type: "url", schemes: ["https"] } : HTTP;
  const given = /\bscheme\s*:\s*(\[[^\]]{0,200}\]|["'][^"']{0,40}["'])/.exec(options)?.[1] ?? "";
  const schemes = listOf(given) ?? [stringIn(given) ?? ""];
  return schemes.every((scheme) => /^[a-z][a-z\d+.-]*$/.test(scheme)) ? { type: "url", schemes } : "url";
}

/** Methods that let a schema accept other values than its format has. */
const LOOSER = new Set(["catch", "or", "preprocess", "allow", "alter", "when"]);
/** Schemas around another one, which only say that the value may be missing. */
const AROUND = new Set(["optional", "nullable", "nullish", "exactOptional", "undefinedable", "_default", "prefault"]);

/** Returns the format of `z.string().url()` and the like. */
export const zodFormat: SchemaFormat = (expression, name, listOf) => {
  return fromZod(expression, name, listOf, DEEPEST);
};

function fromZod(expression: string, name: string, listOf: ListFinder, depth: number): FormatEntry | undefined {
  const [first, ...rest] = chainOf(expression);
  if (depth === 0 || (first?.name !== "z" && first?.name !== "zod") || first.given !== undefined) return undefined;
  const [base, ...further] = rest[0]?.name === "coerce" ? rest.slice(1) : rest;
  if (base?.given === undefined) return undefined;
  const { given } = base;
  const inner = (text = ""): FormatEntry | undefined => fromZod(text, name, listOf, depth - 1);
  if (AROUND.has(base.name)) return further.some(isLooser) ? undefined : inner(partsOf(given)[0]);
  let facts = zodBase(base, inner, listOf);
  for (const [index, step] of further.entries()) {
    if (isLooser(step)) return undefined;
    if (step.name === "transform" || step.name === "pipe") {
      const left = further.slice(index);
      if (left.some(isLooser)) return undefined;
      const pipe = left.find((one) => one.name === "pipe")?.given;
      const isNumber = left.every((one) => one.name !== "transform" || isToNumber(one.given));
      // The steps behind a transformation are about its result.
      return facts.kind === "text" && pipe !== undefined && isNumber ? inner(pipe) : formatOf(facts, name);
    }
    facts = facts.kind === "text" ? withTextStep(facts, step, listOf) : withNumberStep(facts, step);
  }
  return formatOf(facts, name);
}

/** Returns true for a step that admits more than an empty value, which a contract takes for one that is not set. */
function isLooser({ name, given = "" }: ChainStep): boolean {
  return LOOSER.has(name) && !/^\s*z\.literal\(\s*(?:""|''|undefined)\s*\)\s*$/.test(given);
}

function isToNumber(given = ""): boolean {
  return /^\s*(?:Number|parseInt|parseFloat)\s*$|^\s*\(?\s*(\w+)\s*\)?\s*=>\s*(?:Number|(?:Number\.)?parseInt|(?:Number\.)?parseFloat)\(\s*\1\s*(?:,\s*10\s*)?\)\s*$/.test(
    given,
  );
}

function zodBase(
  { name, given = "" }: ChainStep,
  inner: (text: string) => FormatEntry | undefined,
  listOf: ListFinder,
): Facts {
  switch (name) {
    case "string":
      return { ...NOTHING, kind: "text" };
    case "url":
    case "httpUrl":
    case "email":
    case "base64":
      return withTextStep({ ...NOTHING, kind: "text" }, { name, given }, listOf);
    case "number":
      return { ...NOTHING, kind: "number" };
    case "int":
    case "int32":
    case "uint32":
    case "bigint":
      return { ...NOTHING, kind: "integer" };
    case "boolean":
    case "stringbool":
      return { ...NOTHING, format: "boolean" };
    case "enum":
      return { ...NOTHING, format: enumOf(listOf(given)) };
    case "literal":
      return { ...NOTHING, format: enumOf(literals(given, listOf)) };
    case "union": {
      const list = /^\s*\[([^]*)\]\s*$/.exec(given)?.[1];
      const formats = list === undefined ? [] : partsOf(list).map(inner);
      const values = formats.map((one) => (typeof one === "object" && one.type === "enum" ? one.values : undefined));
      return {
        ...NOTHING,
        format: enumOf(values.includes(undefined) ? undefined : values.flatMap((one) => one ?? [])),
      };
    }
    default:
      return NOTHING;
  }
}

function literals(given: string, listOf: ListFinder): readonly string[] | undefined {
  const single = stringIn(given);
  return single === undefined ? listOf(given) : [single];
}

/** Returns the format of `str({ choices: […] })`, `url()` and the like of envalid. */
export const envalidFormat: SchemaFormat = (expression, name, listOf) => {
  const steps = chainOf(expression);
  const { name: kind = "", given } = steps.find((step) => step.given !== undefined) ?? {};
  switch (kind) {
    case "bool":
      return "boolean";
    case "num":
      return numeric("number", {}, name);
    case "port":
    case "url":
    case "email":
    case "json":
      return kind;
    case "str": {
      const at = /\bchoices\s*:\s*/.exec(given ?? "");
      return at === null ? undefined : enumOf(listOf((given ?? "").slice(at.index + at[0].length)));
    }
    default:
      return undefined;
  }
};

/** Returns the format of `v.pipe(v.string(), v.url())` and the like. */
export const valibotFormat: SchemaFormat = (expression, name, listOf) => fromValibot(expression, name, listOf, DEEPEST);

function fromValibot(expression: string, name: string, listOf: ListFinder, depth: number): FormatEntry | undefined {
  const step = chainOf(expression).find((one) => one.given !== undefined);
  if (depth === 0 || step?.given === undefined) return undefined;
  const parts = partsOf(step.given);
  if (AROUND.has(step.name)) return fromValibot(parts[0] ?? "", name, listOf, depth - 1);
  switch (step.name) {
    case "picklist":
      return enumOf(listOf(step.given));
    case "literal":
      return enumOf(literals(step.given, listOf));
    case "pipe": {
      const actions = parts.flatMap((part) => chainOf(part).find((one) => one.given !== undefined) ?? []);
      if (actions[0]?.name !== "string") return fromValibot(parts[0] ?? "", name, listOf, depth - 1);
      let facts: Facts = { ...NOTHING, kind: "text" };
      for (const action of actions.slice(1)) {
        if (action.name === "transform" && !isToNumber(action.given)) return formatOf(facts, name);
        if (action.name === "transform" || action.name === "toNumber") facts = { ...NOTHING, kind: "number" };
        else facts = facts.kind === "text" ? withTextStep(facts, action, listOf) : withNumberStep(facts, action);
      }
      return formatOf(facts, name);
    }
    default:
      return undefined;
  }
}

/** Returns the format of `Joi.string().uri()` and the like. */
export const joiFormat: SchemaFormat = (expression, name, listOf) => {
  const [, base, ...further] = chainOf(expression);
  if (base === undefined || further.some(isLooser)) return undefined;
  if (base.name === "boolean" || base.name === "bool") return "boolean";
  if (base.name !== "string" && base.name !== "number") return undefined;
  const valid = further.find((step) => step.name === "valid" || step.name === "equal");
  if (valid !== undefined) return base.name === "string" ? enumOf(stringsIn(`[${valid.given ?? ""}]`)) : undefined;
  if (further.some((step) => step.name === "port")) return "port";
  let facts: Facts = { ...NOTHING, kind: base.name === "string" ? "text" : "number" };
  for (const step of further) {
    facts = facts.kind === "text" ? withTextStep(facts, step, listOf) : withNumberStep(facts, step);
  }
  return formatOf(facts, name);
};

/** Returns a finder of lists, also by the names of constants in a file. Each constant is looked for once. */
export function listsIn(text: string): ListFinder {
  const known = new Map<string, readonly string[] | undefined>();
  return (expression) => {
    const direct = stringsIn(expression);
    const [, name] = /^\s*([A-Za-z_$][\w$]*)\s*$/.exec(expression) ?? [];
    if (direct !== undefined || name === undefined || name.length > 100) return direct;
    if (!known.has(name) && known.size < MOST_LISTS) {
      const escaped = name.replaceAll("$", String.raw`\$`);
      const found = new RegExp(String.raw`\bconst\s+${escaped}(?:\s*:[^=;]{1,80})?\s*=\s*(\[[^\]]{0,2000}\])`).exec(
        text,
      );
      known.set(name, found?.[1] === undefined ? undefined : stringsIn(found[1]));
    }
    return known.get(name);
  };
}

/** A file is searched so often for a constant. */
const MOST_LISTS = 20;
