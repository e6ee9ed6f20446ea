/** The variables of schemas: zod, valibot, t3-env, envalid, joi. */
import { expressionAt, firstMatches, type Reads } from "./reads.ts";
import { envalidFormat, joiFormat, listsIn, type SchemaFormat, valibotFormat, zodFormat } from "./schema-formats.ts";

interface SchemaKind {
  /** A file with such a schema names the package. */
  readonly package: RegExp;
  /** The beginning of a field's expression. */
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

/** Signs that a file reads the environment, or declares a schema for it. */
const READS_ENVIRONMENT =
  /\b(?:(?:process|import\.meta|Bun)\??\.env|createEnv|cleanEnv|validationSchema|envSchema|EnvSchema)\b/;

/** Returns the kinds of schemas to which a file hands what it reads; they say what is needed. */
export function schemasOf(text: string): readonly SchemaKind[] {
  return READS_ENVIRONMENT.test(text) ? SCHEMAS.filter((kind) => kind.package.test(text)) : [];
}

/** Finds the fields in capital letters of a schema. @param kinds those of the file (`schemasOf`) */
export function readsBySchemas(text: string, kinds: readonly SchemaKind[]): Reads {
  if (kinds.length === 0) return [];
  const fields = firstMatches(text, /(?<![\w$.?])["']?([A-Z][A-Z0-9_]*)["']?\s{0,20}:\s{0,20}(?=[A-Za-z])/g);
  const listOf = listsIn(text);
  // Expressions of correct code do not overlap. In other code each character could be read as often as one is long.
  let unread = text.length;
  return fields.flatMap((match): Reads => {
    const [whole, name = ""] = match;
    const start = match.index + whole.length;
    const kind = kinds.find(({ field }) => field.test(text.slice(start, start + 80)));
    if (kind === undefined) return [];
    const expression = expressionAt(text, start);
    unread -= expression.length;
    const format = unread <= 0 ? undefined : kind.formatOf(expression, name, listOf);
    const isRequired = kind.isRequired(expression);
    return [[name, isRequired, match.index, { isOptional: !isRequired, ...(format && { format }) }]];
  });
}
