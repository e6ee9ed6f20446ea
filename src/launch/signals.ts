/** Names and numbers the signals of this platform, sends them, and lets them act by default. */
import { listenToSignals } from "./event-listeners.ts";

/**
 * The kernel allows no listener for KILL and STOP. The others report a fault of this process, which would occur again after a
 * listener.
 */
const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"]);

/** Lists the signals of this platform with their numbers. Some have two names: SIGIOT is SIGABRT, SIGPOLL is SIGIO. */
function listSignals(): readonly (readonly [NodeJS.Signals, number])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these are its only keys
  return Object.entries(process.getBuiltinModule("node:os").constants.signals) as [NodeJS.Signals, number][];
}

/** Lists the signals that can be caught, each by its first name. */
export function catchableSignals(): readonly NodeJS.Signals[] {
  return listSignals()
    .filter(
      ([name, number], index, all) => index === all.findIndex((other) => other[1] === number) && !UNCATCHABLE.has(name),
    )
    .map(([name]) => name);
}

/** Returns a signal's number; 0, for which kill(2) sends nothing, if this platform lacks it. */
export function signalNumber(signal: NodeJS.Signals): number {
  return listSignals().find(([name]) => name === signal)?.[1] ?? 0;
}

/** Returns a signal's name; undefined for 0 and for real-time signals, which Node.js does not name. */
export function signalName(number: number): NodeJS.Signals | undefined {
  return listSignals().find(([, otherNumber]) => otherNumber === number)?.[0];
}

/** Calls a function while a signal has no listeners, so that the kernel's default action applies to it. */
export function callWithoutListeners(signal: NodeJS.Signals, callback: () => void): void {
  const listeners = process.listeners(signal);
  for (const listener of listeners) process.removeListener(signal, listener);
  callback();
  for (const listener of listeners) process.on(signal, listener);
}

/** Removes all listeners of a signal, so that the kernel's default action applies to it. */
export function resetToDefault(signal: NodeJS.Signals): void {
  // Node.js restores the default action when the last listener is removed. It ignores SIGPIPE and SIGXFSZ, and handles SIGUSR1
  // itself: these may have no listener, and get one first.
  const number = signalNumber(signal);
  for (const [name] of listSignals().filter(([, otherNumber]) => otherNumber === number)) {
    listenToSignals([name], () => {});
    process.removeAllListeners(name);
  }
}

/** Sends a signal. Does nothing if the process has ended or belongs to another user. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    // By number: Bun does not know all names.
    process.kill(pid, signalNumber(signal));
  } catch {
    // ESRCH: the process has just ended. EPERM: it is a set-user-ID program, which the caller cannot signal either.
  }
}
