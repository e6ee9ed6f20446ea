/** Values that are references to secrets, which another tool must resolve before a program can use them. */

/** The beginning of a reference, or its form in a shell. */
export type ReferenceForm = (typeof SCHEMES)[number] | "${X}" | "$X" | "$(…)" | "`…`" | PartialForm;

/** Part of a longer value, which may be meant as it stands: a password, or a sentence. */
type PartialForm = "$X in text" | "$(…) in text";

const SCHEMES = ["op://", "bw://", "encrypted:", "vault:", "ref+", "awssm://"] as const;

/** `vault:` may also be a host with a port. */
const REFERENCE = /^(?:(?:op|bw|awssm|ref\+\w+):\/\/.|encrypted:[\w+/=]{20}|vault:(?!\d+\/)[^\s/]+\/)/;

/** Returns the scheme if the whole value is a reference to a secret; most values need no regular expression. */
export function schemeOf(value: string): ReferenceForm | undefined {
  const scheme = SCHEMES.find((one) => value.startsWith(one));
  return scheme !== undefined && REFERENCE.test(value) ? scheme : undefined;
}

/** Returns true if the value cannot be meant as it stands. */
export function isCertain(form: ReferenceForm): boolean {
  return !form.endsWith(" in text");
}
