/** Values that somebody forgot to replace; pure. */
import type { Declaration, ValueFormat } from "./model.ts";

/** Usual words for a value in examples, in lower case; a real secret that contains one passes. */
const USUAL_PLACEHOLDER =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/** How they begin. Compiling the expression takes 0.1 ms on Node.js 20 and 0.6 on 24; most values need it not. */
const BEGINNINGS = ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"];
const INITIALS = "<ycrfsix.…";

/** Formats whose values are few or public: an example may well be the value. */
const CLOSED_FORMATS: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);

/**
 * Returns true for one of the usual words (`<…>`, `your-key`, `changeme`), a value in which a `<…>` of the declared
 * example is left, and a secret that equals its example.
 */
export function isPlaceholder(
  { example, secret, format }: Pick<Declaration, "example" | "secret" | "format">,
  value: string,
): boolean {
  if (format !== undefined && CLOSED_FORMATS.has(format.kind)) return false;
  const word = value.trim().toLowerCase();
  if (INITIALS.includes(word.charAt(0)) && BEGINNINGS.some((beginning) => word.startsWith(beginning))) {
    if (USUAL_PLACEHOLDER.test(word)) return true;
  }
  if (example === undefined) return false;
  if (secret && value === example) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((part) => value.includes(part));
}
