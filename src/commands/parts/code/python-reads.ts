/**
 * The variables that Python code reads: by the standard library, django-environ, environs, python-decouple, Starlette and
 * pydantic-settings.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { between, partsOf } from "./expressions.ts";
import { numeric } from "./type-formats.ts";
import { type Enums, enumsIn, looseFieldsIn, pydanticFormat } from "./pydantic-formats.ts";
import { isTested } from "./python-tests.ts";
import {
  addLocal,
  BEFORE,
  BEHIND,
  expressionAt,
  firstMatches,
  firstNames,
  type LocalForm,
  type Locals,
  matchesOf,
  readsBy,
  type Read,
  type Reads,
  testedIn,
} from "./reads.ts";

/** Finds `os.environ["X"]`, which throws without the variable, `os.environ.get("X")` and `os.getenv("X")`, also imported by name. */
export function readsOfPython(text: string): Reads {
  const present = /["']([A-Za-z_]\w*)["']\s{1,20}(?:not\s{1,20})?in\s{1,20}(?:os\.)?environ\b(?!\s*[.[])/g;
  return [
    ...readsBySubscript(text),
    ...readsBy(text, present, false),
    ...readsByGet(text),
    ...readsByOtherNames(text),
    ...readsByCalls(text),
    ...readsBySettings(text),
  ];
}

function readsBySubscript(text: string): Reads {
  const subscript = /(?:\bos\.)?\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](?!\s*=(?!=))/g;
  return Array.from(text.matchAll(subscript), ({ index, 1: name = "" }): Read => {
    const format = formatAround(text.slice(Math.max(0, index - BEFORE), index), name);
    return format === undefined ? [name, true, index] : [name, true, index, { format }];
  });
}

/** Finds `env["X"]` and `env.get("X")` after `env = os.environ` or `from os import environ as env`. */
function readsByOtherNames(text: string): Reads {
  const objects = new Set([
    ...matchesOf(text, /^[ \t]*(\w+)(?:[ \t]*:[^=\n]{1,60})?[ \t]*=[ \t]*(?:os\.)?environ[ \t]*(?:#.*)?$/gm),
    ...matchesOf(text, /^[ \t]*from os import [^\n#]{0,200}\benviron as (\w+)/gm),
  ]);
  return firstNames(objects).flatMap((object) => {
    // Only upper case: an object of a function may have the same name.
    const subscript = String.raw`(?<![\w.])${object}\[\s*["']([A-Z][A-Z0-9_]*)["']\s*\](?!\s*=(?!=))`;
    const get = String.raw`(?<![\w.])${object}\.get\(\s*["']([A-Z][A-Z0-9_]*)["']`;
    return [...readsBy(text, new RegExp(subscript, "g"), true), ...readsBy(text, new RegExp(get, "g"), false)];
  });
}

/** Code that ends a program or a function if a variable is not set. */
const ENDS = String.raw`(?:raise\b|sys\.exit\(|exit\(|quit\(|os\._exit\(|\w*(?:fail|abort|die)\w*\()`;

/** Finds `os.environ.get("X")` and `os.getenv("X")`, with `or fail()`, `:= …` or `if not x: raise` behind it. */
function readsByGet(text: string): Reads {
  const withDefault = /\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*,/g;
  const get = /(?:\bos\.)?\b(?:environ\.get|getenv)\(\s*(?:key\s*=\s*)?["']([A-Za-z_]\w*)["']\s*\)/g;
  const locals: Locals = new Map();
  const reads = firstMatches(text, get).map((match): Read => {
    const [whole, name = ""] = match;
    const end = match.index + whole.length;
    const before = text.slice(Math.max(0, match.index - BEFORE), match.index);
    const after = text.slice(end, end + BEHIND);
    const local = ASSIGNED.exec(before)?.[1];
    if (local !== undefined) addLocal(locals, local, name);
    const read = [name, isGuarded(before, after), match.index] as const;
    const format = formatAround(before, name);
    const isUntested = !isTested(before, after);
    return format === undefined && !isUntested ? read : [...read, { isUntested, ...(format && { format }) }];
  });
  const tested = testedIn(text, locals, LOCAL_FORM);
  return [
    ...reads.map((read): Read => {
      const [name, required, at, details] = read;
      if (details === undefined) return read;
      return [name, required, at, { ...details, isUntested: details.isUntested === true && !tested.has(name) }];
    }),
    ...readsBy(text, withDefault, false),
  ];
}

/** `int(X)` and `float(X)` raise an exception for anything else. */
function formatAround(before: string, name: string): FormatEntry | undefined {
  return castFormat(/(?<![\w.])(int|float)\(\s{0,20}$/.exec(before)?.[1], name);
}

/** Local variables, and attributes. */
const LOCAL_FORM: LocalForm = {
  pattern: /(?<![\w.])(?:self\.|cls\.)?\w+\b/g,
  nameIn: (word) => word.replace(/^(?:self|cls)\./, ""),
  isTested,
};

/** The name to which a value is assigned, with or without a type: `x = `, `x: str | None = `, `x := `. */
const ASSIGNED = /(?:^|[\s(])(?:self\.|cls\.)?(\w+)[ \t]{0,20}(?::[^=\n:]{1,60})?:?=[ \t]{0,20}$/;

function isGuarded(before: string, after: string): boolean {
  if (/^\s*or\s+/.test(after) && new RegExp(String.raw`^\s*or\s+${ENDS}`).test(after)) return true;
  if (/\bassert\s+$/.test(before)) return true;
  // `if not os.getenv("X"): raise`, and `if not (x := os.getenv("X")): raise`.
  if (/\bif\s+not\s+(?:\(\w+\s*:=\s*)?$/.test(before)) return new RegExp(String.raw`^\)?:\s*${ENDS}`).test(after);
  const local = ASSIGNED.exec(before)?.[1];
  if (local === undefined) return false;
  const value = String.raw`(?:self\.|cls\.)?${local}`;
  const test = String.raw`(?:if\s+(?:not\s+${value}|${value}\s+is\s+None|${value}\s*==\s*["']{2})\s*:\s*${ENDS}|assert\s+${value}\b)`;
  return new RegExp(String.raw`^[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*[ \t]*${test}`).test(after);
}

/**
 * Finds `config("X")` of decouple and Starlette, and `env("X")` and `env.int("X")` of an `Env()`, which may be imported.
 * Without a default they throw.
 */
function readsByCalls(text: string): Reads {
  const isDecouple = /^[ \t]*from decouple import .*\bconfig\b(?! as )/m.test(text);
  const isStarlette = /^[ \t]*from starlette\.config import .*\bConfig\b/m.test(text);
  const isEnv = /^[ \t]*(?:import (?:\w+, ?){0,9}environ|from environs? import .*\bEnv)\b/m.test(text);
  // The names of `env.prefixed("X_")` are parts.
  const isPrefixed = /\bprefix/.test(text);
  const objects = isEnv && !isPrefixed ? matchesOf(text, /^[ \t]*(\w+)\s*=\s*(?:environ\.)?Env\(/gm) : [];
  // The settings of an environment of Django take `env` from those of all: `from .base import env`.
  const imported = isPrefixed ? [] : matchesOf(text, /^from \.[\w.]{0,80} import [^\n#]{0,200}\b(env)\b/gm);
  const configs = isStarlette ? matchesOf(text, /^[ \t]*(\w+)\s*=\s*Config\(/gm) : [];
  const scheme = schemeOf(text);
  const ofEnv = [...objects, ...imported];
  const callers = new Set([...(isDecouple ? ["config"] : []), ...configs, ...ofEnv]);
  return firstNames(callers).flatMap((object) => {
    const call = new RegExp(
      String.raw`(?<![\w.])${object}(?:\.([a-z_]+))?\(\s*(?:["']([A-Z][A-Z0-9_]*)["']|(?=\)|(default)\s*=))`,
      "g",
    );
    const isOfEnv = ofEnv.includes(object);
    return firstMatches(text, call).flatMap((match): Reads => {
      const [whole, method = "", name = isOfEnv ? IMPLIED.get(method) : undefined, byDefault] = match;
      if (name === undefined) return [];
      const rest = argumentsAt(text, match.index + whole.length);
      const hasDefault = isOfEnv
        ? byDefault !== undefined || rest.some((one) => !/^\w+\s*=/.test(one) || /^default\s*=/.test(one))
        : rest.some((one) => !/^cast\s*=/.test(one));
      const isRequired = !hasDefault && !(isOfEnv && (scheme === "elsewhere" || scheme.has(name)));
      const cast = isOfEnv ? method : rest.map((one) => /^cast\s*=\s*(\w+)$/.exec(one)?.[1]).find(Boolean);
      const format = castFormat(cast, name);
      const read = [name, isRequired, match.index] as const;
      return [format === undefined ? read : [...read, { format }]];
    });
  });
}

function castFormat(cast: string | undefined, name: string): FormatEntry | undefined {
  if (cast === "bool") return "boolean";
  return cast === "int" || cast === "float" ? numeric(cast === "int" ? "integer" : "number", {}, name) : undefined;
}

/** The variables that methods of django-environ read if they name none. */
const IMPLIED: ReadonlyMap<string, string> = new Map([
  ["db", "DATABASE_URL"],
  ["db_url", "DATABASE_URL"],
  ["cache", "CACHE_URL"],
  ["cache_url", "CACHE_URL"],
  ["email", "EMAIL_URL"],
  ["email_url", "EMAIL_URL"],
]);

/** Returns the variables to which a scheme, `Env(DEBUG=(bool, False))`, gives a default; `elsewhere` if they are not to be seen. */
function schemeOf(text: string): ReadonlySet<string> | "elsewhere" {
  const call = /=\s*(?:environ\.)?Env(?=\()/.exec(text);
  if (call === null) return new Set();
  const scheme = expressionAt(text, call.index + call[0].length).replaceAll(/^[ \t]*#.*$/gm, "");
  if (/\*\*|^\(\s*\w+\s*[,)]/.test(scheme) || !scheme.trimEnd().endsWith(")")) return "elsewhere";
  return new Set(matchesOf(scheme, /[(,]\s*(\w+)\s*=\s*\(/g));
}

/** Returns the further arguments of a call, from a position behind its first one. */
function argumentsAt(text: string, start: number): readonly string[] {
  const further: string[] = [];
  for (let at = start; further.length < 8;) {
    const comma = /^\s*,\s*/.exec(text.slice(at, at + 200));
    if (comma === null) return further;
    at += comma[0].length;
    const argument = expressionAt(text, at);
    if (argument.trim() === "") return further;
    further.push(argument.trim());
    at += argument.length;
  }
  return further;
}

/** Names that the settings class takes from elsewhere. */
const RENAMES = /\b(?:alias_generator|fields\s*=)/;
/** Classes of single values. */
const SCALAR = /^(?:None|Secret(?:Str|Bytes)|Path|Decimal|UUID|\w*(?:Url|Dsn))$/;
/** A class of settings or a model in a file of its own, by its name: its fields may be variables of their own. */
const NESTED = /(?:Settings|Config|Model)\b/;

/**
 * Finds the fields of `class X(BaseSettings)` of pydantic, and of classes that extend one in the same file: their names in
 * upper case, behind `env_prefix`, or the names that an alias gives them.
 */
function readsBySettings(text: string): Reads {
  if (!/\bpydantic/.test(text)) return [];
  // As long as the text, so that positions are the same in both.
  const code = text
    .replaceAll("\r\n", " \n")
    .replaceAll(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, (documentation) => documentation.replaceAll(/[^\n]/g, " "));
  const classes = Array.from(
    code.matchAll(/^class (\w+)\(([^()]{0,500})\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm),
    ({ index, 0: { length }, 1: name = "", 2: bases = "", 3: body = "" }) => {
      return { name, bases, body, at: index + length - body.length };
    },
  );
  const settings = new Map<string, SettingsOptions>([["BaseSettings", { prefix: "", isExact: false }]]);
  const enums = enumsIn(code);
  const models = new Set(["BaseModel"]);
  // In the order of the file, a class comes after its bases.
  return classes.flatMap(({ name, bases, body, at }) => {
    const extended = bases.split(",").map((base) => base.split("[")[0]?.trim().split(/\W/).at(-1) ?? "");
    const base = extended.find((one) => settings.has(one));
    if (base === undefined) {
      if (extended.some((one) => models.has(one))) models.add(name);
      return [];
    }
    const options = optionsIn(`${bases}\n${body}`, settings.get(base));
    settings.set(name, options);
    const fields = fieldsOf(options, body, (one) => models.has(one) || settings.has(one), enums);
    return fields.map(([field, required, inBody, ...details]): Read => [field, required, at + inBody, ...details]);
  });
}

/** How the fields of a class are named in the environment. */
interface SettingsOptions {
  /** Undefined if it is not a text. */
  readonly prefix: string | undefined;
  readonly isExact: boolean;
}

/** Returns the options of a class: those of its base, unless it states them itself. */
function optionsIn(text: string, base: SettingsOptions | undefined): SettingsOptions {
  const prefix = /\benv_prefix["']?\s*[=:]\s*["'](\w*)["']/.exec(text)?.[1];
  const isExact = /\bcase_sensitive\b\W+(True|False)\b/.exec(text)?.[1];
  return {
    prefix: /\benv_prefix\b/.test(text) ? prefix : base?.prefix,
    isExact: isExact === undefined ? base?.isExact === true : isExact === "True",
  };
}

function fieldsOf(
  { prefix, isExact }: SettingsOptions,
  body: string,
  isNested: (type: string) => boolean,
  enums: Enums,
): Reads {
  if (RENAMES.test(body) || prefix === undefined) return [];
  const indent = /^[ \t]{1,200}(?=\S)/m.exec(body)?.[0] ?? "";
  const field = new RegExp(String.raw`^${indent}([A-Za-z]\w*)[ \t]*:[ \t]*`, "gm");
  // Expressions of correct code do not overlap. In other code each character could be read as often as one is long.
  let unread = 2 * body.length;
  const loose = looseFieldsIn(body);
  return firstMatches(body, field).flatMap((match): Reads => {
    if (unread <= 0) return [];
    const [whole, name = ""] = match;
    const expression = expressionAt(body, match.index + whole.length);
    unread -= expression.length;
    const declaration = expression.replace(/#.*$/gm, "");
    const type = expressionAt(declaration, 0, "=");
    const value = declaration.charAt(type.length) === "=" ? declaration.slice(type.length + 1).trim() : undefined;
    const types = new Set(type.match(/\w+/g));
    if (name === "model_config" || types.size === 0 || types.has("ClassVar")) return [];
    // `other: Other = Other()`, or a factory: a model, whose fields have names of their own.
    const made = /^(?:Field\([^]*\bdefault_factory\s*=\s*)?(\w+)/.exec(value ?? "")?.[1] ?? "";
    const isMade = types.has(made) && /^[A-Z]/.test(made) && !SCALAR.test(made) && !enums.has(made);
    if (isMade || NESTED.test(type) || Array.from(types).some(isNested)) return [];
    const alias = aliasIn(`${type} ${value ?? ""}`);
    if (alias === "elsewhere") return [];
    const variable = alias?.name ?? prefix + name;
    const isRequired = value === undefined ? !/\bField\([^()]*\bdefault/.test(type) : isRequiredField(value);
    const shown = isExact || alias !== undefined ? variable : variable.toUpperCase();
    const isLoose = loose.has(name) || loose.has("*");
    const format = isLoose ? undefined : pydanticFormat(type, value ?? "", shown, enums);
    const { others = [] } = alias ?? {};
    const details = {
      isOptional: !isRequired,
      ...(format && { format }),
      ...(others.length > 0 && { aliases: others }),
    };
    return [[shown, isRequired, match.index, details]];
  });
}

interface FieldAlias {
  readonly name: string;
  readonly others: readonly string[];
}

/** Returns the variables that `Field(alias="X")` names, the first one apart; `elsewhere` for one that is not a text. */
function aliasIn(text: string): FieldAlias | "elsewhere" | undefined {
  const validation = /\bvalidation_alias\s*=\s*/.exec(text) ?? /\b(?:alias|env)\s*=\s*/.exec(text);
  if (validation === null) return undefined;
  const rest = text.slice(validation.index + validation[0].length);
  const list = /^(?:(?:\w+\.)?AliasChoices\(|\[)/.exec(rest)?.[0];
  const names =
    list === undefined
      ? [/^\s*["'](\w+)["']/.exec(rest)?.[1]]
      : partsOf(between(rest, list.length - 1)).map((part) => /^["'](\w+)["']$/.exec(part)?.[1]);
  const [name, ...others] = names;
  return name === undefined ? "elsewhere" : { name, others: others.filter((one) => one !== undefined) };
}

/** Returns true for `Field(…)` without a default, and `Field(..., description="x")`. */
function isRequiredField(value: string): boolean {
  const call = /^(?:\w+\.)?Field\(/.exec(value);
  if (call === null) return false;
  const first = expressionAt(value, call[0].length).trim();
  if (first === "...") return true;
  if (first !== "" && !/^\w+\s*=(?!=)/.test(first)) return false;
  return !/\b(?:default|default_factory)\s*=(?!\s*\.\.\.)/.test(value);
}
