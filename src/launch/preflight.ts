import { loadAddon, type Addon } from "./exec/addon.ts";
import { inheritedDescriptors } from "./proc/descriptors.ts";
import { withholdMemory } from "./proc/core-dump.ts";
import { catchesSignal } from "./proc/process-stat.ts";
import { isBun } from "../system/runtime.ts";

/** What must be known or done before anything else runs; made by {@link prepare}, used by the launch. */
export interface Preparation {
  /** The descriptors from 3 on that the caller passed to this process. */
  readonly inherited: readonly number[];
  /** The C library by our addon for Node.js, where that could be loaded; see {@link libcOf}. */
  readonly addon: Addon | undefined;
  /** Node.js was given options: code of others may have run in this process before, and opened what it liked. */
  readonly preloaded: boolean;
  /** V8's profiler takes samples of this process, by SIGPROF. */
  readonly profiled: boolean;
  /** This process is PID 1 of its PID namespace: the kernel drops every signal that it does not catch. */
  readonly firstProcess: boolean;
  /** Takes the listeners of {@link prepare} off again. */
  readonly stopListening: () => void;
  /** Puts back what this process's core dumps hold; a child or a new image inherits it. */
  readonly restoreCoreFilter: () => void;
}

/**
 * Their numbers in Linux, on nearly all processors (signal(7)). Not from signals.ts, for which a start that becomes the
 * program has no other use.
 */
const SIGUSR1 = 10;
const SIGPROF = 27;

/**
 * The first statement of the program: notes what later work would blur (descriptors), and settles how signals
 * act until the launch. Loads nothing but the addon, starts nothing.
 *
 * No listener is needed for that, but as PID 1: the default actions that the kernel takes are the right ones
 * (a fatal signal ends this process by that signal, TSTP stops it, WINCH does nothing), without a race.
 *
 * @param nodeOptions the value of `NODE_OPTIONS`, if there is one
 */
export function prepare(nodeOptions?: string): Preparation {
  // An event loop that drains before the launch ends would otherwise look like success.
  process.exitCode = 125;
  const firstProcess = process.pid === 1;
  const addon = isBun ? undefined : loadAddon();
  // Node opens the inspector on SIGUSR1; the kernel's own action is that this process dies.
  if (addon !== undefined) addon.restoreDefault(SIGUSR1);
  else if (process.platform !== "win32" && !firstProcess) {
    // A JavaScript listener takes Node's place, and nothing takes its own.
    process.on("SIGUSR1", ignore).removeListener("SIGUSR1", ignore);
  }
  const options = [...process.execArgv, nodeOptions ?? ""].filter((option) => option !== "");
  const preloaded = options.length > 0;
  // The options that opened the inspector here are the program's too, and so is the port.
  if (options.some((option) => option.includes("--inspect"))) closeInspector();
  const dieIfSignaled = (): void => {
    // Where no option and no code of others has opened it, a SIGUSR1 has, which came before the first statement.
    if (closeInspector() && !preloaded) dieOfEarlySignal(firstProcess);
  };
  return {
    inherited: inheritedDescriptors({ mayHaveMore: preloaded || process.send !== undefined, onSocket: dieIfSignaled }),
    addon,
    preloaded,
    // Nothing but an option, or code that one loaded, starts the profiler.
    profiled: preloaded && catchesSignal("self", SIGPROF),
    firstProcess,
    stopListening: firstProcess ? listenAsFirstProcess() : ignore,
    restoreCoreFilter: withholdMemory(),
  };
}

/**
 * The signals that end a process by default and that a listener may wait for while the values are resolved. Not
 * SIGPIPE and SIGXFSZ: the kernel sends them for this process's own writes, and Node ignores them for that reason.
 * The ones that people send to stop a container come last: they are the first that {@link Preparation.stopListening}
 * must not take away.
 */
const fatal: readonly NodeJS.Signals[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGABRT",
  "SIGTRAP",
  "SIGSYS",
  "SIGXCPU",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
];

/** PID 1 cannot die of a signal: it exits with 128 plus the signal's number, which is how container runtimes show it. */
function listenAsFirstProcess(): () => void {
  const undo: (() => void)[] = [];
  for (const signal of fatal) {
    try {
      process.on(signal, exitFor);
    } catch {
      continue; // not a signal of this platform
    }
    undo.push(() => process.removeListener(signal, exitFor));
  }
  return () => {
    for (const remove of undo) remove();
  };
}

/** @returns whether it was open; its sockets are closed then */
function closeInspector(): boolean {
  const inspector = process.getBuiltinModule("node:inspector");
  if (inspector.url() === undefined) return false;
  inspector.close();
  return true;
}

function dieOfEarlySignal(firstProcess: boolean): void {
  if (firstProcess) process.exit(128 + SIGUSR1);
  process.kill(process.pid, "SIGUSR1");
}

function exitFor(_signal: NodeJS.Signals, number: number): never {
  return process.exit(128 + number);
}

function ignore(): void {}
