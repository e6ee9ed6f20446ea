// Explains the system calls of a start.

/** The explanation for the calls of a path, by the path. `PROJECT` is the project's folder. */
const EXPLANATIONS = new Map([
  ["/proc/self/fd", "lists the descriptors that the caller has left open, which the program must get."],
  [
    "/proc/self/coredump_filter",
    "excludes this process's memory from core dumps while it holds secrets. The setting gets the caller's value again before the program starts.",
  ],
  ["PROJECT", "the name of the working directory, and who may write to it."],
  ["/usr/bin/true", "finds the program on `PATH`."],
  [
    "PROJECT/sophia.contract.json",
    "finds and reads the contract. Its owner and permissions are examined before and after it is opened.",
  ],
  [
    "PROJECT/.env",
    "finds and reads the `.env` file. Its owner and permissions are examined before and after it is opened.",
  ],
  ["PROJECT/.env.override", "looks for the file that overrides ESC."],
  ["/run/secrets", "looks for the folder of Docker's secrets."],
]);

/**
 * Puts successive calls of the same path into one step, and explains each path where it first occurs.
 *
 * @param {readonly { call: string, path: string }[]} calls
 * @returns {{ steps: { path: string, calls: string[], why: string }[], unexplained: string[] }}
 */
export function explainCalls(calls) {
  const steps = [];
  const unexplained = [];
  const explained = new Set();
  for (const { call, path } of calls) {
    const previous = steps.at(-1);
    if (call === "execve") {
      steps.push({ path, calls: [call], why: ": replaces this process by the program." });
    } else if (!EXPLANATIONS.has(path)) {
      unexplained.push(`${call} ${path}`);
    } else if (previous?.path === path) {
      previous.calls.push(call);
    } else {
      steps.push({ path, calls: [call], why: explained.has(path) ? ", as above." : `: ${EXPLANATIONS.get(path)}` });
      explained.add(path);
    }
  }
  return { steps, unexplained };
}
