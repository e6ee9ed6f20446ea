import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { isBun } from "../../system/runtime.ts";

/** An open file descriptor and what its link in /proc/self/fd says. */
export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

/** A flag of open(2) in Linux; node:os and node:fs do not name it. */
const O_CLOEXEC = 0o2000000;

/** The link of an epoll descriptor, by which each event loop waits. */
const epollTarget = "anon_inode:[eventpoll]";

/** What may have opened descriptors in this process, beside Node.js at its start. */
export interface Openers {
  /** Code of others that ran before, or Node's channel to a parent. */
  readonly mayHaveMore: boolean;
  /** Called where there is a socket, before anything is decided: it may be the inspector's, and be closed. */
  readonly onSocket: () => void;
}

/**
 * The descriptors from 3 on that the caller passed, in ascending order. Linux only: elsewhere none are known.
 * Must run before anything else opens files.
 */
export function inheritedDescriptors({ mayHaveMore, onSocket }: Openers): readonly number[] {
  if (process.platform !== "linux") return [];
  const names = namesIn("self");
  if (!isBun && areNodes(names, (number) => targetOf("self", number))) return [];
  let open = openFrom3(names);
  const hasSocket = !isBun && open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = openFrom3(namesIn("self"));
  }
  const found = selectInherited(open, (pipes) => {
    const targets = new Set(describe(process.ppid, namesIn(process.ppid)).map(({ target }) => target));
    return pipes.filter((pipe) => targets.has(pipe));
  });
  const limit = !isBun && (mayHaveMore || hasSocket) ? firstUnmarked(open) : Infinity;
  return found.filter((number) => number < limit || isMarkedForClosing(number) !== true);
}

function openFrom3(names: readonly string[]): readonly Descriptor[] {
  return describe("self", names).filter(({ number }) => number > 2);
}

/**
 * At its start Node marks the descriptors that it inherited for closing, up to 15 and from there to the first gap. Where
 * there is one of its own from 16 on, there was a gap; what has such a mark above was opened later, by Node (for streams
 * libuv opens /dev/null, to have one to spare) or by code of others. Each event loop has an epoll descriptor and an
 * eventfd: if there are as many of the one as of the other, they are taken for Node's.
 */
function firstUnmarked(open: readonly Descriptor[]): number {
  const epolls = open.filter(({ target }) => target === epollTarget);
  const eventfds = open.filter(({ target }) => target === "anon_inode:[eventfd]");
  if (epolls.length !== eventfds.length) return Infinity;
  const own = [...epolls, ...eventfds].map(({ number }) => number);
  return Math.min(...own.filter((number) => number >= 16 && isMarkedForClosing(number) === true));
}

/** The names in /proc/PID/fd; none where the process may not be seen or there is no /proc. */
function namesIn(pid: number | "self"): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

/** What the descriptors are, without the one with which the folder was read: it is closed by now. */
function describe(pid: number | "self", names: readonly string[]): readonly Descriptor[] {
  // Small functions in place of a loop: V8 begins to compile what it goes through so often, in whole functions.
  return names
    .map((name): Descriptor => ({ number: Number(name), target: targetOf(pid, name) }))
    .filter(({ target }) => target !== "");
}

function targetOf(pid: number | "self", descriptor: number | string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return "";
  }
}

/**
 * Whether all descriptors from 3 on are certain to be Node's own, told by a few of them. Node.js 20 to 26 start three
 * event loops, whose descriptors follow one another: an epoll descriptor, io_uring's where there is such, both ends of a
 * pipe and an eventfd, with a second pipe for the first. One of the caller's among them leaves a gap or moves a loop from
 * where it must be; three, one in each loop, have a pipe stand where io_uring's descriptor must be.
 *
 * @param names what /proc/self/fd holds: the standard streams, those, and the one by which it was read
 */
export function areNodes(names: readonly string[], target: (descriptor: number) => string): boolean {
  const perLoop = (names.length - 3 - 1 - 2) / 3;
  if (!Number.isInteger(perLoop) || perLoop < 4 || !names.every((name) => Number(name) < names.length)) return false;
  const rings = Array.from({ length: perLoop - 4 }, (_, index) => 4 + index);
  return (
    [3, 3 + perLoop + 2, 3 + 2 * perLoop + 2].every((number) => target(number) === epollTarget) &&
    rings.every((number) => target(number) === "anon_inode:[io_uring]")
  );
}

/**
 * Tells the caller's descriptors from those that the runtime opened at its start. It opens its event loop's epoll
 * descriptor first, so all below are the caller's. Above, it has anonymous inodes, and Node.js has pipes to itself; a
 * file, a socket, a terminal or a pipe with its other end elsewhere came from the caller. A pipe with both ends here can
 * be the caller's too (make's jobserver behind a gap): then there are more than Node's own, one for each epoll
 * descriptor and one more, and the parent has it open. Bun, of which a stand-alone executable is made, has none, but
 * /proc open.
 *
 * @param shared those of the pipes that the parent process has open, too; asked only where that is needed
 */
export function selectInherited(
  open: readonly Descriptor[],
  shared: (pipes: readonly string[]) => readonly string[],
): readonly number[] {
  const epolls = open.filter(({ target }) => target === epollTarget).map(({ number }) => number);
  const epoll = Math.min(...epolls);
  const doubtful = open.filter(
    ({ number, target }) =>
      number < epoll || !(target.startsWith("anon_inode:") || (isBun && target.startsWith("/proc/"))),
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
  const flags = flagsOf(descriptor);
  return flags === undefined ? undefined : (flags & O_CLOEXEC) !== 0;
}

/** The flags of open(2) that a descriptor has, by Linux; undefined where the system does not tell. */
function flagsOf(descriptor: number): number | undefined {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
    return flags === undefined ? undefined : Number.parseInt(flags, 8);
  } catch {
    return undefined;
  }
}
