/** Tests one mutant after another in a workplace. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { COVERAGE, coveredFolderOf } from "./coverage.mts";
import { type Mutant, mutated } from "./draw.mts";
import type { Workplace } from "./workplace.mts";

/**
 * The result of testing a mutant. `killed`: a test has failed, whose file passes without the mutant. `timeout`: the tests have not ended
 * at their limit, as in an endless loop. `survived`: no test has failed. `refused`: the compiler or the bundler does not accept it.
 * `unclear`: a test has failed that fails without the mutant as well. The last two say nothing about tests.
 */
export interface Verdict {
  readonly outcome: "killed" | "timeout" | "survived" | "refused" | "unclear";
  /** The test that failed. */
  readonly by?: string | undefined;
  readonly seconds: number;
}

interface FailedTest {
  /** Relative to the repository. */
  readonly file: string;
  readonly name: string;
}

type TestResult =
  | { readonly kind: "passed" | "overdue" }
  /** `test` is undefined if vitest itself has failed, as it does if a file cannot be loaded. */
  | { readonly kind: "failed"; readonly test: FailedTest | undefined };

const COMPILE_LIMIT_MS = 300_000;
/** The limit on one stage. The longest takes three minutes on two cores, and a test that hangs fails after one. */
const STAGE_LIMIT_MS = 900_000;
/** npx would take half a second more. */
const toolAt = (path: string): readonly string[] => [process.execPath, `node_modules/${path}`];
const BUILD = [process.execPath, "scripts/build.mjs", "--if-changed"];
const CHECK_TYPES = [
  ...toolAt("typescript/bin/tsc"),
  "--noEmit",
  "--incremental",
  "--tsBuildInfoFile",
  "../types.json",
];
/** A mutant may use less than the original: a function without its body has parameters that are not used. */
const LENIENT = ["--noUnusedLocals", "false", "--noUnusedParameters", "false", "--allowUnreachableCode", "true"];

export class Judge {
  readonly #place: Workplace;
  /** The test files that have passed without a mutant. */
  readonly #passing = new Set<string>();

  constructor(place: Workplace) {
    this.#place = place;
  }

  /** Builds and tests a mutant. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const original = this.#place.read(mutant.file);
    const began = performance.now();
    const verdict = (outcome: Verdict["outcome"], by?: string): Verdict => ({
      outcome,
      by,
      seconds: Math.round((performance.now() - began) / 1000),
    });
    try {
      if (!(await this.#compile(mutant, original))) return verdict("refused");
      for (const stage of stagesFor(mutant.file)) {
        const result = await this.#test(stage);
        if (result.kind === "overdue") return verdict("timeout");
        if (result.kind !== "failed") continue;
        const { test } = result;
        this.#place.write(mutant.file, original);
        const isKill = test === undefined || (await this.#passes(test.file));
        return verdict(isKill ? "killed" : "unclear", test === undefined ? undefined : `${test.file}: ${test.name}`);
      }
      return verdict("survived");
    } finally {
      this.#place.write(mutant.file, original);
      this.#place.clear();
    }
  }

  /** Builds a mutant. Returns false if it cannot be, also in brackets: a replacement may bind less than what it replaces. */
  async #compile(mutant: Mutant, original: string): Promise<boolean> {
    for (const inBrackets of [false, true]) {
      this.#place.write(mutant.file, mutated(original, mutant, inBrackets));
      if (await this.#succeeds(BUILD)) return this.#succeeds([...CHECK_TYPES, ...LENIENT]);
    }
    return false;
  }

  async #succeeds(command: readonly string[]): Promise<boolean> {
    const ending = await this.#place.run(command, COMPILE_LIMIT_MS);
    return ending.kind === "status" && ending.status === 0;
  }

  /** Returns true if a test file passes without a mutant. */
  async #passes(file: string): Promise<boolean> {
    if (this.#passing.has(file)) return true;
    if ((await this.#test([file])).kind !== "passed") return false;
    this.#passing.add(file);
    return true;
  }

  /** Runs tests until the first one fails. @param args options and paths of vitest, which builds what has changed */
  async #test(args: readonly string[]): Promise<TestResult> {
    const reports = join(this.#place.root, "..", "reports");
    rmSync(reports, { recursive: true, force: true });
    mkdirSync(reports);
    const command = [...toolAt("vitest/vitest.mjs"), "run", "--bail=1", "--passWithNoTests", ...args];
    const ending = await this.#place.run(command, STAGE_LIMIT_MS, { TEST_REPORTS: reports });
    if (ending.kind === "overdue") return { kind: "overdue" };
    return ending.status === 0 ? { kind: "passed" } : { kind: "failed", test: failedTestIn(reports) };
  }
}

/**
 * Returns the arguments of vitest for each stage: first the tests in the same process, then those that start the program, of the
 * nearest folders first. Most mutants are killed by the first stages, which take seconds.
 */
function stagesFor(file: string): readonly (readonly string[])[] {
  const tests = COVERAGE[coveredFolderOf(file) ?? ""] ?? [];
  const slow = tests.map((test) => [test.includes(".standalone.") ? "--project=standalone" : "--project=slow", test]);
  return [["--project=unit", "--project=esc", ...tests], ["--project=process", ...tests], ...slow];
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Returns the first test that failed, by the report of vitest. */
function failedTestIn(folder: string): FailedTest | undefined {
  for (const report of readdirSync(folder)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- vitest wrote it
    const { testResults } = JSON.parse(readFileSync(join(folder, report), "utf8")) as Report;
    for (const { name, assertionResults } of testResults) {
      const test = assertionResults.find(({ status }) => status === "failed");
      if (test !== undefined) return { file: name.replace(/^.*?\/(?=(?:runtime\/)?test\/)/, ""), name: test.fullName };
    }
  }
  return undefined;
}
