import { listen } from "./event-listeners.ts";

/** KILL and STOP cannot be caught; a listener on a real fault would run for ever. */
const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"]);

/** Lists the signals of this platform. Some have two names: SIGIOT is SIGABRT, SIGPOLL is SIGIO. */
function entries(): readonly (readonly [NodeJS.Signals, number])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these are its only keys
  return Object.entries(process.getBuiltinModule("node:os").constants.signals) as [NodeJS.Signals, number][];
}

/** Lists the signals that can be caught, each by its first name. */
export function catchableSignals(): readonly NodeJS.Signals[] {
  return entries()
    .filter(
      ([name, number], index, all) => index === all.findIndex((other) => other[1] === number) && !UNCATCHABLE.has(name),
    )
    .map(([name]) => name);
}

/** Returns a signal's number; 0, for which kill(2) sends nothing, if this platform lacks it. */
export function signalNumber(signal: NodeJS.Signals): number {
  return entries().find(([name]) => name === signal)?.[1] ?? 0;
}

/** Returns a signal's name; undefined for 0 and real-time signals. */
export function signalName(number: number): NodeJS.Signals | undefined {
  return entries().find(([, other]) => other === number)?.[0];
}

/** Calls `run` without the listeners of a signal, so that the kernel's default action applies. */
export function withoutListeners(signal: NodeJS.Signals, run: () => void): void {
  const listeners = process.listeners(signal);
  for (const listener of listeners) process.removeListener(signal, listener);
  run();
  for (const listener of listeners) process.on(signal, listener);
}

/** Resets the signal to the kernel's default action. */
export function resetToDefault(signal: NodeJS.Signals): void {
  // Node does so when the last listener is removed. SIGPIPE and SIGXFSZ, which it ignores, and SIGUSR1 may have none.
  const number = signalNumber(signal);
  for (const [name] of entries().filter(([, other]) => other === number)) {
    listen([name], () => {});
    process.removeAllListeners(name);
  }
}

/** Sends a signal; ignores that the process is gone or belongs to another user. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    // By number: Bun does not know all names.
    process.kill(pid, signalNumber(signal));
  } catch {
    // ESRCH: it has just ended. EPERM: a set-user-ID program, which the caller cannot signal either.
  }
}
