/** Variables that code reads, and whether it fails without them. */
export type Reads = readonly (readonly [name: string, required: boolean])[];

export function matchesOf(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, first = ""]) => first);
}
