import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { isBun } from "../../system/runtime.ts";

/** An open file descriptor and what its link in /proc/PID/fd says. */
export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

/** A flag of open(2) in Linux; node:os and node:fs do not name it. */
const O_CLOEXEC = 0o2000000;

/** The links of what each event loop has: an epoll descriptor, by which it waits, and an eventfd, which wakes it. */
const EPOLL_TARGET = "anon_inode:[eventpoll]";
const EVENTFD_TARGET = "anon_inode:[eventfd]";
/** How often the descriptors are read again where one of the two is missing, which the caller may have passed. */
const MAX_READS = 100;

/** What may have opened descriptors in this process, besides Node.js at its start. */
export interface Openers {
  /** Other code that ran before, or Node's channel to a parent. */
  readonly mayHaveMore: boolean;
  /** Called where there is a socket, before anything is decided: it may be the inspector's, and be closed. */
  readonly onSocket: () => void;
}

/**
 * The descriptors from 3 on that the caller passed, in ascending order. Linux only: elsewhere none are known.
 * Must run before anything else opens files.
 */
export function inheritedDescriptors({ mayHaveMore, onSocket }: Openers): readonly number[] {
  if (process.platform !== "linux" || (!isBun && areNodes(namesIn("self"), targetOf))) return [];
  const openFrom3 = (): readonly Descriptor[] => openDescriptors("self").filter(({ number }) => number > 2);
  let open = openFrom3();
  const hasSocket = !isBun && open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = openFrom3();
  }
  const isMixed = !isBun && (mayHaveMore || hasSocket);
  if (isMixed) {
    // A thread that was started just now has an epoll descriptor already, and will have an eventfd soon.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
  }
  const limit = isMixed ? firstOpenedLater(open) : Infinity;
  const found = selectInherited(open, () => openDescriptors(process.ppid)).filter(
    (number) => number < limit || isCloseOnExec(number) !== true,
  );
  // What another thread had open for a moment only (glibc looks up the number of processors in a file) is gone by now.
  return found.filter((number) => open.some((one) => one.number === number && one.target === targetOf(number)));
}

/**
 * At its start Node makes the descriptors that it inherited close-on-exec, up to 15 and from there to the first gap. Where
 * there is one of its own from 16 on, there was a gap; what is close-on-exec above was opened later, by Node (for streams
 * libuv opens /dev/null, to have one to spare) or by other code. Each event loop has an epoll descriptor and an
 * eventfd: if there are as many of the one as of the other, they are taken for Node's.
 */
function firstOpenedLater(open: readonly Descriptor[]): number {
  if (!areInPairs(open)) return Infinity;
  const own = [...numbersOf(EPOLL_TARGET, open), ...numbersOf(EVENTFD_TARGET, open)];
  return Math.min(...own.filter((number) => number >= 16 && isCloseOnExec(number) === true));
}

/** Whether there are as many epoll descriptors as eventfds. */
function areInPairs(open: readonly Descriptor[]): boolean {
  return numbersOf(EPOLL_TARGET, open).length === numbersOf(EVENTFD_TARGET, open).length;
}

function numbersOf(target: string, open: readonly Descriptor[]): readonly number[] {
  return open.filter((one) => one.target === target).map(({ number }) => number);
}

/** The numbers of what a process has open; none where permission to see it is missing or there is no /proc. */
function namesIn(pid: number | "self"): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

/** What a descriptor is; empty for the one by which the numbers were read, which is closed by now. */
function targetOf(name: number | string, pid: number | "self" = "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch {
    return "";
  }
}

function openDescriptors(pid: number | "self"): readonly Descriptor[] {
  const open = namesIn(pid).map((name) => ({ number: Number(name), target: targetOf(name, pid) }));
  return open.filter(({ target }) => target !== "");
}

/**
 * Whether all descriptors from 3 on are certain to be Node's own, by a look at a few of them: reading all links takes
 * 0.2 ms. Node.js 20 to 26 start three event loops, whose descriptors follow one another: an epoll descriptor, io_uring's
 * if there is one, both ends of a pipe and an eventfd, with a second pipe for the first. One of the caller's among them
 * leaves a gap or moves a loop from where it must be; three, one in each loop, put a pipe where io_uring's descriptor
 * must be.
 *
 * @param names what /proc/self/fd holds: the standard streams, those, and the one by which it was read
 */
export function areNodes(names: readonly string[], target: (descriptor: number) => string): boolean {
  const perLoop = (names.length - 3 - 1 - 2) / 3;
  if (!Number.isInteger(perLoop) || perLoop < 4 || !names.every((name) => Number(name) < names.length)) return false;
  const rings = Array.from({ length: perLoop - 4 }, (_, index) => 4 + index);
  return (
    [3, 3 + perLoop + 2, 3 + 2 * perLoop + 2].every((number) => target(number) === EPOLL_TARGET) &&
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
 * @param parents what the parent process has open; asked only where that is needed
 */
export function selectInherited(open: readonly Descriptor[], parents: () => readonly Descriptor[]): readonly number[] {
  const epolls = numbersOf(EPOLL_TARGET, open);
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
  const isParents = (target: string): boolean => parents().some((other) => other.target === target);
  const foreign = pipes.length > (isBun ? 0 : epolls.length + 1) ? pipes.filter(isParents) : [];
  return doubtful
    .filter(({ number, target }) => number < epoll || !pipes.includes(target) || foreign.includes(target))
    .map(({ number }) => number)
    .toSorted((a, b) => a - b);
}

/** Whether an exec closes the descriptor: see {@link firstOpenedLater} for which ones Node changes. */
export function isClosedByExec(descriptor: number): boolean {
  // Bun makes all from 3 on close-on-exec as the last thing that it does before an execve.
  return isBun || isCloseOnExec(descriptor) !== false;
}

/** Whether the descriptor is close-on-exec, by Linux; undefined where the system does not tell. */
export function isCloseOnExec(descriptor: number): boolean | undefined {
  const flags = openFlags(descriptor);
  return flags === undefined ? undefined : (flags & O_CLOEXEC) !== 0;
}

/** The flags with which a file was opened, and O_CLOEXEC (Linux); undefined where the system does not tell. */
export function openFlags(descriptor: number): number | undefined {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
    return flags === undefined ? undefined : Number.parseInt(flags, 8);
  } catch {
    return undefined;
  }
}
