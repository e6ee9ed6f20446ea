/**
 * Changes the program at random places, and counts the changes that tests notice: `npm run mutations -- [--seed N] [--count N]
 * [--part I/N] [--only PATH] [--stages N] [--report FILE]`. docs/maintaining.md says how to read the result.
 *
 * StrykerJS makes the mutants. Its runner for vitest does not test them: many tests here start the built program, in which that
 * runner cannot turn a mutant on. So all mutants are written into a clone, which is built once, and each is turned on for the tests that
 * reach it.
 */
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { coveredFolderOf } from "./mutations/coverage.mts";
import { drawMutants, type Mutant, mutated, mutatedFiles } from "./mutations/draw.mts";
import { Judge, STAGE_COUNT, type Verdict } from "./mutations/judge.mts";
import { NotRun } from "./mutations/not-run.mts";
import { Switches, writeSwitches } from "./mutations/switch.mts";
import { Tests } from "./mutations/tests.mts";
import { acceptedMutants } from "./mutations/types.mts";
import { Workplace } from "./mutations/workplace.mts";

const root = join(import.meta.dirname, "..");
const USAGE =
  "usage: npm run mutations -- [--seed N] [--count N] [--part I/N] [--only PATH] [--stages N] [--report FILE]";

const BUILD = [process.execPath, "scripts/build.mjs", "--if-changed"];
const BUILD_LIMIT_MS = 300_000;

interface Options {
  readonly seed: number;
  readonly count: number;
  /** The part of the sample to test, counted from 1. */
  readonly part: number;
  readonly parts: number;
  /** A folder or a file, relative to the repository. */
  readonly only: string | undefined;
  /** The number of stages of tests to run. A mutant that no test of these notices counts as survived. */
  readonly stages: number;
  readonly report: string;
}

type Result = Mutant & Verdict & { readonly diff: readonly string[] };

/** Returns the options; undefined for wrong ones. */
function parseOptions(args: readonly string[]): Options | undefined {
  const options = {
    seed: { type: "string" },
    count: { type: "string", default: "100" },
    part: { type: "string", default: "1/1" },
    only: { type: "string" },
    stages: { type: "string", default: String(STAGE_COUNT) },
    report: { type: "string", default: join(root, ".cache/mutations/report.json") },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch {
    return undefined;
  }
  const { seed = String(randomInt(1_000_000)), count, only } = values;
  const [, part = "", parts = ""] = /^(\d{1,3})\/(\d{1,3})$/.exec(values.part) ?? [];
  const isNumber = /^\d{1,9}$/.test(seed) && /^[1-9]\d{0,4}$/.test(count);
  if (!isNumber || Number(part) < 1 || Number(part) > Number(parts)) return undefined;
  const stages = Number(values.stages);
  if (!Number.isInteger(stages) || stages < 1 || stages > STAGE_COUNT) return undefined;
  const numbers = { seed: Number(seed), count: Number(count), part: Number(part), parts: Number(parts), stages };
  return { ...numbers, only: only?.replace(/\/$/, ""), report: resolve(values.report) };
}

/** Returns the files to mutate. The tests of `link` need the executable. */
function filesFor({ only }: Options): readonly string[] {
  const hasExecutable = existsSync(join(root, "dist-standalone", `sophia-run-linux-${process.arch}`));
  const all = mutatedFiles(root).filter((file) => only === undefined || file === only || file.startsWith(`${only}/`));
  const files = all.filter((file) => hasExecutable || coveredFolderOf(file) !== "src/commands/link");
  if (files.length < all.length) {
    console.log("left out: src/commands/link, whose tests need what npm run build:standalone makes");
  }
  return files;
}

/** Returns the lines that a mutant changes, as a diff has them. @param before the text of its file */
function diffOf(mutant: Mutant, before: string): readonly string[] {
  const after = mutated(before, mutant);
  const start = before.lastIndexOf("\n", mutant.start - 1) + 1;
  const linesFrom = (text: string, end: number): readonly string[] => {
    const lineEnd = text.indexOf("\n", end);
    return text.slice(start, lineEnd === -1 ? undefined : lineEnd).split("\n");
  };
  const removed = linesFrom(before, mutant.end);
  const added = linesFrom(after, mutant.start + mutant.replacement.length);
  return [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
}

/** Returns the share of mutants that tests have noticed, in percent; undefined if there were none. */
function scoreOf(results: readonly Result[]): number | undefined {
  const judged = results.filter(({ outcome }) => outcome !== "refused");
  const noticed = judged.filter(({ outcome }) => outcome !== "survived");
  return judged.length === 0 ? undefined : Math.round((1000 * noticed.length) / judged.length) / 10;
}

function writeReport({ seed, count, part, parts, report }: Options, results: readonly Result[]): void {
  mkdirSync(dirname(report), { recursive: true });
  const content = { seed, count, part: `${part}/${parts}`, score: scoreOf(results), mutants: results };
  writeFileSync(report, `${JSON.stringify(content, undefined, 2)}\n`);
}

async function main(options: Options): Promise<void> {
  const { seed, count, part, parts } = options;
  console.log(`seed ${seed}, ${count} mutants, part ${part} of ${parts}`);
  const sample = await drawMutants(root, filesFor(options), count, seed);
  const mutants = sample.filter((_, index) => index % parts === part - 1);
  const place = new Workplace();
  const leave = (signal: NodeJS.Signals): void => {
    place.close();
    process.kill(process.pid, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
  try {
    const results = await testMutants(place, mutants, options);
    const numbers = (["killed", "timeout", "survived", "refused"] as const).map(
      (outcome) => `${results.filter((result) => result.outcome === outcome).length} ${outcome}`,
    );
    console.log(`${numbers.join(", ")}: ${scoreOf(results) ?? "-"} % noticed`);
  } finally {
    place.close();
  }
}

/** Tests mutants in a clone. Prints and reports each verdict when it is known. */
async function testMutants(place: Workplace, mutants: readonly Mutant[], options: Options): Promise<readonly Result[]> {
  const results: Result[] = [];
  const report = (mutant: Mutant, verdict: Verdict): void => {
    const diff = diffOf(mutant, readFileSync(join(root, mutant.file), "utf8"));
    results.push({ ...mutant, ...verdict, diff });
    const { outcome, by, reachedBy, seconds } = verdict;
    const position = `${mutant.file}:${mutant.line}`;
    const tests = outcome === "survived" ? `, ${reachedBy} test ${reachedBy === 1 ? "file" : "files"}` : "";
    console.log(
      `${outcome} ${position} (${mutant.mutator}${tests}, ${seconds} s)${by === undefined ? "" : ` by ${by}`}`,
    );
    if (outcome === "survived") for (const line of diff) console.log(`  ${line}`);
    // After each one, so that a run that is ended early has a report.
    writeReport(options, results);
  };
  place.clone(root);
  const accepted = new Set(await acceptedMutants(place, mutants));
  for (const mutant of mutants.filter((drawn) => !accepted.has(drawn)))
    report(mutant, { outcome: "refused", reachedBy: 0, seconds: 0 });
  const switches = new Switches(place.switches);
  const switched = await writeSwitches(root, place.root, [...accepted], switches);
  const { status } = await place.run(BUILD, BUILD_LIMIT_MS);
  if (status !== 0) throw new Error("the program with all mutants in it cannot be built");
  await new Judge(new Tests(place), switches, console.log).judge(switched, options.stages, report);
  return results;
}

/** Returns the one line that says what the machine lacks; undefined for another error. */
function lackIn(error: unknown): string | undefined {
  if (error instanceof NotRun) return error.message;
  const isFull = error instanceof Error && "code" in error && error.code === "ENOSPC";
  return isFull ? "the disk is full" : undefined;
}

const options = parseOptions(process.argv.slice(2));
if (options === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    await main(options);
  } catch (error) {
    const lack = lackIn(error);
    if (lack === undefined) throw error;
    console.error(`not run: ${lack}`);
    process.exitCode = 2;
  }
}
