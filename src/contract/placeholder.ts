/** Values that somebody forgot to replace; pure. */
import type { Declaration, ValueFormat } from "./model.ts";

/**
 * Words that are commonly used for a value in examples, in lower case. They must be the whole value, so that a real
 * secret that happens to contain one passes.
 */
const USUAL_PLACEHOLDER =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/** How they begin. Compiling the expression takes 0.1 ms on Node.js 20 and 0.6 on 24; most values need it not. */
const BEGINNINGS = ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"];
const INITIALS = "<ycrfsix.…";

/** Formats whose values are few or public: an example may well be the value. */
const CLOSED_FORMATS: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);

/**
 * Whether the value is still a placeholder: one of the usual words (`<…>`, `your-key`, `changeme`), one in which a
 * `<…>` of the declared example is left, or, for a secret, the example itself. What is public (`"secret": false`) may
 * equal its example.
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
