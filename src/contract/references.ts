/** References in the texts of probes; pure. */

const REFERENCE = /\$\{([^{}]*)\}/g;

/** The variables that a text of a probe refers to, as `${NAME}`. */
export function referencesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(REFERENCE), ([, name = ""]) => name);
}

export function fill(text: string, valueOf: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_, name: string) => valueOf(name));
}
