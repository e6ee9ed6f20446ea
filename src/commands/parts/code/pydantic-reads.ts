/**
 * Finds the environment variables that settings classes of pydantic read, which are Python classes that extend BaseSettings.
 * `init` and `check --code` search a project's code for such variables. The declaration of a field reads a variable, whose name is by
 * default that of the field in upper case. This class reads APP_PORT:
 *
 *     class Settings(BaseSettings):
 *         model_config = SettingsConfigDict(env_prefix="APP_")
 *         port: int = Field(default=80, ge=1)
 */
import { parseExpression, splitList, parseBracketContent } from "./expressions.ts";
import {
  type Enums,
  type FieldDeclaration,
  findEnums,
  findFieldsWithEarlyValidator,
  translatePydanticField,
} from "./pydantic-formats.ts";
import { findMatches, type VariableRead, type VariableReads } from "./reads.ts";

/** How the fields of a settings class are named in the environment. */
interface SettingsOptions {
  /** Undefined if the prefix is not a string literal, so that no variable's name is known. */
  readonly prefix: string | undefined;
  /** True if the variables are named exactly like the fields, not in upper case. */
  readonly isCaseSensitive: boolean;
}

/** The facts about a class that the parsers of its fields need. */
interface ClassContext {
  readonly options: SettingsOptions;
  /** Returns true for the name of a class whose fields are variables of their own. */
  readonly isNestedType: (type: string) => boolean;
  readonly enums: Enums;
  /** The fields whose values a validator may change before the type is checked; `*` stands for all. */
  readonly earlyValidatedFields: ReadonlySet<string>;
}

/** Finds the fields of the classes that extend BaseSettings, or a settings class of the same file. */
export function findPydanticReads(text: string): VariableReads {
  if (!/\bpydantic/.test(text)) return [];
  const code = blankDocstrings(text);
  const enums = findEnums(code);
  const settingsClasses = new Map<string, SettingsOptions>([["BaseSettings", { prefix: "", isCaseSensitive: false }]]);
  const modelClasses = new Set(["BaseModel"]);
  const isNestedType = (type: string): boolean => modelClasses.has(type) || settingsClasses.has(type);
  const reads: VariableRead[] = [];
  // In Python each class comes after its base classes, so the loop has seen the base classes before.
  for (const { name, argumentText, body, bodyOffset } of parseClasses(code)) {
    const baseNames = parseBaseNames(argumentText);
    const settingsBase = baseNames.find((baseName) => settingsClasses.has(baseName));
    if (settingsBase === undefined) {
      if (baseNames.some((baseName) => modelClasses.has(baseName))) modelClasses.add(name);
      continue;
    }
    // The options are arguments of the class, or in `model_config` in its body.
    const options = parseOptions(`${argumentText}\n${body}`, settingsClasses.get(settingsBase));
    settingsClasses.set(name, options);
    const earlyValidatedFields = findFieldsWithEarlyValidator(body);
    for (const read of findFieldReads(body, { options, isNestedType, enums, earlyValidatedFields })) {
      reads.push({ ...read, offset: bodyOffset + read.offset });
    }
  }
  return reads;
}

/**
 * Replaces docstrings by spaces, since they may contain text that looks like a field. The result is as long as the text, so that
 * offsets stay the same. The patterns of this file expect line breaks without `\r`.
 */
function blankDocstrings(text: string): string {
  return text
    .replaceAll("\r\n", " \n")
    .replaceAll(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, (docstring) => docstring.replaceAll(/[^\n]/g, " "));
}

interface PydanticClass {
  readonly name: string;
  /** The text in the parentheses after the name: base classes, and options such as `env_prefix="APP_"`. */
  readonly argumentText: string;
  readonly body: string;
  readonly bodyOffset: number;
}

/**
 * A class at the beginning of a line: its name, the text in its parentheses, and its body, which is all indented and empty lines
 * that follow. The last line of a file may lack a line break. The limit bounds the time that the pattern takes.
 */
const CLASS_PATTERN = /^class (\w+)\(([^()]{0,500})\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm;

function parseClasses(code: string): readonly PydanticClass[] {
  return Array.from(
    code.matchAll(CLASS_PATTERN),
    ({ index, 0: classText, 1: name = "", 2: argumentText = "", 3: body = "" }) => {
      return { name, argumentText, body, bodyOffset: index + classText.length - body.length };
    },
  );
}

/** Returns the names of base classes without modules and type arguments: `Base` for `settings.Base[int]`. */
function parseBaseNames(argumentText: string): readonly string[] {
  return argumentText.split(",").map((base) => {
    const [baseWithModule = ""] = base.split("[");
    return baseWithModule.trim().split(/\W/).at(-1) ?? "";
  });
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

/** Code in a class that renames its fields by a function or a dictionary, so that the names of the variables are not known. */
const FIELD_RENAMING = /\b(?:alias_generator|fields\s*=)/;

/** Returns a read for each field of a class that is a variable. The offsets count from the beginning of the body. */
function findFieldReads(body: string, context: ClassContext): VariableReads {
  if (FIELD_RENAMING.test(body) || context.options.prefix === undefined) return [];
  // Fields have the indent of the class. Deeper lines are the code of methods.
  const indent = /^[ \t]{1,200}(?=\S)/m.exec(body)?.[0] ?? "";
  const fieldStart = new RegExp(String.raw`^${indent}([A-Za-z]\w*)[ \t]*:[ \t]*`, "gm");
  // In malformed code the declarations may overlap, so that parsing all of them would take quadratic time. Parsing stops after
  // twice the length of the body.
  let charactersLeft = 2 * body.length;
  const reads: VariableRead[] = [];
  for (const match of findMatches(body, fieldStart)) {
    if (charactersLeft <= 0) break;
    const [start, fieldName = ""] = match;
    const declarationText = parseExpression(body, match.index + start.length);
    charactersLeft -= declarationText.length;
    const field = parseField(fieldName, parseDeclaration(declarationText), context);
    if (field !== undefined) reads.push({ ...field, offset: match.index });
  }
  return reads;
}

/** Parses what follows the name of a field: `int = Field(default=80)`. */
function parseDeclaration(declarationText: string): FieldDeclaration {
  const withoutComments = declarationText.replace(/#.*$/gm, "");
  const type = parseExpression(withoutComments, 0, { terminators: "=" });
  const hasValue = withoutComments.charAt(type.length) === "=";
  return { type, value: hasValue ? withoutComments.slice(type.length + 1).trim() : undefined };
}

/** Returns undefined if the field is not a variable, or if the name of its variable is not known. */
function parseField(
  fieldName: string,
  field: FieldDeclaration,
  context: ClassContext,
): Omit<VariableRead, "offset"> | undefined {
  if (fieldName === "model_config" || !isSingleVariable(field, context)) return undefined;
  const [name, ...aliases] = findFieldVariables(fieldName, field, context.options);
  if (name === undefined) return undefined;
  const isRequired = isRequiredField(field);
  // A validator that runs before the type is checked may turn any text into a value of the type.
  const isConverted = context.earlyValidatedFields.has(fieldName) || context.earlyValidatedFields.has("*");
  const format = isConverted ? undefined : translatePydanticField(field, name, context.enums);
  return { name, isRequired, isOptional: !isRequired, format, aliases };
}

/** A guess: by convention, a type with such a name is a model of another file, whose fields have variables of their own. */
const MODEL_NAME = /(?:Settings|Config|Model)\b/;

/** Returns false for a class variable, and for a model whose fields have variables of their own. */
function isSingleVariable(field: FieldDeclaration, { isNestedType, enums }: ClassContext): boolean {
  const typeNames = new Set(field.type.match(/\w+/g));
  if (typeNames.size === 0 || typeNames.has("ClassVar")) return false;
  const isNested = MODEL_NAME.test(field.type) || Array.from(typeNames).some(isNestedType);
  return !isNested && !isModelByDefault(typeNames, field.value, enums);
}

/** Types in upper camel case whose value is a single text, not a model. */
const SCALAR_TYPE = /^(?:None|Secret(?:Str|Bytes)|Path|Decimal|UUID|\w*(?:Url|Dsn))$/;

/**
 * Returns true for a field whose default is an object of the field's type, as in `other: Other = Other()`, or as in
 * `other: Other = Field(default_factory=Other)`. Then the type is a model, whose fields have variables of their own.
 */
function isModelByDefault(typeNames: ReadonlySet<string>, value: string | undefined, enums: Enums): boolean {
  const className = /^(?:Field\([^]*\bdefault_factory\s*=\s*)?(\w+)/.exec(value ?? "")?.[1] ?? "";
  const isClass = typeNames.has(className) && /^[A-Z]/.test(className);
  return isClass && !SCALAR_TYPE.test(className) && !enums.has(className);
}

/** Returns the variables that pydantic tries in turn for a field, in this order; none if the first one is not known. */
function findFieldVariables(
  fieldName: string,
  { type, value = "" }: FieldDeclaration,
  options: SettingsOptions,
): readonly string[] {
  const aliases = parseAliases(`${type} ${value}`);
  if (aliases !== undefined) return aliases;
  const variable = `${options.prefix ?? ""}${fieldName}`;
  return [options.isCaseSensitive ? variable : variable.toUpperCase()];
}

/**
 * Parses the aliases of a field: `Field(alias="X")`, or `Field(validation_alias=AliasChoices("X", "Y"))`. An alias is the exact
 * name of a variable, without the prefix of the class.
 *
 * @returns undefined for a field without an alias; an empty list if the first alias is not a string literal
 */
function parseAliases(fieldText: string): readonly string[] | undefined {
  const keyword = /\bvalidation_alias\s*=\s*/.exec(fieldText) ?? /\b(?:alias|env)\s*=\s*/.exec(fieldText);
  if (keyword === null) return undefined;
  const alias = fieldText.slice(keyword.index + keyword[0].length);
  const listStart = /^(?:(?:\w+\.)?AliasChoices\(|\[)/.exec(alias)?.[0];
  const names =
    listStart === undefined
      ? [/^\s*["'](\w+)["']/.exec(alias)?.[1]]
      : splitList(parseBracketContent(alias, listStart.length - 1)).map((item) => /^["'](\w+)["']$/.exec(item)?.[1]);
  return names[0] === undefined ? [] : names.filter((name) => name !== undefined);
}

/**
 * Returns true for a field without a default: `port: int`, `port: int = Field(ge=1)` and `port: int = Field(...)`. In pydantic
 * three dots in place of a default mark a required field.
 */
function isRequiredField({ type, value }: FieldDeclaration): boolean {
  // Without a value the default may be in the type: `Annotated[int, Field(default=80)]`.
  if (value === undefined) return !/\bField\([^()]*\bdefault/.test(type);
  const call = /^(?:\w+\.)?Field\(/.exec(value);
  if (call === null) return false;
  const firstArgument = parseExpression(value, call[0].length).trim();
  if (firstArgument === "...") return true;
  const isKeyword = /^\w+\s*=(?!=)/.test(firstArgument);
  const isDefault = firstArgument !== "" && !isKeyword;
  return !isDefault && !/\b(?:default|default_factory)\s*=(?!\s*\.\.\.)/.test(value);
}
