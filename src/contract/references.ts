const REFERENCE = /\$\{([^{}]*)\}/g;

/** Returns the names in the references (`${NAME}`) of a probe's text. */
export function referencesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(REFERENCE), ([, name = ""]) => name);
}

export function fill(text: string, valueOf: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_, name: string) => valueOf(name));
}
