import { sophiaRun } from "./sophia.ts";
import { type Finished, start, type Started, type StartOptions } from "./started.ts";
import { type Step, terminalCommand } from "./terminal-command.ts";

export type { Step } from "./terminal-command.ts";

/**
 * Starts a command in the foreground of a terminal of its own. What the terminal shows is the standard output; the status of
 * a death by a signal is 256 less its number.
 *
 * @param columns of the terminal; 0: it says none
 */
export function startAtTerminal(
  command: readonly string[],
  options: StartOptions,
  steps: readonly Step[] = [],
  columns = 0,
  before = "",
): Started {
  return start(terminalCommand(command, steps, columns, before), options);
}

/** Presses Ctrl-C at the terminal of a command: the kernel sends SIGINT to the processes in its foreground. */
export function pressCtrlC({ pid }: Started): void {
  process.kill(pid, "SIGUSR1");
}

/** Runs sophia-run at a terminal of its own and answers its questions. The status of a death by a signal is its negative number. */
export async function atTerminal(
  args: readonly string[],
  { cwd, env }: StartOptions,
  answers: readonly Step[],
  columns = 0,
): Promise<Finished> {
  const surroundings = { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env } };
  const finished = await startAtTerminal([...sophiaRun, ...args], surroundings, answers, columns).finished;
  const { status } = finished;
  return { ...finished, status: status !== null && status > 127 ? status - 256 : status };
}
