import { spawnSync } from "node:child_process";
import { sophiaRun } from "./sophia.ts";
import { type Finished, start, type Started, type StartOptions } from "./started.ts";

const DRIVER = `
import fcntl, json, os, pty, struct, sys, termios
steps, columns = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    if columns: fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
since = b""
while True:
    try: chunk = os.read(terminal, 65536)
    except OSError: break
    if not chunk: break
    since += chunk
    os.write(1, chunk)
    while steps and steps[0][0].encode() in since:
        shown, typed = steps.pop(0)
        since = since.split(shown.encode(), 1)[1]
        os.write(terminal, typed.encode())
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xff)
`;

/**
 * Python itself, without its packages: under its name on the PATH there may be a script of a version manager, and both take 0.1 s
 * more of processor time for each terminal.
 */
const PYTHON = [
  spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout?.trim() || "python3",
  "-IS",
] as const;

/** What is waited for, and what is typed once the terminal has shown it since the step before. */
export type Step = readonly [shown: string, typed: string];

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
): Started {
  return start([...PYTHON, "-c", DRIVER, JSON.stringify([steps, columns]), ...command], options);
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
