/** Finds the environment variables that Python code reads with django-environ, environs, python-decouple and Starlette. */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { expressionAt, firstGroups, firstMatches, firstNames, type VariableReads } from "./reads.ts";
import { numberFormat } from "./type-formats.ts";

/** The names under which a file calls the libraries. */
interface ConfigCallers {
  /** Objects of django-environ and environs, which have a method for each type: `env.int("PORT")`. */
  readonly envObjects: readonly string[];
  /** Functions of python-decouple and Starlette: `config("PORT", cast=int)`. */
  readonly configFunctions: readonly string[];
}

/**
 * Finds reads such as these, which raise an exception without the variable unless the call has a default:
 *
 *     DEBUG = config("DEBUG", default=False, cast=bool)
 *     PORT = env.int("PORT")
 *     DATABASES = {"default": env.db()}
 */
export function findConfigReads(text: string): VariableReads {
  const { envObjects, configFunctions } = findCallers(text);
  const defaults = parseEnvScheme(text);
  return firstNames(new Set([...configFunctions, ...envObjects])).flatMap((caller) => {
    const call = new RegExp(
      String.raw`(?<![\w.])${caller}(?:\.([a-z_]+))?\(\s*(?:["']([A-Z][A-Z0-9_]*)["']|(?=\)|(default)\s*=))`,
      "g",
    );
    const isEnvObject = envObjects.includes(caller);
    return firstMatches(text, call).flatMap((match): VariableReads => {
      const [matched, method = "", literalName, defaultKeyword] = match;
      const name = literalName ?? (isEnvObject ? IMPLIED_VARIABLES.get(method) : undefined);
      if (name === undefined) return [];
      const furtherArguments = parseFurtherArguments(text, match.index + matched.length);
      const hasDefault = isEnvObject
        ? defaultKeyword !== undefined || furtherArguments.some(isEnvDefault)
        : furtherArguments.some((argument) => !/^cast\s*=/.test(argument));
      const hasSchemeDefault = isEnvObject && (defaults === "unknown" || defaults.has(name));
      const type = isEnvObject ? method : castArgument(furtherArguments);
      const format = castFormat(type, name);
      const read = [name, !hasDefault && !hasSchemeDefault, match.index] as const;
      return [format === undefined ? read : [...read, { format }]];
    });
  });
}

function findCallers(text: string): ConfigCallers {
  const importsDecouple = /^[ \t]*from decouple import .*\bconfig\b(?! as )/m.test(text);
  const importsStarlette = /^[ \t]*from starlette\.config import .*\bConfig\b/m.test(text);
  const importsEnv = /^[ \t]*(?:import (?:\w+, ?){0,9}environ|from environs? import .*\bEnv)\b/m.test(text);
  const starletteConfigs = importsStarlette ? firstGroups(text, /^[ \t]*(\w+)\s*=\s*Config\(/gm) : [];
  const configFunctions = [...(importsDecouple ? ["config"] : []), ...starletteConfigs];
  // Within `env.prefixed("X_")` the calls contain only parts of the names.
  if (/\bprefix/.test(text)) return { envObjects: [], configFunctions };
  const ownObjects = importsEnv ? firstGroups(text, /^[ \t]*(\w+)\s*=\s*(?:environ\.)?Env\(/gm) : [];
  // A Django project often has one module for all settings, and further ones that import its object: `from .base import env`.
  const importedObjects = firstGroups(text, /^from \.[\w.]{0,80} import [^\n#]{0,200}\b(env)\b/gm);
  return { envObjects: [...ownObjects, ...importedObjects], configFunctions };
}

/** Returns true for the default of a call such as `env("X", "default")` or `env.int("X", default=3)`. */
function isEnvDefault(argument: string): boolean {
  const isKeyword = /^\w+\s*=/.test(argument);
  return !isKeyword || /^default\s*=/.test(argument);
}

function castArgument(furtherArguments: readonly string[]): string | undefined {
  return furtherArguments.map((argument) => /^cast\s*=\s*(\w+)$/.exec(argument)?.[1]).find(Boolean);
}

/** Returns the format of a value that Python converts to a type by its name: `bool`, `int` or `float`. */
export function castFormat(type: string | undefined, name: string): FormatEntry | undefined {
  if (type === "bool") return "boolean";
  if (type === "int") return numberFormat("integer", {}, name);
  return type === "float" ? numberFormat("number", {}, name) : undefined;
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
 * Parses the scheme of django-environ, which gives variables a type and a default:
 *
 *     env = environ.Env(DEBUG=(bool, False), LEVEL=(str, "info"))
 *
 * @returns the variables with a default; `unknown` if the scheme is in another variable, or too long to be parsed
 */
function parseEnvScheme(text: string): ReadonlySet<string> | "unknown" {
  const constructor = /=\s*(?:environ\.)?Env(?=\()/.exec(text);
  if (constructor === null) return new Set();
  const scheme = expressionAt(text, constructor.index + constructor[0].length).replaceAll(/^[ \t]*#.*$/gm, "");
  const isDefinedElsewhere = /\*\*|^\(\s*\w+\s*[,)]/.test(scheme);
  const isWhole = scheme.trimEnd().endsWith(")");
  if (isDefinedElsewhere || !isWhole) return "unknown";
  return new Set(firstGroups(scheme, /[(,]\s*(\w+)\s*=\s*\(/g));
}

const MAX_ARGUMENTS = 8;

/** Returns the arguments of a call from the second one on. `offset` is behind the first one. */
function parseFurtherArguments(text: string, offset: number): readonly string[] {
  const furtherArguments: string[] = [];
  for (let position = offset; furtherArguments.length < MAX_ARGUMENTS;) {
    const comma = /^\s*,\s*/.exec(text.slice(position, position + 200));
    if (comma === null) return furtherArguments;
    position += comma[0].length;
    const argument = expressionAt(text, position);
    if (argument.trim() === "") return furtherArguments;
    furtherArguments.push(argument.trim());
    position += argument.length;
  }
  return furtherArguments;
}
