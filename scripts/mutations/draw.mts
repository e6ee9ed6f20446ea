/** Draws mutants at random. StrykerJS makes them: its package is installed into .cache the first time. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { coveredFolderOf } from "./coverage.mts";
import { NotRun } from "./not-run.mts";

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

/** A position as StrykerJS has it: both numbers are counted from 0. */
interface Position {
  readonly line: number;
  readonly column: number;
}

interface StrykerMutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: Position; readonly end: Position };
  /** Set for a mutant that a comment in the source leaves out. */
  readonly status?: string;
}

interface Instrumenter {
  instrument(
    files: readonly { readonly name: string; readonly mutate: true; readonly content: string }[],
    options: object,
  ): Promise<{ readonly mutants: readonly StrykerMutant[] }>;
}

type InstrumenterClass = new (logger: object, parser: undefined, print: () => string) => Instrumenter;

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
  const instrumenter = await loadInstrumenter(root);
  const mutants: Mutant[] = [];
  for (const file of files) {
    const content = readFileSync(join(root, file), "utf8");
    const lines = lineStarts(content);
    const offsetOf = ({ line, column }: Position): number => (lines[line] ?? 0) + column;
    const made = await instrumenter.instrument([{ name: join(root, file), mutate: true, content }], OPTIONS);
    for (const { mutatorName: mutator, replacement, location, status } of made.mutants) {
      if (status !== undefined) continue;
      const [start, end] = [offsetOf(location.start), offsetOf(location.end)];
      mutants.push({ file, line: location.start.line + 1, mutator, start, end, replacement });
    }
  }
  return mutants;
}

const OPTIONS = { plugins: null, excludedMutations: [], ignorers: [] };

/** Returns the offset of each line. */
function lineStarts(text: string): readonly number[] {
  return [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
}

async function loadInstrumenter(root: string): Promise<Instrumenter> {
  const folder = installInstrumenter(root);
  const path = createRequire(join(folder, "package.json")).resolve("@stryker-mutator/instrumenter");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the lock file has the version whose types these are
  const { Instrumenter } = (await import(pathToFileURL(path).href)) as { readonly Instrumenter: InstrumenterClass };
  const ignore = (): void => {};
  const no = (): boolean => false;
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, isDebugEnabled: no };
  // The file with all mutants in it, which StrykerJS would print, is not used.
  return new Instrumenter(logger, undefined, () => "");
}

/** Installs what the lock file names, unless it is installed. @returns its folder @throws NotRun */
function installInstrumenter(root: string): string {
  const source = join(import.meta.dirname, "instrumenter");
  const folder = join(root, ".cache/mutations/instrumenter");
  const lock = (place: string): string => readFileSync(join(place, "package-lock.json"), "utf8");
  if (existsSync(join(folder, "package-lock.json")) && lock(folder) === lock(source)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(source, name), join(unfinished, name));
    const command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const { status, stderr } = spawnSync("npm", command, { cwd: unfinished, encoding: "utf8", timeout: 300_000 });
    if (status !== 0) {
      const reason = /^npm error code (\w+)/m.exec(stderr ?? "")?.[1] ?? `status ${status ?? "unknown"}`;
      throw new NotRun(`npm cannot install StrykerJS (${reason}): it needs the network once`);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
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

/** Returns the text of a file with a mutant in it. @param inBrackets for an expression that would otherwise not be one in its place */
export function mutated(text: string, { start, end, replacement }: Mutant, inBrackets = false): string {
  return text.slice(0, start) + (inBrackets ? `(${replacement})` : replacement) + text.slice(end);
}
