/**
 * Finds the environment variables that schemas of zod, valibot, t3-env, envalid and joi declare in JavaScript and TypeScript code.
 * A schema also says which variables are required, and which format each has. script-reads.ts calls both functions.
 */
import { parseExpression } from "./expressions.ts";
import { findMatches, type VariableRead, type VariableReads } from "./reads.ts";
import {
  createListFinder,
  parseEnvalidFormat,
  parseJoiFormat,
  type SchemaFormatParser,
  parseValibotFormat,
  parseZodFormat,
} from "./schema-formats.ts";

/** How the schemas of one library are recognized and parsed. An expression is what follows the name: `z.string()` in `X: z.string()`. */
interface SchemaLibrary {
  /** Matches the name of the package in a file that imports it. */
  readonly packageName: RegExp;
  /** Matches the beginning of an expression: `z.`. */
  readonly expressionStart: RegExp;
  readonly isRequired: (expression: string) => boolean;
  readonly parseFormat: SchemaFormatParser;
}

const LIBRARIES: readonly SchemaLibrary[] = [
  {
    packageName: /["']zod(?:\/\w+)?["']/,
    expressionStart: /^(?:z|zod)\s*\.|^\w*Schema\b/,
    isRequired: (expression) =>
      !/\.(?:optional|default|nullish|catch|prefault)\(|\bz\.(?:optional|undefined|nullish|preprocess|any|unknown)\(/.test(
        expression,
      ),
    parseFormat: parseZodFormat,
  },
  {
    packageName: /["']valibot["']/,
    expressionStart: /^v\s*\.|^(?:pipe|string|optional|number|picklist|fallback)\(/,
    isRequired: (expression) => !/\b(?:optional|nullish|undefinedable|fallback|exactOptional)\(/.test(expression),
    parseFormat: parseValibotFormat,
  },
  {
    packageName: /["']envalid["']/,
    expressionStart: /^(?:\w+\.)?(?:str|bool|num|email|host|port|url|json|make\w+|\w*[vV]alidator)\(/,
    isRequired: (expression) => !/\b(?:default|devDefault)\s*:/.test(expression),
    parseFormat: parseEnvalidFormat,
  },
  {
    packageName: /["'](?:joi|@hapi\/joi)["']/,
    expressionStart: /^Joi\s*\./i,
    isRequired: (expression) => /\.required\(/.test(expression),
    parseFormat: parseJoiFormat,
  },
];

/** A word of a file that reads the environment, or declares a schema for it. In other files a schema describes other data. */
const ENVIRONMENT_WORD =
  /\b(?:(?:process|import\.meta|Bun)\??\.env|createEnv|cleanEnv|validationSchema|envSchema|EnvSchema)\b/;

/** Returns the libraries by whose schemas a file checks its environment. */
export function findSchemaLibraries(text: string): readonly SchemaLibrary[] {
  return ENVIRONMENT_WORD.test(text) ? LIBRARIES.filter(({ packageName }) => packageName.test(text)) : [];
}

/** The upper-case name of a field with its colon: `DATABASE_URL: `. */
const FIELD_NAME = /(?<![\w$.?])["']?([A-Z][A-Z0-9_]*)["']?\s{0,20}:\s{0,20}(?=[A-Za-z])/g;

/**
 * Finds the fields of schemas whose names are in upper case:
 *
 *     DATABASE_URL: z.string().url().optional(),
 *
 * @param libraries the result of `findSchemaLibraries` for the file
 */
export function findSchemaReads(text: string, libraries: readonly SchemaLibrary[]): VariableReads {
  if (libraries.length === 0) return [];
  const findList = createListFinder(text);
  // In malformed code the expressions of fields may overlap, so that parsing all of them would take quadratic time. The formats are
  // only parsed until as many characters are read as the file has.
  let charactersLeft = text.length;
  const reads: VariableRead[] = [];
  for (const match of findMatches(text, FIELD_NAME)) {
    const { 0: nameWithColon, 1: name = "", index } = match;
    const start = index + nameWithColon.length;
    const textAfterName = text.slice(start, start + 80);
    const library = libraries.find(({ expressionStart }) => expressionStart.test(textAfterName));
    if (library === undefined) continue;
    const expression = parseExpression(text, start);
    charactersLeft -= expression.length;
    const format = charactersLeft <= 0 ? undefined : library.parseFormat(expression, name, findList);
    const isRequired = library.isRequired(expression);
    reads.push({ name, isRequired, offset: index, isOptional: !isRequired, format });
  }
  return reads;
}
