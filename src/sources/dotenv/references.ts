import { schemeOf, type ReferenceForm } from "../../core/references.ts";

/**
 * The forms that a shell replaces, the certain ones first. In a longer value a `$` may also be part of a password, and is
 * reported only in front of a word in capitals. Hashes of crypt(3) begin with `$` and have several.
 */
const SHELL_FORMS: readonly (readonly [ReferenceForm, RegExp])[] = [
  ["${X}", /(?<![\\$])\$\{[A-Za-z_]\w*(?:[:?+=#%/^,@-][^}]*)?\}/],
  ["$(…)", /^\$\(.+\)$/],
  ["$X", /^\$[A-Za-z_]\w*$/],
  ["`…`", /^`[^`]+`$/],
  ["$(…) in text", /(?<![\\$])\$\([A-Za-z_./~][^)]*\)/],
  ["$X in text", /(?<![\\$\w])\$[A-Z_][A-Z\d_]+(?![\w$])/],
];

/** Finds a reference in a value. In single quotes, and in backticks, text for a shell is meant as it stands. */
export function referenceIn(value: string, quote: string | undefined): ReferenceForm | undefined {
  const scheme = schemeOf(value);
  if (scheme !== undefined || quote === "'" || quote === "`" || !/[$`]/.test(value)) return scheme;
  return SHELL_FORMS.find(([, form]) => form.test(value))?.[0];
}
