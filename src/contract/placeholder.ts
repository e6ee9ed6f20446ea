/** Values that somebody forgot to replace; pure. */
import type { Declaration, ValueFormat } from "./model.ts";

/**
 * Words that stand for a value in examples everywhere: `<…>` as a whole or within, `your-key`, `changeme`,
 * `replace-me`, `xxxx`, `...`. Whole values only, so that a real secret that happens to contain such a word passes.
 */
const placeholders = [
  /<[^<>]*>/,
  /^your[-_ ][\w -]{1,64}$/i,
  /^(?:change|replace|fill|set)[-_ ]?(?:me|this|it)$/i,
  /^x{3,}$/i,
  /^(?:\.{3,}|…)$/,
];

/**
 * Whether the value is still an example's placeholder: one of the usual words, or equal to the declared example,
 * which no secret may be. Where a value is public (`"secret": false`) or one of few (an enumeration, a number),
 * the example may well be the value.
 */
export function isPlaceholder({ example, secret, format }: Declaration, value: string): boolean {
  if (format !== undefined && closedFormats.has(format.kind)) return false;
  return (secret && value === example) || placeholders.some((placeholder) => placeholder.test(value.trim()));
}

const closedFormats: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);
