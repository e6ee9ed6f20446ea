import { readFileSync, writeFileSync } from "node:fs";
import { CORE_FILTER, FATAL_SIGNALS } from "../../native/shared.ts";
import type { Addon } from "../../native/system.ts";
import { isBun } from "../system/runtime.ts";
import { loadAddon, loader } from "../system/addon/addon.ts";
import { areAllOwn } from "./proc/descriptors.ts";
import { listen } from "./event-listeners.ts";
import type { Preparation } from "./types.ts";

/** Numbers in Linux on nearly all processors (signal(7)). Loading node:os would slow down every start. */
const SIGUSR1 = 10;
const SIGPROF = 27;

/**
 * Records the inherited descriptors and sets how signals act until the launch. Must run before any file is opened.
 *
 * Until the launch a signal must end this process. The kernel's default action does that without a race, except for PID 1,
 * which listens and exits. A SIGUSR1 before this code has opened Node's inspector: then this process ends by it now.
 */
export function prepare(variables: Readonly<Record<string, string | undefined>>): Preparation {
  // A drained event loop must not exit with 0.
  process.exitCode = 125;
  const firstProcess = process.pid === 1;
  const addon = isBun ? undefined : loadAddon();
  // Node would open the inspector.
  if (addon !== undefined) addon.restoreDefault(SIGUSR1);
  else if (process.platform !== "win32" && !firstProcess) {
    listen(["SIGUSR1"], () => {})();
  }
  const options = [...process.execArgv, variables["NODE_OPTIONS"] ?? ""].filter((option) => option !== "");
  // Node.js may have opened a stream for NODE_DEBUG.
  const preloaded = options.length > 0 || Boolean(variables["NODE_DEBUG"]);
  // Listeners of preloaded code, and of Node.js for reports and heap snapshots, would suppress the default action.
  if (preloaded) {
    for (const name of process.eventNames()) {
      if (typeof name === "string" && name.startsWith("SIG")) process.removeAllListeners(name);
    }
    // A report has the arguments and variables of this process, and so secrets.
    if (options.some((option) => option.includes("--report-"))) {
      process.report.reportOnFatalError = false;
      process.report.reportOnUncaughtException = false;
    }
  }
  // The port is meant for the program.
  if (options.some((option) => option.includes("--inspect"))) closeInspector();
  const dieIfSignaled = (): void => {
    if (!closeInspector() || preloaded) return;
    if (firstProcess) process.exit(128 + SIGUSR1);
    process.kill(process.pid, "SIGUSR1");
  };
  const mayHaveOthers = preloaded || process.send !== undefined;
  const passed = loader?.caller?.descriptors;
  const inherited =
    passed !== undefined
      ? { numbers: passed.toSorted((a, b) => a - b), doubtful: [] }
      : areAllOwn(addon)
        ? { numbers: [], doubtful: [] }
        : import("./proc/inherited.ts").then(({ inheritedDescriptors }) =>
            inheritedDescriptors({ mayHaveOthers, onSocket: dieIfSignaled, addon }),
          );
  // A handler of SIGPROF is the profiler's, as long as this process adds none.
  const fatal = preloaded ? FATAL_SIGNALS.filter((signal) => signal !== "SIGPROF") : FATAL_SIGNALS;
  return {
    inherited,
    addon,
    preloaded,
    profiled: preloaded && import("./proc/process-stat.ts").then(({ catchesSignal }) => catchesSignal("self", SIGPROF)),
    firstProcess,
    // PID 1 cannot die of a signal; container runtimes show a death as this status.
    stopListening: firstProcess ? listen(fatal, (_, number) => process.exit(128 + number)) : () => {},
    restoreCoreFilter: excludeFromCoreDumps(addon),
  };
}

/** Closes the inspector and its sockets. @returns false if it was not open */
function closeInspector(): boolean {
  const inspector = process.getBuiltinModule("node:inspector");
  if (inspector.url() === undefined) return false;
  inspector.close();
  return true;
}

/** Excludes this process's memory, which holds secrets, from its core dumps (Linux; core(5)). @returns the undo */
export function excludeFromCoreDumps(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  const exchange = addon === undefined ? exchangeFilter : addon.exchangeCoreFilter;
  const former = exchange(0);
  return former === -1 ? () => {} : () => void exchange(former);
}

/** As the addon's `exchangeCoreFilter`. The kernel does not dump a process that may not write the file. */
function exchangeFilter(filter: number): number {
  try {
    const former = Number.parseInt(readFileSync(CORE_FILTER, "utf8"), 16);
    writeFileSync(CORE_FILTER, String(filter));
    return former;
  } catch {
    return -1;
  }
}
