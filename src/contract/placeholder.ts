/** Values that somebody forgot to replace; pure. */
import type { Declaration, ValueFormat } from "./model.ts";

/**
 * Words that stand for a value in examples everywhere, in lower case. They must be the whole value, so that a real
 * secret that happens to contain one passes.
 */
const usualPlaceholder =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/** How they begin: for most values that settles it, and the expression need not be compiled. */
const beginnings = ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"];

/** Their values are few or public: an example may well be the value. */
const closedFormats: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);

/**
 * Whether the value is still a placeholder: one of the usual words (`<…>`, `your-key`, `changeme`), or the declared
 * example's, be it that a `<…>` of the example is left in the value or, for a secret, that both are equal. What is
 * public (`"secret": false`) may equal its example.
 */
export function isPlaceholder({ example, secret, format }: Declaration, value: string): boolean {
  if (format !== undefined && closedFormats.has(format.kind)) return false;
  const word = value.trim().toLowerCase();
  if (beginnings.some((beginning) => word.startsWith(beginning)) && usualPlaceholder.test(word)) return true;
  if (example === undefined) return false;
  if (secret && value === example) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((part) => value.includes(part));
}
