/**
 * Changes the program at random places, and counts the changes that tests notice: `npm run mutations -- [--seed N] [--count N]
 * [--part I/N] [--only PATH] [--report FILE]`. docs/maintaining.md says how to read the result.
 *
 * StrykerJS makes the mutants. Its runner for vitest does not test them: most tests here start the built program, in which that
 * runner cannot switch a mutant on. So each mutant is written into a clone, built, and tested by the tests of its folder.
 */
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { coveredFolderOf } from "./mutations/coverage.mts";
import { drawMutants, type Mutant, mutated, mutatedFiles } from "./mutations/draw.mts";
import { Judge, type Verdict } from "./mutations/judge.mts";
import { NotRun } from "./mutations/not-run.mts";
import { Workplace } from "./mutations/workplace.mts";

const root = join(import.meta.dirname, "..");
const USAGE = "usage: npm run mutations -- [--seed N] [--count N] [--part I/N] [--only PATH] [--report FILE]";

interface Options {
  readonly seed: number;
  readonly count: number;
  /** The part of the sample to test, counted from 1. */
  readonly part: number;
  readonly parts: number;
  /** A folder or a file, relative to the repository. */
  readonly only: string | undefined;
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
  const numbers = { seed: Number(seed), count: Number(count), part: Number(part), parts: Number(parts) };
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
  const judged = results.filter(({ outcome }) => outcome !== "refused" && outcome !== "unclear");
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
  const results: Result[] = [];
  const place = new Workplace(root);
  const leave = (signal: NodeJS.Signals): void => {
    place.close();
    process.kill(process.pid, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
  try {
    const judge = new Judge(place);
    for (const mutant of mutants) {
      const verdict = await judge.judge(mutant);
      const diff = diffOf(mutant, place.read(mutant.file));
      results.push({ ...mutant, ...verdict, diff });
      const { outcome, by, seconds } = verdict;
      const position = `${mutant.file}:${mutant.line}`;
      console.log(`${outcome} ${position} (${mutant.mutator}, ${seconds} s)${by === undefined ? "" : ` by ${by}`}`);
      if (outcome === "survived") for (const line of diff) console.log(`  ${line}`);
      // After each one, so that a run that is ended early has a report.
      writeReport(options, results);
    }
  } finally {
    place.close();
  }
  const numbers = (["killed", "timeout", "survived", "refused", "unclear"] as const).map(
    (outcome) => `${results.filter((result) => result.outcome === outcome).length} ${outcome}`,
  );
  console.log(`${numbers.join(", ")}: ${scoreOf(results) ?? "-"} % noticed`);
  if (results.some(({ outcome }) => outcome === "unclear")) process.exitCode = 1;
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
