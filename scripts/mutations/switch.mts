/**
 * Writes mutants into the sources of a workplace, each behind a switch of StrykerJS: the original runs until the mutant's number is
 * in a file. So the program is built once for all mutants, and it shows which of them a test reaches.
 */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { groupBy } from "../../src/core/group-by.ts";
import { lineStarts, located, type Mutant } from "./draw.mts";
import { loadInstrumenter, type Position, type Range } from "./stryker.mts";

/** A mutant that has a switch. */
export interface SwitchedMutant extends Mutant {
  readonly id: string;
}

/** The two files by which processes under test share the state of all switches. */
export class Switches {
  /** Has the number of the mutant that is on; empty for none. */
  readonly #active: string;
  /** Has a line for each number whose place a process has reached. */
  readonly #reached: string;

  /** @param folder is made, and must stay until all processes have ended */
  constructor(folder: string) {
    mkdirSync(folder);
    this.#active = join(folder, "active");
    this.#reached = join(folder, "reached");
    for (const path of [this.#active, this.#reached]) {
      writeFileSync(path, "");
      // Tests start the program as other users, too.
      chmodSync(path, 0o666);
    }
  }

  /** Processes that start from now on run this mutant; without one, they run the original, and record what they reach. */
  turnOn(id: string | undefined): void {
    writeFileSync(this.#active, id ?? "");
    writeFileSync(this.#reached, "");
  }

  /** Returns the mutants that processes have reached since the last {@link turnOn}. */
  reached(): ReadonlySet<string> {
    return new Set(readFileSync(this.#reached, "latin1").split("\n").filter(Boolean));
  }

  /**
   * Returns the statement with which each file of the program begins. StrykerJS's switches ask the object `__stryker__` which mutant is
   * on, and count there what they reach. No variable of the environment names the files, since the program removes variables.
   */
  prelude(): string {
    return `globalThis.__stryker__ ??= (() => {
  const { appendFileSync, readFileSync } = process.getBuiltinModule("node:fs");
  const attempt = (action) => { try { return action(); } catch { return undefined; } };
  const activeMutant = attempt(() => readFileSync(${JSON.stringify(this.#active)}, "latin1")) || undefined;
  const record = (seen, id) => {
    if (seen[id] === undefined && activeMutant === undefined)
      attempt(() => appendFileSync(${JSON.stringify(this.#reached)}, id + "\\n"));
    seen[id] = 1;
    return true;
  };
  return { activeMutant, mutantCoverage: { static: new Proxy({}, { set: record }), perTest: {} } };
})();
`;
  }
}

/**
 * Writes a switch for each mutant into the sources below a folder.
 *
 * @param checkout has StrykerJS in its `.cache`
 * @returns the mutants, with the numbers of their switches
 */
export async function writeSwitches(
  checkout: string,
  folder: string,
  mutants: readonly Mutant[],
  switches: Switches,
): Promise<readonly SwitchedMutant[]> {
  const instrument = await loadInstrumenter(checkout);
  const files = [...groupBy(mutants, ({ file }) => file)].map(([name, inFile]) => {
    const content = readFileSync(join(folder, name), "utf8");
    const starts = lineStarts(content);
    return { name, content, starts, mutate: inFile.map((mutant) => rangeOf(mutant, starts)) };
  });
  const startsOf = new Map(files.map(({ name, starts }) => [name, starts]));
  // StrykerJS makes also the mutants that lie within these. Their switches stay off.
  const made = await instrument(files);
  const ids = new Map(
    made.mutants.map((mutant) => [keyOf(located(mutant, startsOf.get(mutant.fileName) ?? [])), mutant.id]),
  );
  for (const { name, content } of made.files) {
    writeFileSync(join(folder, name), switches.prelude());
    appendFileSync(join(folder, name), content);
  }
  return mutants.map((mutant) => {
    const id = ids.get(keyOf(mutant));
    if (id === undefined) throw new Error(`StrykerJS has made no switch for ${keyOf(mutant)}`);
    return { ...mutant, id };
  });
}

function keyOf({ file, mutator, start, end, replacement }: Mutant): string {
  return JSON.stringify([file, mutator, start, end, replacement]);
}

function rangeOf({ start, end }: Mutant, starts: readonly number[]): Range {
  const positionOf = (offset: number): Position => {
    const line = starts.findLastIndex((lineStart) => lineStart <= offset);
    return { line, column: offset - (starts[line] ?? 0) };
  };
  return { start: positionOf(start), end: positionOf(end) };
}
