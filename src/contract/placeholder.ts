/**
 * Recognizes placeholders: values that the user has copied from an example and not replaced, such as `<your key>`,
 * `changeme`, or the example of the contract. A start with such a value is refused (check-contract.ts).
 */
import type { Declaration, ValueFormat } from "./contract-model.ts";

/** Formats whose values are few or public, so that none is a placeholder. The real value may be the same as the example. */
export const FORMATS_WITHOUT_PLACEHOLDERS: ReadonlySet<ValueFormat["kind"]> = new Set([
  "boolean",
  "enum",
  "integer",
  "number",
  "port",
]);

/**
 * Returns true for a usual placeholder, and for a value that the user copied from the declared example: a value with
 * one of the example's parts in `<…>`, or a secret that equals the example.
 */
export function isPlaceholder(
  { example, secret, format }: Pick<Declaration, "example" | "secret" | "format">,
  value: string,
): boolean {
  if (format !== undefined && FORMATS_WITHOUT_PLACEHOLDERS.has(format.kind)) return false;
  if (isUsualPlaceholder(value.trim().toLowerCase())) return true;
  if (example === undefined) return false;
  // An example may be the real address of a service, if it has no user: `http://localhost:3000`.
  const mayBeAddress = /^[^@]*:[/\d][^@]*$/.test(value);
  if (secret && value === example && !mayBeAddress) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((part) => value.includes(part));
}

/** Matches a complete value in lower case that is a usual placeholder. */
const USUAL_PLACEHOLDER =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/**
 * The beginnings of usual placeholders, by their first character, which is different for each. Most values have none of
 * these beginnings, and so need no regular expression, which takes 0.1 ms to compile on Node.js 20 and 0.6 ms on 24.
 */
const PLACEHOLDER_BEGINNINGS: ReadonlyMap<string, string> = new Map(
  ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"].map((text) => [text.charAt(0), text]),
);

/** @param lowerCaseValue the value in lower case, without white space around it */
function isUsualPlaceholder(lowerCaseValue: string): boolean {
  const beginning = PLACEHOLDER_BEGINNINGS.get(lowerCaseValue.charAt(0));
  return beginning !== undefined && lowerCaseValue.startsWith(beginning) && USUAL_PLACEHOLDER.test(lowerCaseValue);
}
