/** The variables of schemas: zod, valibot, t3-env, envalid, joi. */
import { expressionAt, firstMatches, type Reads } from "./reads.ts";

interface SchemaKind {
  /** A file with such a schema names the package. */
  readonly package: RegExp;
  /** The beginning of a field's expression. */
  readonly field: RegExp;
  readonly isRequired: (expression: string) => boolean;
}

const SCHEMAS: readonly SchemaKind[] = [
  {
    package: /["']zod(?:\/\w+)?["']/,
    field: /^(?:z|zod)\s*\.|^\w*Schema\b/,
    isRequired: (expression) =>
      !/\.(?:optional|default|nullish|catch|prefault)\(|\bz\.(?:optional|undefined|nullish)\(/.test(expression),
  },
  {
    package: /["']valibot["']/,
    field: /^v\s*\.|^(?:pipe|string|optional|number|picklist|fallback)\(/,
    isRequired: (expression) => !/\b(?:optional|nullish|undefinedable|fallback|exactOptional)\(/.test(expression),
  },
  {
    package: /["']envalid["']/,
    field: /^(?:\w+\.)?(?:str|bool|num|email|host|port|url|json|make\w+|\w*[vV]alidator)\(/,
    isRequired: (expression) => !/\b(?:default|devDefault)\s*:/.test(expression),
  },
  {
    package: /["'](?:joi|@hapi\/joi)["']/,
    field: /^Joi\s*\./i,
    isRequired: (expression) => /\.required\(/.test(expression),
  },
];

/** Signs that a file reads the environment, or declares a schema for it. */
const READS_ENVIRONMENT =
  /\b(?:(?:process|import\.meta|Bun)\??\.env|createEnv|cleanEnv|validationSchema|envSchema|EnvSchema)\b/;

/** Finds the fields in capital letters of a schema, in a file that also reads the environment. */
export function readsBySchemas(text: string): Reads {
  if (!READS_ENVIRONMENT.test(text)) return [];
  const kinds = SCHEMAS.filter((kind) => kind.package.test(text));
  if (kinds.length === 0) return [];
  const fields = firstMatches(text, /(?<![\w$.?])["']?([A-Z][A-Z0-9_]*)["']?\s{0,20}:\s{0,20}(?=[A-Za-z])/g);
  return fields.flatMap((match) => {
    const start = match.index + match[0].length;
    const kind = kinds.find(({ field }) => field.test(text.slice(start, start + 80)));
    return kind === undefined
      ? []
      : [[match[1] ?? "", kind.isRequired(expressionAt(text, start)), match.index] as const];
  });
}
