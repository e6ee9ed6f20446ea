/**
 * Sets a time limit for each synchronous child process of a test (`spawnSync` and the like). vitest cannot end a test while its
 * worker waits in such a function, so that one child that never ends would stop the whole run. vitest.config.mts loads this file
 * before each test file.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { systemErrorCode } from "../../src/system/errors.ts";

/** No child process of the tests takes as long, even on a busy machine. */
const LIMIT_MS = 120_000;

const NAMES = ["execFileSync", "execSync", "spawnSync"] as const;

type Call = (...args: readonly unknown[]) => unknown;

const LIMITED = Symbol.for("sophia-run limited");

/**
 * Returns the arguments of a call with the limit among the options, unless the caller has set one. The signal is SIGKILL, because after
 * SIGTERM Node.js would wait until the child ends.
 */
export function withLimit(args: readonly unknown[]): { readonly args: readonly unknown[]; readonly ms: number } {
  const last = args.at(-1);
  const hasOptions = typeof last === "object" && last !== null && !Array.isArray(last);
  const before = hasOptions || (args.length > 1 && last === undefined) ? args.slice(0, -1) : args;
  const options = { timeout: LIMIT_MS, killSignal: "SIGKILL", ...(hasOptions ? last : {}) };
  return { args: [...before, options], ms: options.timeout };
}

/** Wraps a function of node:child_process, so that it throws if the child does not end in time. */
function addLimit(call: Call): Call {
  const limitedCall = (...originalArgs: readonly unknown[]): unknown => {
    const { args, ms } = withLimit(originalArgs);
    try {
      const result = call(...args);
      if (typeof result === "object" && result !== null && "error" in result) throwIfLate(result.error, args, ms);
      return result;
    } catch (error) {
      throwIfLate(error, args, ms);
      throw error;
    }
  };
  return Object.assign(limitedCall, { [LIMITED]: true });
}

function throwIfLate(error: unknown, [file, args]: readonly unknown[], ms: number): void {
  if (systemErrorCode(error) !== "ETIMEDOUT") return;
  const command = [file, ...(Array.isArray(args) ? args : [])].map(String).join(" ");
  throw new Error(`killed, since it did not end within ${ms / 1000} s: ${command.slice(0, 1000)}`);
}

// Several test files may share a process.
if (!(LIMITED in childProcess.spawnSync)) {
  for (const name of NAMES) {
    // Sound: all arguments but the options are passed on unchanged.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    Object.assign(childProcess, { [name]: addLimit(childProcess[name] as Call) });
  }
  syncBuiltinESMExports();
}
