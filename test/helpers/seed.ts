/**
 * Seed of the property tests. It is the same in every run, so that what fails has been broken by the change at hand; a
 * nightly run sets another.
 */
export const SEED: number = seedFrom(process.env["PROPERTY_SEED"]);

/** @throws Error unless the text, if there is one, is a whole number of 32 bits */
export function seedFrom(text: string | undefined): number {
  if (text === undefined || text === "") return 20_261_125;
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0x7f_ff_ff_ff) throw new Error("PROPERTY_SEED must be from 0 to 2147483647");
  return seed;
}

/** A nightly run sets a seed, and tries more. */
export const isNightly: boolean = (process.env["PROPERTY_SEED"] ?? "") !== "";

/** The number of cases of a search for counterexamples: few for each change, always the same ones, and many at night. */
export function cases(usual: number, nightly: number): number {
  return isNightly ? nightly : usual;
}

/** Returns the command that runs test files again as this run did, if it has a seed of its own. @param files relative paths */
export function repetition(
  files: readonly string[],
  { PROPERTY_SEED, SOPHIA_RUN_UNDER_TEST }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (files.length === 0 || PROPERTY_SEED === undefined || PROPERTY_SEED === "") return undefined;
  const variables = Object.entries({ PROPERTY_SEED, SOPHIA_RUN_UNDER_TEST });
  const assignments = variables.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...assignments, "npx vitest run", ...new Set(files)].join(" ");
}
