/**
 * Recognizes values that are references to secrets, such as `op://vault/item/field`. Another tool must resolve them before a
 * program can use them.
 */

/** The scheme of a reference, or its form in a shell. */
export type ReferenceForm = (typeof SCHEMES)[number] | "${X}" | "$X" | "$(…)" | "`…`" | PartialForm;

/** A form within a longer value. The author may have meant the value as it stands: a password, or a sentence. */
type PartialForm = "$X in text" | "$(…) in text";

const SCHEMES = ["op://", "bw://", "encrypted:", "vault:", "ref+", "awssm://"] as const;

/** The whole form of a reference. `vault:` followed by digits is not one, but a host with a port. */
const REFERENCE = /^(?:(?:op|bw|awssm|ref\+\w+):\/\/.|encrypted:[\w+/=]{20}|vault:(?!\d+\/)[^\s/]+\/)/;

/**
 * Returns the scheme if the whole value is a reference to a secret. Most values have no scheme, and need no regular
 * expression.
 */
export function schemeOf(value: string): ReferenceForm | undefined {
  const scheme = SCHEMES.find((candidate) => value.startsWith(candidate));
  return scheme !== undefined && REFERENCE.test(value) ? scheme : undefined;
}

/** Returns true if the author cannot have meant the value as it stands. */
export function isCertain(form: ReferenceForm): boolean {
  return !form.endsWith(" in text");
}
