/** Runs commands at pseudo-terminals, and types at them. */
import { sophiaRun } from "./sophia.ts";
import { type ProcessResult, startProcess, type StartedProcess, type StartOptions } from "./start-process.ts";
import { type Step, terminalCommand } from "./terminal-command.ts";

export type { Step } from "./terminal-command.ts";

/**
 * Starts a command in the foreground of a pseudo-terminal. The standard output of the result is what the terminal shows. If a
 * signal ends the command, the status is 256 minus the number of the signal.
 *
 * @param columns the width of the terminal; 0 if it is unknown
 * @param before the text that is typed before the command starts
 */
export function startAtTerminal(
  command: readonly string[],
  options: StartOptions,
  steps: readonly Step[] = [],
  columns = 0,
  before = "",
): StartedProcess {
  return startProcess(terminalCommand(command, steps, columns, before), options);
}

/** Presses Ctrl-C at the terminal of a command. The kernel sends SIGINT to the processes in the foreground. */
export function pressCtrlC({ pid }: StartedProcess): void {
  process.kill(pid, "SIGUSR1");
}

/**
 * Runs sophia-run at a pseudo-terminal, and answers its questions. If a signal ends it, the status is minus the number of the
 * signal.
 */
export async function atTerminal(
  args: readonly string[],
  { cwd, env }: StartOptions,
  answers: readonly Step[],
  columns = 0,
): Promise<ProcessResult> {
  const surroundings = { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env } };
  const finished = await startAtTerminal([...sophiaRun, ...args], surroundings, answers, columns).finished;
  const { status } = finished;
  return { ...finished, status: status !== null && status > 127 ? status - 256 : status };
}
