import type { Declaration, ValueFormat } from "./contract-model.ts";

/** Formats with few or public values: an example may be the real value, and no value is a placeholder. */
export const CLOSED_FORMATS: ReadonlySet<ValueFormat["kind"]> = new Set([
  "boolean",
  "enum",
  "integer",
  "number",
  "port",
]);

/** Finds usual placeholders, values with a `<…>` of the declared example, and secrets but for addresses that equal it. */
export function isPlaceholder(
  { example, secret, format }: Pick<Declaration, "example" | "secret" | "format">,
  value: string,
): boolean {
  if (format !== undefined && CLOSED_FORMATS.has(format.kind)) return false;
  if (isUsual(value.trim().toLowerCase())) return true;
  if (example === undefined) return false;
  // An address without a user may be the real one.
  if (secret && value === example && !/^[^@]*:[/\d][^@]*$/.test(value)) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((gap) => value.includes(gap));
}

/** Usual placeholders of examples, in lower case; a longer value that contains one is accepted. */
const USUAL =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/**
 * Their beginnings, no two with the same first character. Most values need no regular expression, which takes 0.1 ms to compile
 * on Node.js 20 and 0.6 on 24.
 */
const BEGINNINGS: ReadonlyMap<string, string> = new Map(
  ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"].map((text) => [text.charAt(0), text]),
);

function isUsual(word: string): boolean {
  const beginning = BEGINNINGS.get(word.charAt(0));
  return beginning !== undefined && word.startsWith(beginning) && USUAL.test(word);
}
