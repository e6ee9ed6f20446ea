import { sophiaRun } from "./sophia.ts";
import { type Finished, start, type StartOptions } from "./started.ts";

const SCRIPT = `
import json, os, pty, sys
answers = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
text = ""
while True:
    try: more = os.read(terminal, 4096)
    except OSError: break
    if not more: break
    text += more.decode()
    if answers and text.endswith(answers[0][0]): os.write(terminal, answers.pop(0)[1].encode()); text += "|"
sys.stdout.write(text)
sys.stdout.flush()
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xff)
`;

/**
 * Runs sophia-run at a terminal of its own and answers each question as soon as it is asked. What the terminal showed is
 * the standard output; the status of a death by a signal is its negative number.
 */
export async function atTerminal(
  args: readonly string[],
  { cwd, env }: StartOptions,
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<Finished> {
  const finished = await start(["python3", "-c", SCRIPT, JSON.stringify(answers), ...sophiaRun, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env },
  }).finished;
  const { status } = finished;
  return { ...finished, status: status !== null && status > 127 ? status - 256 : status };
}
