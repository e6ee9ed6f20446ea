/** The numbers of Linux, but for MIPS, Alpha, SPARC and PA-RISC (signal(7)): to ask node:os is to load it. */
const usual = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGIOT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGSTKFLT: 16,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPOLL: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

const numbers = (): Readonly<Partial<Record<NodeJS.Signals, number>>> =>
  process.platform === "linux" && (process.arch === "x64" || process.arch === "arm64")
    ? usual
    : process.getBuiltinModule("node:os").constants.signals;

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

/** @returns 0, by which kill(2) sends nothing, for a signal of other platforms */
export function signalNumber(signal: NodeJS.Signals): number {
  return numbers()[signal] ?? 0;
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
