/**
 * Recognizes values that are references to a secret elsewhere, such as `op://vault/item/field`. Another tool must resolve a reference
 * before a program can use the value. This file recognizes schemes; the readers of `.env` files recognize the forms of a shell.
 */

/** How the references of some tools begin: 1Password, Bitwarden, dotenvx, Vault, vals and AWS Secrets Manager. */
const SCHEMES = ["op://", "bw://", "encrypted:", "vault:", "ref+", "awssm://"] as const;

/** A form within a longer value. The author may have meant this value literally: as a password, or a sentence. */
type PartialForm = "$X in text" | "$(…) in text";

/** The scheme of a reference, or the form that a shell would expand. */
export type ReferenceForm = (typeof SCHEMES)[number] | "${X}" | "$X" | "$(…)" | "`…`" | PartialForm;

/**
 * The beginning by which a value is a reference. Twenty characters of `encrypted:` are fewer than the shortest encrypted value has.
 * `vault:8200/` is a host and its port, and no reference.
 */
const REFERENCE = /^(?:(?:op|bw|awssm|ref\+\w+):\/\/.|encrypted:[\w+/=]{20}|vault:(?!\d+\/)[^\s/]+\/)/;

/** Returns the scheme if the value is a reference to a secret, and undefined for any other value. */
export function schemeOf(value: string): ReferenceForm | undefined {
  // Most values begin with no scheme. This look is faster than the regular expression.
  const scheme = SCHEMES.find((candidate) => value.startsWith(candidate));
  return scheme !== undefined && REFERENCE.test(value) ? scheme : undefined;
}

/** Returns true if a value of this form is certainly a reference, and not text that the author meant literally. */
export function isCertainReference(form: ReferenceForm): boolean {
  return form !== "$X in text" && form !== "$(…) in text";
}
