/**
 * Gives each synchronous child process of a test a limit. vitest cannot end a test while its worker waits in one of
 * these functions: one child that waits for ever would hold up the whole run.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { systemErrorCode } from "../../src/system/errors.ts";

/** More than any of them takes on a busy machine. */
const LIMIT_MS = 120_000;

const NAMES = ["execFileSync", "execSync", "spawnSync"] as const;

type Call = (...args: readonly unknown[]) => unknown;

const LIMITED = Symbol.for("sophia-run limited");

/** A call's arguments with the limit among the options, unless the caller has set one. Node.js waits on after SIGTERM. */
export function withLimit(args: readonly unknown[]): { readonly args: readonly unknown[]; readonly ms: number } {
  const last = args.at(-1);
  const hasOptions = typeof last === "object" && last !== null && !Array.isArray(last);
  const before = hasOptions || (args.length > 1 && last === undefined) ? args.slice(0, -1) : args;
  const options = { timeout: LIMIT_MS, killSignal: "SIGKILL", ...(hasOptions ? last : {}) };
  return { args: [...before, options], ms: options.timeout };
}

/** A function of node:child_process that throws if the child has not ended after a time. */
function limited(call: Call): Call {
  const within = (...given: readonly unknown[]): unknown => {
    const { args, ms } = withLimit(given);
    try {
      const result = call(...args);
      if (typeof result === "object" && result !== null && "error" in result) throwIfLate(result.error, args, ms);
      return result;
    } catch (error) {
      throwIfLate(error, args, ms);
      throw error;
    }
  };
  return Object.assign(within, { [LIMITED]: true });
}

function throwIfLate(error: unknown, [file, args]: readonly unknown[], ms: number): void {
  if (systemErrorCode(error) !== "ETIMEDOUT") return;
  const command = [file, ...(Array.isArray(args) ? args : [])].map(String).join(" ");
  throw new Error(`killed, since it did not end within ${ms / 1000} s: ${command.slice(0, 1000)}`);
}

// Several test files may share a process.
if (!(LIMITED in childProcess.spawnSync)) {
  for (const name of NAMES) {
    // Sound: the arguments are passed on as they came, but for the options.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    Object.assign(childProcess, { [name]: limited(childProcess[name] as Call) });
  }
  syncBuiltinESMExports();
}
