import { listen } from "./listen.ts";

/** Never caught: KILL and STOP cannot be; a listener on a real fault would run for ever. */
const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"]);

/** The signals of this platform. Some have two names: SIGIOT is SIGABRT, SIGPOLL is SIGIO. */
function entries(): readonly (readonly [NodeJS.Signals, number])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these are its only keys
  return Object.entries(process.getBuiltinModule("node:os").constants.signals) as [NodeJS.Signals, number][];
}

/** Every signal that this process can listen to and act on, each under its first name. */
export function catchableSignals(): readonly NodeJS.Signals[] {
  return entries()
    .filter(
      ([name, number], index, all) => index === all.findIndex((other) => other[1] === number) && !UNCATCHABLE.has(name),
    )
    .map(([name]) => name);
}

/** @returns 0, by which kill(2) sends nothing, for a signal of other platforms */
export function signalNumber(signal: NodeJS.Signals): number {
  return entries().find(([name]) => name === signal)?.[1] ?? 0;
}

/** @returns undefined when no signal has the number (0, or a real-time signal) */
export function signalName(number: number): NodeJS.Signals | undefined {
  return entries().find(([, other]) => other === number)?.[0];
}

/** Runs something while nothing listens to a signal, so that the kernel acts upon it. */
export function withoutListeners(signal: NodeJS.Signals, run: () => void): void {
  const listeners = process.listeners(signal);
  for (const listener of listeners) process.removeListener(signal, listener);
  run();
  for (const listener of listeners) process.on(signal, listener);
}

/**
 * Gives the signal the kernel's default action again. Removing the last listener does that; adding one first does
 * it for SIGPIPE and SIGXFSZ, which Node ignores, and SIGUSR1, which it handles.
 */
export function resetToDefault(signal: NodeJS.Signals): void {
  const number = signalNumber(signal);
  for (const [name] of entries().filter(([, other]) => other === number)) {
    listen([name], () => {});
    process.removeAllListeners(name);
  }
}

/** Sends a signal; that the process is gone or belongs to another user is not an error here. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    // By number: Bun does not know all names.
    process.kill(pid, signalNumber(signal));
  } catch {
    // ESRCH: it has just ended. EPERM: a set-user-ID program, which the sender could not have signalled either.
  }
}
