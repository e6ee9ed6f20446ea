/** Runs programs whose credentials expire again and again. */
import { isDeepStrictEqual } from "node:util";
import { sophiaRun } from "../../../helpers/program.ts";
import { startProcess } from "../../../helpers/start-process.ts";

/** A call that reached the stub of a cloud. */
export interface CloudCall {
  /** The number of the credentials, from 1; 0 for those that ESC did not make. */
  readonly generation: number;
  /** The part of the program that made it. */
  readonly operation: string;
  readonly isAccepted: boolean;
}

export interface ExpiringWorld {
  readonly cwd: string;
  /** The caller's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly calls: readonly CloudCall[];
  /** Milliseconds that credentials live from their opening on. */
  readonly lifeMs: number;
}

/** A program that makes calls for LASTS ms, and then prints how many there were, and which failed. */
export interface TestProgram {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface ProgramResult {
  readonly status: number | null;
  /** What sophia-run reported, with warnings of SDKs if it did. */
  readonly reports: string;
  /** The messages of calls that failed. */
  readonly failed: readonly string[];
  /** Calls that the stub refused. */
  readonly refused: number;
  /** Calls that have not failed, and of which the stub knows nothing. */
  readonly unseen: number;
  /** Each part of the program has used the credentials of each life. */
  readonly areAllUsed: boolean;
}

/** The result of a program whose calls have all been accepted. */
const FLAWLESS: ProgramResult = { status: 0, reports: "", failed: [], refused: 0, unseen: 0, areAllUsed: true };

/** Runs a program below `sophia-run --refresh`. */
export async function runWithExpiringCredentials(
  world: ExpiringWorld,
  { command, env = {} }: TestProgram,
  { lastsMs }: { readonly lastsMs: number },
): Promise<ProgramResult> {
  const [file, ...words] = [...sophiaRun, "--refresh", "--", ...command];
  const variables = { ...world.env, HOME: world.cwd, ...env, LASTS: String(lastsMs) };
  const { status, stdout, stderr } = await startProcess([file, ...words], { cwd: world.cwd, env: variables }).finished;
  const { calls, failed } = status === 0 ? JSON.parse(stdout) : { calls: 0, failed: [stderr] };
  const refused = world.calls.filter(({ isAccepted }) => !isAccepted).length;
  const operations = new Set(world.calls.map(({ operation }) => operation)).size;
  const used = new Set(world.calls.map(({ generation, operation }) => `${generation} ${operation}`)).size;
  return {
    status,
    reports: stderr.includes("sophia-run:") ? stderr : "",
    failed,
    refused,
    unseen: calls - failed.length - (world.calls.length - refused),
    areAllUsed: used >= operations * Math.floor(lastsMs / world.lifeMs),
  };
}

/** Runs programs at the same time, each in a world of its own. @returns the results of those that differ from {@link FLAWLESS} */
export async function findFailingPrograms(
  programs: Readonly<Record<string, TestProgram>>,
  makeWorld: () => Promise<ExpiringWorld>,
  lastsMs: number,
): Promise<Readonly<Record<string, ProgramResult>>> {
  const outcomes = await Promise.all(
    Object.entries(programs).map(async ([name, program]) => {
      return [name, await runWithExpiringCredentials(await makeWorld(), program, { lastsMs })] as const;
    }),
  );
  return Object.fromEntries(outcomes.filter(([, outcome]) => !isDeepStrictEqual(outcome, FLAWLESS)));
}
