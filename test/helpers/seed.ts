/** The seed of property tests, and how many cases they try. */

/**
 * The seed of property tests. It is the same in each run, so that a failure is due to the change that is tested. Nightly runs set
 * other seeds.
 */
export const SEED: number = seedFrom(process.env["PROPERTY_SEED"]);

/** Parses PROPERTY_SEED, or returns the usual seed. @throws Error if the text is not a whole number from 0 to 2147483647 */
export function seedFrom(text: string | undefined): number {
  if (text === undefined || text === "") return 20_261_125;
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0x7f_ff_ff_ff) throw new Error("PROPERTY_SEED must be from 0 to 2147483647");
  return seed;
}

/** True for a nightly run, which sets a seed and tries more cases. */
export const isNightly: boolean = (process.env["PROPERTY_SEED"] ?? "") !== "";

/** Returns the number of cases of a property test: few of them for each change, which are always the same, and many at night. */
export function caseCount(usual: number, nightly: number): number {
  return isNightly ? nightly : usual;
}

/**
 * Returns the command that repeats test files with the seed of this run; undefined without a seed of its own.
 *
 * @param files relative paths
 */
export function repetitionCommand(
  files: readonly string[],
  { PROPERTY_SEED, SOPHIA_RUN_UNDER_TEST }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (files.length === 0 || PROPERTY_SEED === undefined || PROPERTY_SEED === "") return undefined;
  const variables = Object.entries({ PROPERTY_SEED, SOPHIA_RUN_UNDER_TEST });
  const assignments = variables.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...assignments, "npx vitest run", ...new Set(files)].join(" ");
}
