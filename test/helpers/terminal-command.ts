/** Builds the command that runs another command at a pseudo-terminal. This file does not need vitest, so that scripts can import it. */
import { spawnSync } from "node:child_process";

const DRIVER = `
import fcntl, json, os, pty, signal, struct, sys, termios
steps, columns, before = json.loads(sys.argv[1])
go, let_go = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.read(go, 1)
    if columns: fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
# A test presses Ctrl-C by this signal, when it has seen something other than the terminal.
signal.signal(signal.SIGUSR1, lambda *_: os.write(terminal, b"\\x03"))
since = b""
# What is typed before is there once the terminal has shown it: at most 4,096 bytes, of which Ctrl-D is not shown.
if before: os.write(terminal, before.encode())
shown = before.replace("\\n", "\\r\\n").replace("\\x04", "")
while len(since) < min(len(shown), 4000): since += os.read(terminal, 65536)
os.write(let_go, b"x")
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
 * The command of Python without its packages. `python3` on the PATH may be a script of a version manager. That and the packages would
 * each cost 0.1 s of processor time for each terminal.
 */
const PYTHON = [
  spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout?.trim() || "python3",
  "-IS",
] as const;

/** A text to wait for in what the terminal shows since the previous step, and the text that is then typed. */
export type Step = readonly [shown: string, typed: string];

/**
 * Returns the command that runs another command in the foreground of a pseudo-terminal, and types the texts of the steps.
 *
 * @param columns the width of the terminal; 0 if it is unknown
 * @param before the text that is typed before the command starts
 */
export function terminalCommand(
  command: readonly string[],
  steps: readonly Step[] = [],
  columns = 0,
  before = "",
): readonly [string, ...string[]] {
  return [...PYTHON, "-c", DRIVER, JSON.stringify([steps, columns, before]), ...command];
}
