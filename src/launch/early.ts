import { loadAddon } from "./addon.ts";
import { inheritedDescriptors } from "./descriptors.ts";
import { withholdMemory } from "./core-dump.ts";
import type { Libc } from "./libc.ts";
import { isBun } from "./runtime.ts";

/** What must be known or done before anything else runs; made by {@link prepare}, used by the launch. */
export interface Preparation {
  /** The descriptors from 3 on that the caller passed to this process. */
  readonly inherited: readonly number[];
  /** The C library by our addon for Node.js, where that could be loaded; see {@link libcOf}. */
  readonly addon: Libc | undefined;
  /** This process is PID 1 of its PID namespace: the kernel drops every signal that it does not catch. */
  readonly firstProcess: boolean;
  /** Takes the listeners of {@link prepare} off again. */
  readonly stopListening: () => void;
  /** Puts back what this process's core dumps hold; a child or a new image inherits it. */
  readonly restoreCoreFilter: () => void;
}

/** Its number in Linux, on the processors that there is an addon for (signal(7)). */
const SIGUSR1 = 10;

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
  if ([...process.execArgv, nodeOptions ?? ""].some((option) => option.includes("--inspect"))) {
    // The options that opened the inspector here are the program's too, and so is the port. Closed before the
    // descriptors are listed: its sockets are nobody's.
    process.getBuiltinModule("node:inspector").close();
  }
  return {
    inherited: inheritedDescriptors(),
    addon,
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

function exitFor(_signal: NodeJS.Signals, number: number): never {
  return process.exit(128 + number);
}

function ignore(): void {}
