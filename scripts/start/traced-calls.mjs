// Traces the system calls of a start by strace.
import { runWithoutDescriptors } from "./clean-descriptors.mjs";

/**
 * Calls that touch nothing outside of the process, by their purpose. A call that is neither here nor in the page's table is an
 * error.
 */
export const OTHER_CALLS = new Map([
  ["memory", ["brk", "madvise", "mmap", "mprotect", "munmap"]],
  [
    "the set-up of the process",
    ["arch_prctl", "set_tid_address", "getpid", "prlimit64", "sched_getaffinity", "clock_gettime"],
  ],
  ["signals, whose actions are read and not changed", ["rt_sigaction", "rt_sigprocmask"]],
  ["open descriptors", ["close", "fcntl", "fstat", "getdents64", "read"]],
  ["the user's number, for the comparison with owners of files", ["geteuid"]],
]);
const OTHER_NAMES = new Set(Array.from(OTHER_CALLS.values()).flat());

/** A line of strace: `openat(AT_FDCWD, "/tmp/.env", O_RDONLY|O_CLOEXEC) = 3`, with `-y`: `write(3</proc/self/maps>, "0", 1) = 1`. */
const LINE = /^(?<call>\w+)\((?<args>.*)\)\s+= (?<result>.*)$/;

/**
 * Returns the calls of a start until the program replaces it.
 *
 * @param executable of sophia-run
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} surroundings its working directory is written as `PROJECT`
 * @returns {{ call: string, path: string }[]} in their order; successive calls of one path are one entry
 * @throws if the start fails, or if a line of strace cannot be read
 */
export function tracedCalls(executable, args, { cwd, env }) {
  // -qq: no lines about the end; -y: paths of descriptors; -E: the variables of the traced program.
  const options = ["-qq", "-y", "-f", "-s", "4096"];
  const variables = Object.entries(env).flatMap(([name, value]) => ["-E", `${name}=${value}`]);
  const command = ["strace", ...options, ...variables, executable, ...args];
  const { error, status, stderr } = runWithoutDescriptors(command, { cwd, env: { PATH: process.env["PATH"] } });
  if (error !== undefined || status !== 0) throw new Error(`strace ended with ${status}: ${error?.message ?? stderr}`);
  const calls = [];
  let executions = 0;
  for (const line of stderr.trimEnd().split("\n")) {
    const { call, args: text, result } = LINE.exec(line)?.groups ?? {};
    if (call === undefined) throw new Error(`cannot read this line of strace: ${line}`);
    const entry = {
      call: nameOf(call, text, result),
      path: pathIn(text)
        .replace(cwd, "PROJECT")
        .replace(/^\/proc\/\d+\//, "/proc/self/"),
    };
    if (call === "execve" && ++executions === 1) continue;
    const previous = calls.at(-1);
    const isRepeated = previous?.call === entry.call && previous.path === entry.path;
    if (!OTHER_NAMES.has(call) && !isRepeated) calls.push(entry);
    if (executions === 2) return calls;
  }
  throw new Error("the start has not executed the program");
}

/** Returns the call's name, and in brackets what matters of it. */
function nameOf(call, text, result) {
  if (/O_RDWR|O_WRONLY|O_CREAT/.test(text)) return `${call} (to write)`;
  if (result.startsWith("-1 ENOENT")) return `${call} (missing)`;
  return call;
}

/** Returns the path in a call's arguments: the first quoted text, or that of the descriptor. `PROJECT` is the working directory. */
function pathIn(text) {
  const descriptor = /^\d+<(?<path>[^>]*)>/.exec(text)?.groups.path;
  return descriptor ?? /"(?<path>(?:[^"\\]|\\.)*)"/.exec(text)?.groups.path ?? "";
}
