/** Finds the mutants that the compiler refuses. */
import { groupBy } from "../../src/core/group-by.ts";
import { type Mutant, mutated } from "./draw.mts";
import type { Workplace } from "./workplace.mts";

const LIMIT_MS = 300_000;
const CHECK_TYPES = [process.execPath, "node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false"];
/** A mutant may use less than the original: a function without its body has parameters that are not used. */
const LENIENT = ["--noUnusedLocals", "false", "--noUnusedParameters", "false", "--allowUnreachableCode", "true"];

/**
 * Returns the mutants that the compiler accepts. Each run of the compiler has one mutant in each file, and an error in a file counts
 * against its mutant: the types of what a file exports are written out, so that a mutant has next to no effect on other files.
 */
export async function acceptedMutants(place: Workplace, mutants: readonly Mutant[]): Promise<readonly Mutant[]> {
  const left = new Map([...groupBy(mutants, ({ file }) => file)].map(([file, inFile]) => [file, [...inFile]]));
  const accepted: Mutant[] = [];
  for (;;) {
    let batch: readonly Mutant[] = [...left.values()].flatMap((inFile) => inFile.splice(0, 1));
    if (batch.length === 0) return accepted;
    let isComplete = false;
    while (!isComplete) {
      const errors = await compile(place, batch);
      const withoutErrors = batch.filter(({ file }) => !errors.files.has(file));
      // The compiler reports errors of types only where all files are free of errors of syntax.
      isComplete = !errors.areOfSyntax || withoutErrors.length === batch.length;
      batch = withoutErrors;
    }
    accepted.push(...batch);
  }
}

interface Errors {
  readonly files: ReadonlySet<string>;
  readonly areOfSyntax: boolean;
}

/** Compiles the program with mutants in it, and restores it. */
async function compile(place: Workplace, mutants: readonly Mutant[]): Promise<Errors> {
  const originals = mutants.map(({ file }) => place.read(file));
  for (const [index, mutant] of mutants.entries()) place.write(mutant.file, mutated(originals[index] ?? "", mutant));
  const { status, output } = await place.run([...CHECK_TYPES, ...LENIENT], LIMIT_MS);
  if (status === undefined) throw new Error(`the compiler did not end within ${LIMIT_MS / 1000} s`);
  for (const [index, { file }] of mutants.entries()) place.write(file, originals[index] ?? "");
  const errors = Array.from(output.matchAll(/^(.+?)\(\d+,\d+\): error (TS\d+):/gm));
  return {
    files: new Set(errors.map(([, file = ""]) => file)),
    areOfSyntax: errors.some(([, , code = ""]) => /^TS1\d{3}$/.test(code)),
  };
}
