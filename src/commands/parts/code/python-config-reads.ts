/**
 * Finds where Python code reads environment variables with the libraries django-environ, environs, python-decouple and Starlette.
 * `init` proposes a contract with these variables, and `check --code` reports those that the contract lacks.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { parseExpression } from "./expressions.ts";
import { findCaptures, findMatches, limitObjectNames, type VariableRead, type VariableReads } from "./reads.ts";
import { createNumberFormat } from "./type-formats.ts";

/** The objects and functions of the libraries in one file, by their names there. */
interface LibraryNames {
  /** Objects of django-environ and environs, which have a method for each type: `env.int("PORT")`. */
  readonly envObjects: readonly string[];
  /** Functions of python-decouple and Starlette: `config("PORT", cast=int)`. */
  readonly configFunctions: readonly string[];
}

/**
 * Finds reads such as these, which raise an exception if the variable is not set, unless the call has a default:
 *
 *     DEBUG = config("DEBUG", default=False, cast=bool)
 *     PORT = env.int("PORT")
 *     DATABASES = {"default": env.db()}
 */
export function findConfigReads(text: string): VariableReads {
  const { envObjects, configFunctions } = findLibraryNames(text);
  const schemeDefaults = parseEnvScheme(text);
  return limitObjectNames(new Set([...configFunctions, ...envObjects])).flatMap((objectName) => {
    const isEnvObject = envObjects.includes(objectName);
    // The groups are the method, the variable as the first argument, and the keyword of a default as the first argument.
    const callStart = new RegExp(
      String.raw`(?<![\w.])${objectName}(?:\.([a-z_]+))?\(\s*(?:["']([A-Z][A-Z0-9_]*)["']|(?=\)|(default)\s*=))`,
      "g",
    );
    return findMatches(text, callStart).flatMap((match) => {
      const [matchedText, method = "", name, defaultKeyword] = match;
      const furtherArguments = parseFurtherArguments(text, match.index + matchedText.length);
      const call: ConfigCall = { method, name, isDefaultFirst: defaultKeyword !== undefined, furtherArguments };
      const read = isEnvObject ? parseEnvCall(call, schemeDefaults) : parseConfigCall(call);
      return read === undefined ? [] : [{ ...read, offset: match.index }];
    });
  });
}

/** A call of one of the libraries. */
interface ConfigCall {
  /** `int` in `env.int("PORT")`; empty for a plain function. */
  readonly method: string;
  /** The first argument, if it is the name of a variable. */
  readonly name: string | undefined;
  /** True if the first argument is the default: `env.db(default="sqlite://")`. */
  readonly isDefaultFirst: boolean;
  /** The arguments after the first one. */
  readonly furtherArguments: readonly string[];
}

/**
 * Returns the read of a call of django-environ or environs; undefined if the variable is not known. A method such as `db` implies a
 * variable if the call names none.
 */
function parseEnvCall(call: ConfigCall, schemeDefaults: SchemeDefaults): Omit<VariableRead, "offset"> | undefined {
  const name = call.name ?? IMPLIED_VARIABLES.get(call.method);
  if (name === undefined) return undefined;
  const hasDefault = call.isDefaultFirst || call.furtherArguments.some(isEnvDefault);
  const mayHaveSchemeDefault = schemeDefaults === "unknown" || schemeDefaults.has(name);
  return { name, isRequired: !hasDefault && !mayHaveSchemeDefault, format: findConversionFormat(call.method, name) };
}

/** Returns the read of a call of python-decouple or Starlette, whose further arguments are a type and a default. */
function parseConfigCall({ name, furtherArguments }: ConfigCall): Omit<VariableRead, "offset"> | undefined {
  if (name === undefined) return undefined;
  const hasDefault = furtherArguments.some((argument) => !/^cast\s*=/.test(argument));
  return { name, isRequired: !hasDefault, format: findConversionFormat(parseCastType(furtherArguments), name) };
}

/** Finds the libraries that a file imports, and the names of their objects and functions in the file. */
function findLibraryNames(text: string): LibraryNames {
  const importsDecouple = /^[ \t]*from decouple import .*\bconfig\b(?! as )/m.test(text);
  const importsStarlette = /^[ \t]*from starlette\.config import .*\bConfig\b/m.test(text);
  const importsEnv = /^[ \t]*(?:import (?:\w+, ?){0,9}environ|from environs? import .*\bEnv)\b/m.test(text);
  const starletteConfigs = importsStarlette ? findCaptures(text, /^[ \t]*(\w+)\s*=\s*Config\(/gm) : [];
  const configFunctions = [...(importsDecouple ? ["config"] : []), ...starletteConfigs];
  // Within `env.prefixed("X_")` the calls contain only parts of the names.
  if (/\bprefix/.test(text)) return { envObjects: [], configFunctions };
  const createdObjects = importsEnv ? findCaptures(text, /^[ \t]*(\w+)\s*=\s*(?:environ\.)?Env\(/gm) : [];
  // A Django project often has one module for all settings, and further ones that import its object: `from .base import env`.
  const importedObjects = findCaptures(text, /^from \.[\w.]{0,80} import [^\n#]{0,200}\b(env)\b/gm);
  return { envObjects: [...createdObjects, ...importedObjects], configFunctions };
}

/** Returns true for the default of a call such as `env("X", "default")` or `env.int("X", default=3)`. */
function isEnvDefault(argument: string): boolean {
  const isKeyword = /^\w+\s*=/.test(argument);
  return !isKeyword || /^default\s*=/.test(argument);
}

/** Returns the type in an argument such as `cast=int`; undefined if no argument has one. */
function parseCastType(furtherArguments: readonly string[]): string | undefined {
  return furtherArguments
    .map((argument) => /^cast\s*=\s*(\w+)$/.exec(argument)?.[1])
    .find((type) => type !== undefined);
}

/** Returns the format of a value that the code converts to `bool`, `int` or `float`; undefined for any other type. */
export function findConversionFormat(type: string | undefined, name: string): FormatEntry | undefined {
  if (type === "bool") return "boolean";
  if (type === "int") return createNumberFormat("integer", {}, name);
  return type === "float" ? createNumberFormat("number", {}, name) : undefined;
}

/** The variables that methods of django-environ read if the call names none: `env.db()`. */
const IMPLIED_VARIABLES: ReadonlyMap<string, string> = new Map([
  ["db", "DATABASE_URL"],
  ["db_url", "DATABASE_URL"],
  ["cache", "CACHE_URL"],
  ["cache_url", "CACHE_URL"],
  ["email", "EMAIL_URL"],
  ["email_url", "EMAIL_URL"],
]);

/**
 * The variables for which the scheme of django-environ has a default; `unknown` if the scheme is defined in another variable, or
 * too long to be parsed.
 */
type SchemeDefaults = ReadonlySet<string> | "unknown";

/**
 * Parses the scheme of django-environ, which gives variables a type and a default:
 *
 *     env = environ.Env(DEBUG=(bool, False), LEVEL=(str, "info"))
 */
function parseEnvScheme(text: string): SchemeDefaults {
  const constructorCall = /=\s*(?:environ\.)?Env(?=\()/.exec(text);
  if (constructorCall === null) return new Set();
  const schemeOffset = constructorCall.index + constructorCall[0].length;
  const scheme = parseExpression(text, schemeOffset).replaceAll(/^[ \t]*#.*$/gm, "");
  const isDefinedElsewhere = /\*\*|^\(\s*\w+\s*[,)]/.test(scheme);
  const isComplete = scheme.trimEnd().endsWith(")");
  if (isDefinedElsewhere || !isComplete) return "unknown";
  return new Set(findCaptures(scheme, /[(,]\s*(\w+)\s*=\s*\(/g));
}

/** The libraries have fewer parameters. */
const MAX_ARGUMENTS = 8;

/**
 * Parses the arguments of a call that follow the first one.
 *
 * @param firstArgumentEnd the offset at which the first argument ends
 */
function parseFurtherArguments(text: string, firstArgumentEnd: number): readonly string[] {
  const furtherArguments: string[] = [];
  for (let position = firstArgumentEnd; furtherArguments.length < MAX_ARGUMENTS;) {
    const comma = /^\s*,\s*/.exec(text.slice(position, position + 200));
    if (comma === null) return furtherArguments;
    position += comma[0].length;
    const argument = parseExpression(text, position);
    if (argument.trim() === "") return furtherArguments;
    furtherArguments.push(argument.trim());
    position += argument.length;
  }
  return furtherArguments;
}
