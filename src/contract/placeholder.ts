/** Recognizes values that the user has forgotten to replace: `<your key>`, `changeme`, or the example of the contract; pure. */
import type { Declaration, ValueFormat } from "./contract-model.ts";

/** Formats with few or public values: the real value may be the example, and no placeholder has the format. */
export const CLOSED_FORMATS: ReadonlySet<ValueFormat["kind"]> = new Set([
  "boolean",
  "enum",
  "integer",
  "number",
  "port",
]);

/**
 * Returns true for a value that is a usual placeholder, or that comes from the declared example: it has one of its parts in
 * `<…>`, or it is a secret that equals the example.
 */
export function isPlaceholder(
  { example, secret, format }: Pick<Declaration, "example" | "secret" | "format">,
  value: string,
): boolean {
  if (format !== undefined && CLOSED_FORMATS.has(format.kind)) return false;
  if (isUsualPlaceholder(value.trim().toLowerCase())) return true;
  if (example === undefined) return false;
  // The address in an example may be the real one, if it has no user: `http://localhost:3000`.
  const mayBeAddress = /^[^@]*:[/\d][^@]*$/.test(value);
  if (secret && value === example && !mayBeAddress) return true;
  return value.includes("<") && (example.match(/<[^<>]+>/g) ?? []).some((gap) => value.includes(gap));
}

/** Matches usual placeholders in lower case, as the whole value. */
const USUAL_PLACEHOLDER =
  /^(?:<[^<>]+>|your[-_ ][\w -]{1,64}|(?:change|replace|fill|set|insert)[-_ ]?(?:me|this|it)|x{3,}|\.{3,}|…)$/;

/**
 * The beginnings of usual placeholders, by their first character, which no two share. They decide about most values without
 * the regular expression, which takes 0.1 ms to compile on Node.js 20 and 0.6 ms on 24.
 */
const BEGINNINGS: ReadonlyMap<string, string> = new Map(
  ["<", "your", "change", "replace", "fill", "set", "insert", "xxx", "...", "…"].map((text) => [text.charAt(0), text]),
);

function isUsualPlaceholder(word: string): boolean {
  const beginning = BEGINNINGS.get(word.charAt(0));
  return beginning !== undefined && word.startsWith(beginning) && USUAL_PLACEHOLDER.test(word);
}
