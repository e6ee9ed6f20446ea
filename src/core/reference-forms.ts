/**
 * Recognizes values such as `op://vault/item/field`, which only refer to a secret: another tool must resolve them before a
 * program can use them. The file also names the references that a shell would resolve. sources/dotenv/thorough.ts recognizes
 * those, because they depend on the quotes in a `.env` file.
 */

/** The prefixes by which tools such as 1Password, dotenvx and vals mark a reference. */
const PREFIXES = ["op://", "bw://", "encrypted:", "vault:", "ref+", "awssm://"] as const;

/** The form of a reference, as messages show it to the user: its prefix, or its syntax in a shell. */
export type ReferenceForm = (typeof PREFIXES)[number] | "${X}" | "$X" | "$(…)" | "`…`" | EmbeddedForm;

/** The form of a reference within a longer value, which may be literal text: a password, or a sentence. */
type EmbeddedForm = "$X in text" | "$(…) in text";

const EMBEDDED_FORMS: ReadonlySet<ReferenceForm> = new Set<EmbeddedForm>(["$X in text", "$(…) in text"]);

/**
 * Matches the beginning of a reference. It must list every prefix of `PREFIXES`, with what must follow the prefix:
 *
 * - `encrypted:` needs 20 characters of base64, because any ciphertext is longer, and a word of ordinary text is shorter.
 * - `vault:` needs a path. In `vault:8200/path`, which does not match, `vault` is a host and 8200 is its port.
 */
const REFERENCE = /^(?:(?:op|bw|awssm|ref\+\w+):\/\/.|encrypted:[\w+/=]{20}|vault:(?!\d+\/)[^\s/]+\/)/;

/** Returns the prefix of a value that begins as a reference to a secret does. */
export function referencePrefixOf(value: string): ReferenceForm | undefined {
  // This comparison comes first, because it is cheaper than the regular expression, and rejects most values.
  const prefix = PREFIXES.find((candidate) => value.startsWith(candidate));
  return prefix !== undefined && REFERENCE.test(value) ? prefix : undefined;
}

/** Returns false if the value may be literal text, and true if its author can only have meant a reference. */
export function isOnlyReference(form: ReferenceForm): boolean {
  return !EMBEDDED_FORMS.has(form);
}
