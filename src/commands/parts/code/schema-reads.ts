/**
 * Finds the environment variables that schemas of zod, valibot, t3-env, envalid and joi declare. A schema also says which
 * variables are required, and which format each has.
 */
import { expressionAt, firstMatches, type VariableRead, type VariableReads } from "./reads.ts";
import {
  envalidFormat,
  joiFormat,
  createListFinder,
  type SchemaFormat,
  valibotFormat,
  zodFormat,
} from "./schema-formats.ts";

/** A library for schemas. */
interface SchemaKind {
  /** Matches the name of the package in a file that imports it. */
  readonly package: RegExp;
  /** Matches the beginning of a field's expression: `z.`. */
  readonly field: RegExp;
  readonly isRequired: (expression: string) => boolean;
  readonly formatOf: SchemaFormat;
}

const SCHEMAS: readonly SchemaKind[] = [
  {
    package: /["']zod(?:\/\w+)?["']/,
    field: /^(?:z|zod)\s*\.|^\w*Schema\b/,
    isRequired: (expression) =>
      !/\.(?:optional|default|nullish|catch|prefault)\(|\bz\.(?:optional|undefined|nullish|preprocess|any|unknown)\(/.test(
        expression,
      ),
    formatOf: zodFormat,
  },
  {
    package: /["']valibot["']/,
    field: /^v\s*\.|^(?:pipe|string|optional|number|picklist|fallback)\(/,
    isRequired: (expression) => !/\b(?:optional|nullish|undefinedable|fallback|exactOptional)\(/.test(expression),
    formatOf: valibotFormat,
  },
  {
    package: /["']envalid["']/,
    field: /^(?:\w+\.)?(?:str|bool|num|email|host|port|url|json|make\w+|\w*[vV]alidator)\(/,
    isRequired: (expression) => !/\b(?:default|devDefault)\s*:/.test(expression),
    formatOf: envalidFormat,
  },
  {
    package: /["'](?:joi|@hapi\/joi)["']/,
    field: /^Joi\s*\./i,
    isRequired: (expression) => /\.required\(/.test(expression),
    formatOf: joiFormat,
  },
];

/** Words of a file that reads the environment, or declares a schema for it. Other schemas describe other data. */
const ENVIRONMENT_WORD =
  /\b(?:(?:process|import\.meta|Bun)\??\.env|createEnv|cleanEnv|validationSchema|envSchema|EnvSchema)\b/;

/** Returns the libraries by whose schemas a file checks its environment. */
export function schemasOf(text: string): readonly SchemaKind[] {
  return ENVIRONMENT_WORD.test(text) ? SCHEMAS.filter((kind) => kind.package.test(text)) : [];
}

/**
 * Finds the fields of schemas whose names are in upper case:
 *
 *     DATABASE_URL: z.string().url().optional(),
 *
 * @param kinds the libraries of the file, from schemasOf()
 */
export function findSchemaReads(text: string, kinds: readonly SchemaKind[]): VariableReads {
  if (kinds.length === 0) return [];
  const fields = firstMatches(text, /(?<![\w$.?])["']?([A-Z][A-Z0-9_]*)["']?\s{0,20}:\s{0,20}(?=[A-Za-z])/g);
  const findList = createListFinder(text);
  // In correct code the expressions of fields do not overlap. In other code each character may belong to many expressions, so
  // that their formats are found only until as many characters are parsed as the file has.
  let charactersLeft = text.length;
  const reads: VariableRead[] = [];
  for (const match of fields) {
    const [key, name = ""] = match;
    const start = match.index + key.length;
    const kind = kinds.find(({ field }) => field.test(text.slice(start, start + 80)));
    if (kind === undefined) continue;
    const expression = expressionAt(text, start);
    charactersLeft -= expression.length;
    const format = charactersLeft <= 0 ? undefined : kind.formatOf(expression, name, findList);
    const isRequired = kind.isRequired(expression);
    reads.push([name, isRequired, match.index, { isOptional: !isRequired, ...(format && { format }) }]);
  }
  return reads;
}
