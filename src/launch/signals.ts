/** Asked for when needed: whoever becomes the program needs no numbers. */
const numbers = (): Readonly<Record<NodeJS.Signals, number>> => process.getBuiltinModule("node:os").constants.signals;

/** A listener's undo. */
export type Undo = () => void;

/** Never caught: KILL and STOP cannot be; a listener on a real fault would run for ever. */
const uncatchable: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"]);

/** One name for each signal number of this platform, with the further names (SIGIOT is SIGABRT, SIGPOLL is SIGIO). */
function namesByNumber(): ReadonlyMap<number, readonly NodeJS.Signals[]> {
  const byNumber = new Map<number, NodeJS.Signals[]>();
  for (const [name, number] of Object.entries(numbers())) {
    if (!isSignal(name)) continue;
    const names = byNumber.get(number);
    if (names === undefined) byNumber.set(number, [name]);
    else names.push(name);
  }
  return byNumber;
}

/** Every signal that this process can listen to and act on, each under one name. */
export function catchableSignals(): readonly NodeJS.Signals[] {
  const first = [...namesByNumber().values()].flatMap((names) => names.slice(0, 1));
  return first.filter((name) => !uncatchable.has(name));
}

export function signalNumber(signal: NodeJS.Signals): number {
  return numbers()[signal];
}

/** All names of the signal, its own included. */
export function namesOf(signal: NodeJS.Signals): readonly NodeJS.Signals[] {
  return namesByNumber().get(signalNumber(signal)) ?? [signal];
}

/** @returns undefined when no signal has the number (0, or a real-time signal) */
export function signalName(number: number): NodeJS.Signals | undefined {
  return namesByNumber().get(number)?.[0];
}

/** Listens to one signal. @returns the undo */
export function listen(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): Undo {
  try {
    process.on(signal, listener);
  } catch {
    return () => {}; // libuv cannot catch this one here
  }
  return () => {
    process.removeListener(signal, listener);
  };
}

/**
 * Gives the signal the kernel's default action again. Taking the last listener off does that, adding one first does
 * it for SIGPIPE and SIGXFSZ, which Node ignores, and SIGUSR1, which it handles.
 */
export function resetToDefault(signal: NodeJS.Signals): void {
  for (const name of namesOf(signal)) {
    try {
      process.on(name, ignore);
      process.removeAllListeners(name);
    } catch {
      // KILL and STOP have no other action.
    }
  }
}

/** Sends a signal; that the process is gone or belongs to another user is no error here. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    // By number: Bun does not know the names of all.
    process.kill(pid, signalNumber(signal));
  } catch {
    // ESRCH: it ended just now. EPERM: a set-user-ID program, which the sender could not have signalled either.
  }
}

/** Tells the compiler what the names in os.constants.signals are. */
function isSignal(name: string): name is NodeJS.Signals {
  return name in numbers();
}

function ignore(): void {}
