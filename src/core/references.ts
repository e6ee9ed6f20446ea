/** Values that are references to secrets, which another tool must resolve before a program can use them. */

/** How a reference begins, or its form in a shell. */
export type ReferenceForm = (typeof SCHEMES)[number] | "${X}" | "$X" | "$(…)" | "`…`";

const SCHEMES = ["op://", "encrypted:", "vault:", "ref+", "awssm://"] as const;

/** `vault:` may also be a host with a port. */
const REFERENCE = /^(?:(?:op|awssm|ref\+\w+):\/\/.|encrypted:[\w+/=]{20}|vault:(?!\d+\/)[^\s/]+\/)/;

/** Returns the scheme if the whole value is a reference to a secret; most values need no regular expression. */
export function schemeOf(value: string): ReferenceForm | undefined {
  const scheme = SCHEMES.find((one) => value.startsWith(one));
  return scheme !== undefined && REFERENCE.test(value) ? scheme : undefined;
}
