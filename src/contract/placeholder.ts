import type { Declaration, ValueFormat } from "./model.ts";

/** Usual placeholders of examples, in lower case; a longer value that contains one is accepted. */
const USUAL_PLACEHOLDER =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/** Their beginnings. Most values need no regular expression, which takes 0.1 ms to compile on Node.js 20 and 0.6 on 24. */
const BEGINNINGS = ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"];
const INITIALS = "<ycrfsix.…";

/** Formats with few or public values: an example may be the real value. */
const CLOSED_FORMATS: ReadonlySet<ValueFormat["kind"]> = new Set(["boolean", "enum", "integer", "number", "port"]);

/** Finds usual placeholders, values with a `<…>` of the declared example, and secrets but for addresses that equal it. */
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
  // An address without a user may be the real one.
  if (secret && value === example && !/^[^@]*:[/\d][^@]*$/.test(value)) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((part) => value.includes(part));
}
