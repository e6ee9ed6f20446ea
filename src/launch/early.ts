import { inheritedDescriptors } from "./descriptors.ts";
import { withholdMemory } from "./core-dump.ts";

/** What must be known or done before anything else runs; made by {@link prepare}, used by the launch. */
export interface Preparation {
  /** The descriptors from 3 on that the caller passed to this process. */
  readonly inherited: readonly number[];
  /** This process is PID 1 of its PID namespace: the kernel drops every signal that it does not catch. */
  readonly firstProcess: boolean;
  /** Takes the listeners of {@link prepare} off again. */
  readonly stopListening: () => void;
  /** Puts back what this process's core dumps hold; a child or a new image inherits it. */
  readonly restoreCoreFilter: () => void;
}

/**
 * The first statement of the program: notes what later work would blur (descriptors), and settles how signals
 * act until the launch. Loads nothing, starts nothing.
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
  if (process.platform !== "win32" && !firstProcess) {
    // Node opens the inspector on SIGUSR1. Once its JavaScript listener is gone, the action is the kernel's: die.
    process.on("SIGUSR1", ignore).removeListener("SIGUSR1", ignore);
  }
  if ([...process.execArgv, nodeOptions ?? ""].some((option) => option.includes("--inspect"))) {
    // The options that opened the inspector here are the program's too, and so is the port. Closed before the
    // descriptors are listed: its sockets are nobody's.
    process.getBuiltinModule("node:inspector").close();
  }
  return {
    inherited: inheritedDescriptors(),
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
