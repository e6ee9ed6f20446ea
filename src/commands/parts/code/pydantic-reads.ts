/**
 * Finds the environment variables that settings classes of pydantic read. Each field of such a class is a variable, by default
 * the name of the field in upper case:
 *
 *     class Settings(BaseSettings):
 *         model_config = SettingsConfigDict(env_prefix="APP_")
 *         port: int = Field(default=80, ge=1)
 */
import { splitList, textInBrackets } from "./expressions.ts";
import { type Enums, enumsIn, fieldsWithEarlyValidator, pydanticFormat } from "./pydantic-formats.ts";
import { expressionAt, firstMatches, type ReadDetails, type VariableRead, type VariableReads } from "./reads.ts";

interface PydanticClass {
  readonly name: string;
  /** The list of base classes and class options, as it stands in the brackets. */
  readonly bases: string;
  readonly body: string;
  readonly bodyOffset: number;
}

/** How the fields of a settings class are named in the environment. */
interface SettingsOptions {
  /** Undefined if it is not a string literal, so that no name is known. */
  readonly prefix: string | undefined;
  /** The variables are named exactly like the fields, not in upper case. */
  readonly isCaseSensitive: boolean;
}

/** Finds the fields of the classes that extend BaseSettings, or a settings class of the same file. */
export function findPydanticReads(text: string): VariableReads {
  if (!/\bpydantic/.test(text)) return [];
  // Docstrings become spaces. The result is as long as the text, so that offsets stay the same.
  const code = text
    .replaceAll("\r\n", " \n")
    .replaceAll(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, (docstring) => docstring.replaceAll(/[^\n]/g, " "));
  const enums = enumsIn(code);
  const settingsClasses = new Map<string, SettingsOptions>([["BaseSettings", { prefix: "", isCaseSensitive: false }]]);
  const modelClasses = new Set(["BaseModel"]);
  const isNestedType = (type: string): boolean => modelClasses.has(type) || settingsClasses.has(type);
  // In Python each class comes after its base classes, so that these maps know them when it is parsed.
  return parseClasses(code).flatMap(({ name, bases, body, bodyOffset }) => {
    const baseNames = bases.split(",").map((base) => base.split("[")[0]?.trim().split(/\W/).at(-1) ?? "");
    const settingsBase = baseNames.find((baseName) => settingsClasses.has(baseName));
    if (settingsBase === undefined) {
      if (baseNames.some((baseName) => modelClasses.has(baseName))) modelClasses.add(name);
      return [];
    }
    const options = parseOptions(`${bases}\n${body}`, settingsClasses.get(settingsBase));
    settingsClasses.set(name, options);
    const earlyValidated = fieldsWithEarlyValidator(body);
    const fields = findFields(body, { options, isNestedType, enums, earlyValidated });
    return fields.map(([variable, required, offset, ...details]): VariableRead => {
      return [variable, required, bodyOffset + offset, ...details];
    });
  });
}

function parseClasses(code: string): readonly PydanticClass[] {
  return Array.from(
    code.matchAll(/^class (\w+)\(([^()]{0,500})\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm),
    ({ index, 0: { length }, 1: name = "", 2: bases = "", 3: body = "" }) => {
      return { name, bases, body, bodyOffset: index + length - body.length };
    },
  );
}

/** Parses `env_prefix` and `case_sensitive`. A class inherits each option that it does not state. */
function parseOptions(text: string, baseOptions: SettingsOptions | undefined): SettingsOptions {
  const prefix = /\benv_prefix["']?\s*[=:]\s*["'](\w*)["']/.exec(text)?.[1];
  const caseSensitive = /\bcase_sensitive\b\W+(True|False)\b/.exec(text)?.[1];
  return {
    prefix: /\benv_prefix\b/.test(text) ? prefix : baseOptions?.prefix,
    isCaseSensitive: caseSensitive === undefined ? baseOptions?.isCaseSensitive === true : caseSensitive === "True",
  };
}

/** A class that renames its fields by a function or a dictionary, so that their variables are not known. */
const FIELD_RENAMING = /\b(?:alias_generator|fields\s*=)/;
/** Types in upper camel case whose value is a single text, not a model. */
const SCALAR_TYPE = /^(?:None|Secret(?:Str|Bytes)|Path|Decimal|UUID|\w*(?:Url|Dsn))$/;
/** The name of a model that is defined in another file. Its fields may have variables of their own. */
const MODEL_NAME = /(?:Settings|Config|Model)\b/;

/** Everything that decides over the fields of one class. */
interface ClassContext {
  readonly options: SettingsOptions;
  /** Returns true for the name of a class whose fields are variables of their own. */
  readonly isNestedType: (type: string) => boolean;
  readonly enums: Enums;
  /** The fields whose values a validator may change before the type is checked; `*` stands for all. */
  readonly earlyValidated: ReadonlySet<string>;
}

/** Returns the fields of a class as reads, whose offsets are from the beginning of the body. */
function findFields(body: string, context: ClassContext): VariableReads {
  if (FIELD_RENAMING.test(body) || context.options.prefix === undefined) return [];
  const indent = /^[ \t]{1,200}(?=\S)/m.exec(body)?.[0] ?? "";
  const fieldStart = new RegExp(String.raw`^${indent}([A-Za-z]\w*)[ \t]*:[ \t]*`, "gm");
  // In correct code the declarations do not overlap. In other code each character may belong to many of them, so that fields
  // are parsed only until twice the length of the body is read.
  let charactersLeft = 2 * body.length;
  const reads: VariableRead[] = [];
  for (const match of firstMatches(body, fieldStart)) {
    if (charactersLeft <= 0) break;
    const [start, fieldName = ""] = match;
    const declaration = expressionAt(body, match.index + start.length);
    charactersLeft -= declaration.length;
    const field = parseField(fieldName, declaration, context);
    if (field !== undefined) reads.push([field.name, field.isRequired, match.index, field.details]);
  }
  return reads;
}

interface SettingsField {
  /** The name of the variable. */
  readonly name: string;
  readonly isRequired: boolean;
  readonly details: ReadDetails;
}

/**
 * Parses the declaration of a field, such as `int = Field(default=80)`. Returns undefined if the field is not a variable, or if
 * the name of its variable is not known.
 */
function parseField(fieldName: string, declaration: string, context: ClassContext): SettingsField | undefined {
  const { options, isNestedType, enums, earlyValidated } = context;
  const { type, value } = parseDeclaration(declaration);
  const typeNames = new Set(type.match(/\w+/g));
  if (fieldName === "model_config" || typeNames.size === 0 || typeNames.has("ClassVar")) return undefined;
  const isNested = MODEL_NAME.test(type) || Array.from(typeNames).some(isNestedType);
  if (isNested || isModelByDefault(typeNames, value, enums)) return undefined;
  const alias = parseAlias(`${type} ${value ?? ""}`);
  if (alias === "unknown") return undefined;
  const variable = alias?.name ?? `${options.prefix ?? ""}${fieldName}`;
  const isExactName = options.isCaseSensitive || alias !== undefined;
  const name = isExactName ? variable : variable.toUpperCase();
  const isRequired = value === undefined ? !/\bField\([^()]*\bdefault/.test(type) : isRequiredField(value);
  const isLoose = earlyValidated.has(fieldName) || earlyValidated.has("*");
  const format = isLoose ? undefined : pydanticFormat(type, value ?? "", name, enums);
  const { otherNames = [] } = alias ?? {};
  const details = {
    isOptional: !isRequired,
    ...(format && { format }),
    ...(otherNames.length > 0 && { aliases: otherNames }),
  };
  return { name, isRequired, details };
}

/** Splits what follows the name of a field: `int = Field(default=80)`. */
function parseDeclaration(text: string): { readonly type: string; readonly value: string | undefined } {
  const declaration = text.replace(/#.*$/gm, "");
  const type = expressionAt(declaration, 0, "=");
  const hasValue = declaration.charAt(type.length) === "=";
  return { type, value: hasValue ? declaration.slice(type.length + 1).trim() : undefined };
}

/**
 * Returns true for a field whose default is an object of its own type, as in `other: Other = Other()` or with a factory. Then
 * the type is a model, whose fields have variables of their own.
 */
function isModelByDefault(typeNames: ReadonlySet<string>, value: string | undefined, enums: Enums): boolean {
  const className = /^(?:Field\([^]*\bdefault_factory\s*=\s*)?(\w+)/.exec(value ?? "")?.[1] ?? "";
  const isClass = typeNames.has(className) && /^[A-Z]/.test(className);
  return isClass && !SCALAR_TYPE.test(className) && !enums.has(className);
}

/** The variables of a field that `alias` names instead of the field. */
interface FieldAlias {
  readonly name: string;
  readonly otherNames: readonly string[];
}

/**
 * Parses the alias of a field: `Field(alias="X")`, or `Field(validation_alias=AliasChoices("X", "Y"))`.
 *
 * @returns `unknown` for an alias that is not a string literal
 */
function parseAlias(text: string): FieldAlias | "unknown" | undefined {
  const keyword = /\bvalidation_alias\s*=\s*/.exec(text) ?? /\b(?:alias|env)\s*=\s*/.exec(text);
  if (keyword === null) return undefined;
  const alias = text.slice(keyword.index + keyword[0].length);
  const listStart = /^(?:(?:\w+\.)?AliasChoices\(|\[)/.exec(alias)?.[0];
  const names =
    listStart === undefined
      ? [/^\s*["'](\w+)["']/.exec(alias)?.[1]]
      : splitList(textInBrackets(alias, listStart.length - 1)).map((item) => /^["'](\w+)["']$/.exec(item)?.[1]);
  const [name, ...otherNames] = names;
  if (name === undefined) return "unknown";
  return { name, otherNames: otherNames.filter((otherName) => otherName !== undefined) };
}

/** Returns true for `Field(…)` without a default, and for `Field(..., description="x")`. */
function isRequiredField(value: string): boolean {
  const call = /^(?:\w+\.)?Field\(/.exec(value);
  if (call === null) return false;
  const firstArgument = expressionAt(value, call[0].length).trim();
  if (firstArgument === "...") return true;
  const isKeyword = /^\w+\s*=(?!=)/.test(firstArgument);
  if (firstArgument !== "" && !isKeyword) return false;
  return !/\b(?:default|default_factory)\s*=(?!\s*\.\.\.)/.test(value);
}
