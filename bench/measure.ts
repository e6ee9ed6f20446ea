import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** One process to measure. */
export interface Case {
  /** Name in the tables. */
  readonly name: string;
  /** Words of the command; the first is an absolute path. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Median, quartiles and minimum. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Timing {
  readonly name: string;
  /** Milliseconds from the start of the process to its end. */
  readonly wall: Spread;
  /** Milliseconds of processor time, user and system, children included. */
  readonly cpu: Spread;
  /** The same as multiples of the first case, each taken within one round. */
  readonly wallRatio: Spread;
  readonly cpuRatio: Spread;
  /** Milliseconds beyond the first case. */
  readonly wallBeyond: Spread;
  readonly cpuBeyond: Spread;
  /** Maximum resident memory in KiB. */
  readonly resident: Spread;
}

export interface ParentCost {
  readonly name: string;
  /** Microseconds. */
  readonly signal: Spread;
  readonly end: Spread;
  /** KiB. */
  readonly resident: number;
  readonly maximum: number;
}

/** Times the cases in turns, `rounds` times; the others are compared with the first one. */
export function timeInTurns(cases: readonly Case[], rounds: number): readonly Timing[] {
  // Sound: time.py prints this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const results = python("time.py", cases, rounds) as readonly (readonly (readonly [number, number, number])[])[];
  const [base = []] = results;
  return cases.map(({ name }, index) => {
    const runs = results[index] ?? [];
    const ratios = (which: 0 | 1): Spread => spread(runs.map((run, round) => run[which] / (base[round]?.[which] ?? 0)));
    const beyond = (which: 0 | 1): Spread => spread(runs.map((run, round) => run[which] - (base[round]?.[which] ?? 0)));
    return {
      name,
      wall: spread(runs.map(([wall]) => wall)),
      cpu: spread(runs.map(([, cpu]) => cpu)),
      wallRatio: ratios(0),
      cpuRatio: ratios(1),
      wallBeyond: beyond(0),
      cpuBeyond: beyond(1),
      resident: spread(runs.map(([, , resident]) => resident)),
    };
  });
}

/** Measures launchers that stay as the parent process. */
export function measureBeside(cases: readonly Case[], rounds: number): readonly ParentCost[] {
  // Sound: beside.py prints this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const results = python("beside.py", cases, rounds) as readonly {
    readonly [key in "signal" | "end" | "resident" | "maximum"]: readonly number[];
  }[];
  return cases.map(({ name }, index) => {
    const { signal = [], end = [], resident = [], maximum = [] } = results[index] ?? {};
    return {
      name,
      signal: spread(signal),
      end: spread(end),
      resident: spread(resident).median,
      maximum: spread(maximum).median,
    };
  });
}

/** Runs a script and returns the JSON that it prints; its first lines describe the form. */
function python(script: string, cases: readonly Case[], rounds: number): unknown {
  const output = execFileSync("python3", [join(import.meta.dirname, script)], {
    input: JSON.stringify({ rounds, cases }),
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf8",
  });
  return JSON.parse(output);
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { least: at(0), median: at(0.5), low: at(0.25), high: at(0.75) };
}
