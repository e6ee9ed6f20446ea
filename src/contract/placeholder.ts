/** Values that somebody forgot to replace; pure. */
import type { Declaration, ValueFormat } from "./model.ts";

/**
 * Words that stand for a value in examples everywhere. They must be the whole value, so that a real secret that
 * happens to contain one passes.
 */
const placeholders = [
  /^<[^<>]+>$/,
  /^your[-_ ][\w -]{1,64}$/i,
  /^(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)$/i,
  /^x{3,}$/i,
  /^(?:\.{3,}|…)$/,
];

/** Their values are few or public: an example may well be the value. */
const closedFormats: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);

/**
 * Whether the value is still a placeholder: one of the usual words (`<…>`, `your-key`, `changeme`), or the declared
 * example's, be it that a `<…>` of the example is left in the value or, for a secret, that both are equal. What is
 * public (`"secret": false`) may equal its example.
 */
export function isPlaceholder({ example, secret, format }: Declaration, value: string): boolean {
  if (format !== undefined && closedFormats.has(format.kind)) return false;
  if (placeholders.some((placeholder) => placeholder.test(value.trim()))) return true;
  if (example === undefined) return false;
  return (secret && value === example) || (example.match(/<[^<>]+>/g) ?? []).some((part) => value.includes(part));
}
