/** Draws mutants at random. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { coveredFolderOf } from "./coverage.mts";
import { loadInstrumenter, type Position, type StrykerMutant } from "./stryker.mts";

/** A change of one place in a file. */
export interface Mutant {
  /** Relative to the repository. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly mutator: string;
  /** The offsets of the text that is replaced, in units of UTF-16. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Returns all files that are mutated, relative to the root, sorted. */
export function mutatedFiles(root: string): readonly string[] {
  return readdirSync(join(root, "src"), { encoding: "utf8", recursive: true })
    .map((name) => `src/${name}`)
    .filter((file) => file.endsWith(".ts") && coveredFolderOf(file) !== undefined)
    .toSorted();
}

/**
 * Returns so many mutants of the files, each as likely as any other. The same seed and sources give the same mutants.
 *
 * @throws NotRun if StrykerJS cannot be installed
 */
export async function drawMutants(
  root: string,
  files: readonly string[],
  count: number,
  seed: number,
): Promise<readonly Mutant[]> {
  const all = await allMutants(root, files);
  const random = createRandom(seed);
  const drawn: Mutant[] = [];
  while (drawn.length < count && all.length > 0) {
    drawn.push(...all.splice(Math.floor(random() * all.length), 1));
  }
  return drawn;
}

async function allMutants(root: string, files: readonly string[]): Promise<Mutant[]> {
  const instrument = await loadInstrumenter(root);
  const mutants: Mutant[] = [];
  for (const file of files) {
    const content = readFileSync(join(root, file), "utf8");
    const made = await instrument([{ name: file, mutate: true, content }]);
    const starts = lineStarts(content);
    mutants.push(...made.mutants.filter(({ status }) => status === undefined).map((mutant) => located(mutant, starts)));
  }
  return mutants;
}

/** Returns a mutant of StrykerJS with offsets into its file. @param starts the offset of each line */
export function located(
  { fileName, mutatorName, replacement, location }: StrykerMutant,
  starts: readonly number[],
): Mutant {
  const offsetOf = ({ line, column }: Position): number => (starts[line] ?? 0) + column;
  const [start, end] = [offsetOf(location.start), offsetOf(location.end)];
  return { file: fileName, line: location.start.line + 1, mutator: mutatorName, start, end, replacement };
}

/** Returns the offset of each line. */
export function lineStarts(text: string): readonly number[] {
  return [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
}

/** Returns a generator of numbers from 0 (inclusive) to 1 (exclusive): mulberry32, since Math.random takes no seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the text of a file with a mutant in it. Another logical operator is in brackets, since it may bind less than the one it replaces. */
export function mutated(text: string, { mutator, start, end, replacement }: Mutant): string {
  return text.slice(0, start) + (mutator === "LogicalOperator" ? `(${replacement})` : replacement) + text.slice(end);
}
