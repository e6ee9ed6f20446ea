import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { isBun } from "./runtime.ts";

/** An open file descriptor and what its link in /proc/self/fd says. */
export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

/**
 * The descriptors from 3 on that the caller passed, in ascending order. Linux only: elsewhere none are known.
 * Must run before anything else opens files.
 */
export function inheritedDescriptors(): readonly number[] {
  if (process.platform !== "linux") return [];
  return selectInherited(openIn("self"), (pipes) => {
    const targets = new Set(openIn(process.ppid).map(({ target }) => target));
    return pipes.filter((pipe) => targets.has(pipe));
  });
}

/** The descriptors of a process from 3 on; none where it may not be seen or there is no /proc. */
function openIn(pid: number | "self"): readonly Descriptor[] {
  const folder = `/proc/${pid}/fd`;
  try {
    // Small functions in place of a loop: V8 begins to compile what it goes through so often, in whole functions.
    return readdirSync(folder)
      .map((name) => describe(folder, name))
      .filter(({ number }) => number > 2);
  } catch {
    return [];
  }
}

/** @returns the number 0 for the descriptor with which the folder was read: it is closed by now */
function describe(folder: string, name: string): Descriptor {
  try {
    return { number: Number(name), target: readlinkSync(`${folder}/${name}`) };
  } catch {
    return { number: 0, target: "" };
  }
}

/**
 * Tells the caller's descriptors from those that Node opened at its start. Node opens its event loop's epoll
 * descriptor first, so all below are the caller's. Above, Node has anonymous inodes, /dev/null, and pipes to
 * itself; a file, a socket, a terminal or a pipe with its other end elsewhere came from the caller. A pipe with both
 * ends here can be the caller's too (make's jobserver behind a gap): then there are more than Node's own, one for
 * each epoll descriptor and one more, and the parent has it open. Bun, of which a stand-alone executable is made, has
 * no pipe to itself, nor /dev/null.
 *
 * @param shared those of the pipes that the parent process has open, too; asked only where that is needed
 */
export function selectInherited(
  open: readonly Descriptor[],
  shared: (pipes: readonly string[]) => readonly string[],
): readonly number[] {
  const epolls = open.filter(({ target }) => target === "anon_inode:[eventpoll]").map(({ number }) => number);
  const epoll = Math.min(...epolls);
  const doubtful = open.filter(
    ({ number, target }) =>
      number < epoll ||
      !(target.startsWith("anon_inode:") || (target === "/dev/null" && !isBun) || target.startsWith("/proc/")),
  );
  const targets = doubtful.map(({ target }) => target);
  const beyond = doubtful.filter(({ number }) => number > epoll);
  const pipes = [...new Set(beyond.map(({ target }) => target))].filter(
    (target) => target.startsWith("pipe:") && targets.indexOf(target) !== targets.lastIndexOf(target),
  );
  const foreign = pipes.length > (isBun ? 0 : epolls.length + 1) ? shared(pipes) : [];
  return doubtful
    .filter(({ number, target }) => number < epoll || !pipes.includes(target) || foreign.includes(target))
    .map(({ number }) => number)
    .toSorted((a, b) => a - b);
}

/**
 * Whether an exec closes the descriptor. At its start Node marks the descriptors that it inherited so, up to 15 and
 * from there to the first gap; those beyond survive.
 */
export function closesOnExec(descriptor: number): boolean {
  // Bun marks all from 3 on as the last thing that it does before an execve.
  return isBun || isMarkedForClosing(descriptor) !== false;
}

/** Whether the descriptor has the mark that makes an exec close it; undefined where the system does not tell. */
export function isMarkedForClosing(descriptor: number): boolean | undefined {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
    return flags === undefined ? undefined : (Number.parseInt(flags, 8) & 0o2000000) !== 0; // O_CLOEXEC
  } catch {
    return undefined;
  }
}
