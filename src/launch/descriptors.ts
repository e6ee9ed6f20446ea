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
  const open: Descriptor[] = [];
  try {
    for (const name of readdirSync("/proc/self/fd")) {
      const number = Number(name);
      if (number < 3) continue;
      try {
        open.push({ number, target: readlinkSync(`/proc/self/fd/${name}`) });
      } catch {
        // The descriptor with which the folder was read; it is closed by now.
      }
    }
  } catch {
    return []; // no /proc
  }
  return selectInherited(open, targetsOfParent);
}

/** What the parent process has open, as the links in /proc/PPID/fd say; nothing where it may not be seen. */
function targetsOfParent(): ReadonlySet<string> {
  const targets = new Set<string>();
  try {
    const folder = `/proc/${process.ppid}/fd`;
    for (const name of readdirSync(folder)) {
      try {
        targets.add(readlinkSync(`${folder}/${name}`));
      } catch {
        // Closed meanwhile.
      }
    }
  } catch {
    // Another user's process.
  }
  return targets;
}

/**
 * Tells the caller's descriptors from those that Node opened at its start. Node opens its event loop's epoll
 * descriptor first, so all below are the caller's. Above, Node has anonymous inodes, /dev/null, and pipes to
 * itself; a file, a socket, a terminal or a pipe with its other end elsewhere came from the caller. A pipe with both
 * ends here can be the caller's too (make's jobserver behind a gap): then there are more than Node's own, one for
 * each epoll descriptor and one more, and the parent has it open. Bun, of which a stand-alone executable is made, has
 * no pipe to itself, nor /dev/null.
 *
 * @param parents what the parent process has open; asked only where that is needed
 */
export function selectInherited(open: readonly Descriptor[], parents: () => ReadonlySet<string>): readonly number[] {
  const epolls = open.filter(({ target }) => target === "anon_inode:[eventpoll]").map(({ number }) => number);
  const epoll = Math.min(...epolls);
  const ends = new Map<string, number>();
  for (const { target } of open) ends.set(target, (ends.get(target) ?? 0) + 1);
  const own = (target: string): boolean => target.startsWith("pipe:") && (ends.get(target) ?? 0) > 1;
  const beyond = open.filter(({ number, target }) => number > epoll && own(target));
  const shared =
    new Set(beyond.map(({ target }) => target)).size > (isBun ? 0 : epolls.length + 1) ? parents() : new Set();
  const isNodes = ({ target }: Descriptor): boolean =>
    target.startsWith("anon_inode:") ||
    (target === "/dev/null" && !isBun) ||
    target.startsWith("/proc/") ||
    (own(target) && !shared.has(target));
  return open
    .filter((descriptor) => descriptor.number < epoll || !isNodes(descriptor))
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
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags === undefined ? undefined : (Number.parseInt(flags, 8) & 0o2000000) !== 0; // O_CLOEXEC
  } catch {
    return undefined;
  }
}
