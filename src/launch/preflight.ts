import { caller } from "../system/before-bun.ts";
import { isBun } from "../system/runtime.ts";
import { FATAL_SIGNALS } from "../system/shared.ts";
import { loadAddon, loader } from "../system/addon/addon.ts";
import { withholdMemory } from "./proc/core-dump.ts";
import { areAllOwn } from "./proc/descriptors.ts";
import { catchesSignal } from "./proc/process-stat.ts";
import { listen } from "./listen.ts";
import type { Preparation } from "./types.ts";

/** Their numbers in Linux, on nearly all processors (signal(7)). To ask node:os is to load it, in every start. */
const SIGUSR1 = 10;
const SIGPROF = 27;

/**
 * Notes which descriptors were inherited, and decides how signals act until the launch. Called before anything is opened;
 * starts no process. No listener stays, except as PID 1: the kernel's default actions are the right ones, without a race.
 *
 * @param variables `NODE_OPTIONS` and `NODE_DEBUG` are read
 */
export function prepare(variables: Readonly<Record<string, string | undefined>>): Preparation {
  // An event loop that drains before the launch ends would otherwise look like success.
  process.exitCode = 125;
  const firstProcess = process.pid === 1;
  const addon = isBun ? undefined : loadAddon();
  // Node opens the inspector on it; by the kernel's own action this process dies.
  if (addon !== undefined) addon.restoreDefault(SIGUSR1);
  else if (process.platform !== "win32" && !firstProcess) {
    listen(["SIGUSR1"], () => {})();
  }
  const options = [...process.execArgv, variables["NODE_OPTIONS"] ?? ""].filter((option) => option !== "");
  // For NODE_DEBUG Node.js may have opened a stream.
  const preloaded = options.length > 0 || Boolean(variables["NODE_DEBUG"]);
  // Listeners of preloaded code, and those by which Node.js writes a report or a heap snapshot on a signal, would keep the
  // signal from its default action.
  if (preloaded) {
    for (const name of process.eventNames()) {
      if (typeof name === "string" && name.startsWith("SIG")) process.removeAllListeners(name);
    }
    // A report of this process has its arguments and variables, and so secrets.
    if (options.some((option) => option.includes("--report-"))) {
      process.report.reportOnFatalError = false;
      process.report.reportOnUncaughtException = false;
    }
  }
  // The port is the program's.
  if (options.some((option) => option.includes("--inspect"))) closeInspector();
  const dieIfSignaled = (): void => {
    if (!closeInspector() || preloaded) return;
    // A SIGUSR1 has opened it, which came before the first statement.
    if (firstProcess) process.exit(128 + SIGUSR1);
    process.kill(process.pid, "SIGUSR1");
  };
  const mayHaveMore = preloaded || process.send !== undefined;
  const passed = isBun ? caller()?.descriptors : loader?.isUntouched === true ? [] : undefined;
  const inherited =
    passed !== undefined
      ? { numbers: passed.toSorted((a, b) => a - b), doubtful: [] }
      : areAllOwn(addon)
        ? { numbers: [], doubtful: [] }
        : import("./proc/inherited.ts").then(({ inheritedDescriptors }) =>
            inheritedDescriptors({ mayHaveMore, onSocket: dieIfSignaled, addon }),
          );
  return {
    inherited,
    addon,
    preloaded,
    profiled: preloaded && catchesSignal("self", SIGPROF),
    firstProcess,
    // PID 1 cannot die of a signal: it exits as container runtimes show such a death.
    stopListening: firstProcess ? listen(FATAL_SIGNALS, (_, number) => process.exit(128 + number)) : () => {},
    restoreCoreFilter: withholdMemory(addon),
  };
}

/** @returns whether it was open; its sockets are closed then */
function closeInspector(): boolean {
  const inspector = process.getBuiltinModule("node:inspector");
  if (inspector.url() === undefined) return false;
  inspector.close();
  return true;
}
