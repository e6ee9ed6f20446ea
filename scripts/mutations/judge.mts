/** Tests mutants that have switches, in stages: most fail in the first one, whose tests take less than a second. */
import { type Project, projectOf, testFiles } from "../../test/helpers/projects.mts";
import { COVERAGE, coveredFolderOf } from "./coverage.mts";
import { type Mutant } from "./draw.mts";
import type { Switches, SwitchedMutant } from "./switch.mts";
import type { Tests } from "./tests.mts";

/**
 * The result of testing a mutant. `killed`: a test has failed, whose file passes without the mutant. `timeout`: the tests have not ended
 * at their limit, as in an endless loop. `survived`: no test has failed. `refused`: the compiler does not accept it; this says nothing
 * about tests.
 */
export interface Verdict {
  readonly outcome: "killed" | "timeout" | "survived" | "refused";
  /** The test that failed. */
  readonly by?: string | undefined;
  /** The number of test files that reach the place of the mutant, of those that were run. */
  readonly reachedBy: number;
  readonly seconds: number;
}

/** A test file that passes without a mutant. */
interface Original {
  readonly file: string;
  /** The time that it takes. */
  readonly ms: number;
  /** The numbers of the mutants whose places it reaches. */
  readonly reached: ReadonlySet<string>;
}

/** A mutant that no test has noticed yet. */
interface Left<T> {
  readonly mutant: T;
  readonly reachedBy: number;
  /** The time that its tests have taken. */
  readonly ms: number;
}

interface Stage {
  /** The predicate of a sentence about its test files. */
  readonly do: string;
  readonly projects: readonly Project[];
  /** If true, all tests of the projects are run, else those that coverage.mts names for the mutant's folder. */
  readonly hasAll: boolean;
}

/** Most mutants are killed in the first stage, where a run takes a second. */
const STAGES: readonly Stage[] = [
  { do: "start no process", projects: ["unit", "esc"], hasAll: true },
  { do: "start the program", projects: ["process"], hasAll: false },
  { do: "start it often", projects: ["slow", "standalone"], hasAll: false },
];

export const STAGE_COUNT = STAGES.length;

const TEST_FILES = testFiles();

/** The limit on a test file without a mutant. The longest takes two minutes. */
const ORIGINAL_LIMIT_MS = 600_000;
/** The limit on a run with a mutant: so much, and so many times what its files take without the mutant. */
const LIMIT_MS = 60_000;
const LIMIT_FACTOR = 5;

export class Judge {
  readonly #tests: Tests;
  readonly #switches: Switches;
  readonly #log: (line: string) => void;

  /** @param log gets lines on the progress */
  constructor(tests: Tests, switches: Switches, log: (line: string) => void) {
    this.#tests = tests;
    this.#switches = switches;
    this.#log = log;
  }

  /** Tests mutants in the first stages, as many as given, and reports each verdict when it is known. */
  async judge<T extends SwitchedMutant>(
    mutants: readonly T[],
    stageCount: number,
    report: (mutant: T, verdict: Verdict) => void,
  ): Promise<void> {
    let left = mutants.map((mutant): Left<T> => ({ mutant, reachedBy: 0, ms: 0 }));
    for (const stage of STAGES.slice(0, stageCount)) {
      const files = new Set(left.flatMap(({ mutant }) => testsFor(stage, mutant)));
      this.#log(`mutants: ${left.length}, test files that ${stage.do}: ${files.size}`);
      const originals = await this.#runOriginals([...files]);
      const survivors: Left<T>[] = [];
      for (const { mutant, reachedBy: before, ms } of left) {
        const own = new Set(testsFor(stage, mutant));
        const reaching = originals.filter(({ file, reached }) => own.has(file) && reached.has(mutant.id));
        const began = performance.now();
        const { outcome, by } = await this.#test(mutant, reaching, !stage.hasAll);
        const now = { mutant, reachedBy: before + reaching.length, ms: ms + performance.now() - began };
        if (outcome === "survived") survivors.push(now);
        else report(mutant, { outcome, by, reachedBy: now.reachedBy, seconds: Math.round(now.ms / 1000) });
      }
      left = survivors;
    }
    for (const { mutant, reachedBy, ms } of left)
      report(mutant, { outcome: "survived", reachedBy, seconds: Math.round(ms / 1000) });
  }

  /** Runs each test file without a mutant. Returns those that pass, the shortest first. */
  async #runOriginals(files: readonly string[]): Promise<readonly Original[]> {
    const originals: Original[] = [];
    for (const file of files) {
      this.#switches.turnOn(undefined);
      const began = performance.now();
      const result = await this.#tests.run([file], ORIGINAL_LIMIT_MS);
      const ms = performance.now() - began;
      if (result.kind === "passed") originals.push({ file, ms, reached: this.#switches.reached() });
      else
        this.#log(
          `left out: ${file} does not pass without a mutant${result.kind === "failed" ? `: ${result.name}` : ""}`,
        );
    }
    return originals.toSorted((a, b) => a.ms - b.ms);
  }

  /** @param mayFailByChance a failed test must fail again */
  async #test(
    mutant: SwitchedMutant,
    originals: readonly Original[],
    mayFailByChance: boolean,
  ): Promise<Pick<Verdict, "outcome" | "by">> {
    if (originals.length === 0) return { outcome: "survived" };
    const limitMs = LIMIT_MS + LIMIT_FACTOR * originals.reduce((sum, { ms }) => sum + ms, 0);
    this.#switches.turnOn(mutant.id);
    const result = await this.#tests.run(
      originals.map(({ file }) => file),
      limitMs,
    );
    if (result.kind === "overdue") return { outcome: "timeout" };
    if (result.kind === "passed") return { outcome: "survived" };
    const { file, name } = result;
    const failed = originals.filter((original) => original.file === file);
    if (mayFailByChance && failed.length > 0 && (await this.#test(mutant, failed, false)).outcome === "survived") {
      const others = originals.filter((original) => original.file !== file);
      return this.#test(mutant, others, mayFailByChance);
    }
    return { outcome: "killed", by: file === undefined ? name : `${file}: ${name}` };
  }
}

/** Returns the test files of a stage that may notice a mutant, relative to the repository. */
function testsFor({ projects, hasAll }: Stage, { file }: Mutant): readonly string[] {
  const named = COVERAGE[coveredFolderOf(file) ?? ""] ?? [];
  return TEST_FILES.filter((test) => projects.includes(projectOf(test))).filter(
    (test) => hasAll || named.some((path) => (path.endsWith("/") ? test.startsWith(path) : test === path)),
  );
}
