/** The command that runs another at a terminal of its own; without vitest, for `npx tsx scripts/faults.ts`. */
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
 * Returns the command that runs another in the foreground of a terminal, and types what the steps say.
 *
 * @param before what is typed before the command starts
 */
export function terminalCommand(
  command: readonly string[],
  steps: readonly Step[] = [],
  columns = 0,
  before = "",
): readonly [string, ...string[]] {
  return [...PYTHON, "-c", DRIVER, JSON.stringify([steps, columns, before]), ...command];
}
