// Explains the system calls of a start.

/** The explanation for the calls of a path, by the path. `PROJECT` is the project's folder. */
const EXPLANATIONS = new Map([
  ["/proc/self/fd", "Lists the descriptors that the caller has left open, because the program must get the same ones."],
  [
    "/proc/self/coredump_filter",
    "Excludes this process's memory from core dumps while it holds secrets. The second time it restores the caller's setting for the program.",
  ],
  ["PROJECT", "Reads the name of the working directory, and examines who may write to it."],
  ["/usr/bin/true", "Finds the program on `PATH`."],
  [
    "PROJECT/sophia.contract.json",
    "Finds the contract, and examines its owner and permissions before and after it is opened.",
  ],
  ["PROJECT/.env", "Finds the `.env` file, and examines its owner and permissions before and after it is opened."],
  ["PROJECT/.env.override", "Looks for the file that overrides ESC."],
  ["/run/secrets", "Looks for the folder of Docker's secrets."],
]);

/**
 * @param {readonly { call: string, path: string }[]} calls
 * @returns {{ rows: { call: string, path: string, why: string }[], unexplained: string[] }} a path is explained once, in its
 *   first row
 */
export function explainCalls(calls) {
  const rows = [];
  const unexplained = [];
  const explained = new Set();
  for (const { call, path } of calls) {
    const why = call === "execve" ? "Replaces this process by the program." : EXPLANATIONS.get(path);
    if (why === undefined) unexplained.push(`${call} ${path}`);
    else rows.push({ call, path, why: explained.has(path) && call !== "execve" ? "" : why });
    explained.add(path);
  }
  return { rows, unexplained };
}
