import { schemeOf, type ReferenceForm } from "../../core/references.ts";

/**
 * The forms that a shell replaces, the certain ones first. A `$` and a word may also be part of a password: it is a
 * reference if it is the whole value, or if the word is in capitals. Hashes of crypt(3) begin with `$` and have several.
 */
const SHELL_FORMS: readonly (readonly [ReferenceForm, RegExp])[] = [
  ["${X}", /(?<![\\$])\$\{[A-Za-z_]\w*(?:[:?+=#%/^,@-][^}]*)?\}/],
  ["$(…)", /(?<![\\$])\$\((?:[A-Za-z_./~][^)]*)\)/],
  ["$X", /^\$[A-Za-z_]\w*$|(?<![\\$\w])\$[A-Z_][A-Z\d_]+(?![\w$])/],
  ["`…`", /^`[^`]+`$/],
];

/** Finds a reference in a value. In single quotes, and in backticks, text for a shell is meant as it stands. */
export function referenceIn(value: string, quote: string | undefined): ReferenceForm | undefined {
  const scheme = schemeOf(value);
  if (scheme !== undefined || quote === "'" || quote === "`" || !/[$`]/.test(value)) return scheme;
  return SHELL_FORMS.find(([, form]) => form.test(value))?.[0];
}
