/**
 * Prepares this process at the very beginning of a run: records which descriptors the caller has passed on, and lets signals act as
 * the user expects until the program is started. `Preparation` has functions that undo the changes that the program would inherit.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { CORE_FILTER, FATAL_SIGNALS } from "../../native/shared.ts";
import type { Addon } from "../../native/system.ts";
import { isBun } from "../system/runtime.ts";
import { loadAddon, loader } from "../system/addon/addon.ts";
import { hasNoInherited } from "./proc/descriptors.ts";
import { listenToSignals } from "./event-listeners.ts";
import type { Preparation } from "./types.ts";

/**
 * The numbers of two signals in Linux on nearly all processors (signal(7)). node:os has them, too, but loading it slows down a
 * start.
 */
const SIGUSR1 = 10;
const SIGPROF = 27;

/**
 * Records the inherited descriptors, and sets how signals act until the launch. Must be called before any file is opened, since the
 * descriptor of that file would look like an inherited one.
 *
 * Until the launch a signal must end this process. The kernel's default action does that without a race. For PID 1 the kernel has
 * no default action, so that this process listens and exits. If a SIGUSR1 came before this code, Node.js has not ended but opened
 * its inspector. Then this process ends by that signal now.
 *
 * @param variables the environment of this process
 */
export function prepareLaunch(variables: Readonly<Record<string, string | undefined>>): Preparation {
  // This status applies if the event loop ends before the program was started, which is a fault.
  process.exitCode = 125;
  const isFirstProcess = process.pid === 1;
  const addon = isBun ? undefined : loadAddon();
  // Node.js has a handler that would open the inspector. A listener replaces it, and the removal of the listener leaves the default
  // action.
  if (addon !== undefined) addon.restoreDefault(SIGUSR1);
  else if (process.platform !== "win32" && !isFirstProcess) {
    const stopListening = listenToSignals(["SIGUSR1"], () => {});
    stopListening();
  }
  const options = [...process.execArgv, variables["NODE_OPTIONS"] ?? ""].filter((option) => option !== "");
  // Such options can preload code. With NODE_DEBUG Node.js may have opened a stream.
  const preloaded = options.length > 0 || Boolean(variables["NODE_DEBUG"]);
  // Listeners of preloaded code, and of Node.js for reports and heap snapshots, would suppress the default action.
  if (preloaded) {
    for (const name of process.eventNames()) {
      if (typeof name === "string" && name.startsWith("SIG")) process.removeAllListeners(name);
    }
    // A report contains the arguments and variables of this process, and so secrets.
    if (options.some((option) => option.includes("--report-"))) {
      process.report.reportOnFatalError = false;
      process.report.reportOnUncaughtException = false;
    }
  }
  // The user wants to inspect the program, whose inspector needs the port.
  if (options.some((option) => option.includes("--inspect"))) closeInspector();
  /** Ends this process by SIGUSR1 if the inspector is open, unless an option of Node.js may have opened it. */
  const dieIfInspected = (): void => {
    if (!closeInspector() || preloaded) return;
    if (isFirstProcess) process.exit(128 + SIGUSR1);
    process.kill(process.pid, "SIGUSR1");
  };
  /** True if preloaded code, or Node's channel to its parent, may have opened descriptors. */
  const mayHaveOthers = preloaded || process.send !== undefined;
  const callerDescriptors = loader?.caller?.descriptors;
  const inherited =
    callerDescriptors !== undefined
      ? { numbers: callerDescriptors.toSorted((a, b) => a - b), doubtful: [] }
      : hasNoInherited(addon)
        ? { numbers: [], doubtful: [] }
        : import("./proc/inherited.ts").then(({ inheritedDescriptors }) =>
            inheritedDescriptors({ mayHaveOthers, onSocket: dieIfInspected, addon }),
          );
  // `catchesSignal` below looks for the profiler's handler of SIGPROF, so this process must not add its own handler.
  const fatalSignals = preloaded ? FATAL_SIGNALS.filter((signal) => signal !== "SIGPROF") : FATAL_SIGNALS;
  return {
    inherited,
    addon,
    preloaded,
    profiled: preloaded && import("./proc/process-stat.ts").then(({ catchesSignal }) => catchesSignal("self", SIGPROF)),
    isFirstProcess,
    // PID 1 cannot die of a signal. It exits with the status that container runtimes show for a process that has died of the
    // signal.
    stopListening: isFirstProcess ? listenToSignals(fatalSignals, (_, number) => process.exit(128 + number)) : () => {},
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

/** Excludes this process's memory, which contains secrets, from its core dumps (Linux; core(5)). @returns the undo */
export function excludeFromCoreDumps(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  const exchange = addon === undefined ? exchangeCoreFilter : addon.exchangeCoreFilter;
  // 0: no part of the memory is written.
  const formerFilter = exchange(0);
  return formerFilter === -1 ? () => {} : () => void exchange(formerFilter);
}

/**
 * Replaces the filter of core dumps, as the addon's function does. If this process may not write the file, the kernel does not dump
 * it.
 *
 * @returns the former filter; -1 if it cannot be replaced
 */
function exchangeCoreFilter(filter: number): number {
  try {
    const formerFilter = Number.parseInt(readFileSync(CORE_FILTER, "utf8"), 16);
    writeFileSync(CORE_FILTER, String(filter));
    return formerFilter;
  } catch {
    return -1;
  }
}
