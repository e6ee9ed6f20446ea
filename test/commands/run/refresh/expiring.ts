/** Runs a program whose credentials expire again and again. */
import { sophiaRun } from "../../../helpers/program.ts";
import { start } from "../../../helpers/started.ts";

/** A call that reached the stub of a cloud. */
export interface Call {
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
  readonly calls: readonly Call[];
  /** Milliseconds that credentials live from their opening on. */
  readonly life: number;
}

export interface ExpiringOptions {
  readonly lastsMs: number;
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What becomes of a program whose credentials are renewed. */
export const FLAWLESS = { failed: [], refused: 0, unseen: 0, areAllUsed: true };

/** Runs a command that makes calls for `lastsMs`, and returns what became of them. */
export async function expiring(
  it: ExpiringWorld,
  command: readonly string[],
  { lastsMs, options = ["--refresh"], env = {} }: ExpiringOptions,
) {
  const [file, ...words] = [...sophiaRun, ...options, "--", ...command];
  const variables = { ...it.env, HOME: it.cwd, ...env, LASTS: String(lastsMs) };
  const { status, stdout, stderr } = await start([file, ...words], { cwd: it.cwd, env: variables }).finished;
  // An SDK may have a warning of its own.
  if (status !== 0 || stderr.includes("sophia-run:")) return { status, stderr };
  const { calls, failed } = JSON.parse(stdout);
  const operations = new Set(it.calls.map(({ operation }) => operation)).size;
  const used = new Set(it.calls.map(({ generation, operation }) => `${generation} ${operation}`)).size;
  return {
    failed,
    refused: it.calls.filter(({ isAccepted }) => !isAccepted).length,
    unseen: calls - it.calls.length,
    areAllUsed: used >= operations * Math.floor(lastsMs / it.life),
  };
}
