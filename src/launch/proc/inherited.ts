import type { Addon } from "../../system/addon/libc.ts";
import {
  EPOLL_TARGET,
  EVENTFD_TARGET,
  flagsIn,
  infoOf,
  isCloseOnExec,
  openDescriptors,
  RING_TARGET,
  targetOf,
  type Descriptor,
  type Inherited,
} from "./descriptors.ts";
import { inheritedWithoutProc } from "./without-proc.ts";

/** A flag of open(2) in Linux. */
const O_NONBLOCK = 0o4000;
/** The kinds of anonymous inodes that Node.js opens at its start. */
const OF_EVENT_LOOPS: ReadonlySet<string> = new Set([EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET]);
/** The limit on reading the descriptors again while one of a pair is missing, which the caller may have passed. */
const MAX_READS = 100;

/** Openers of descriptors in this process, besides Node.js at its start. */
export interface Openers {
  /** Other code that ran before, or Node's channel to a parent. */
  readonly mayHaveMore: boolean;
  /** Called where there is a socket, before anything is decided: it may be the inspector's, and be closed. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

/** Facts about descriptors besides their links. */
export interface Clues {
  /** The text of /proc/self/fdinfo. */
  readonly info: (descriptor: number) => string;
  /** Reads what the parent process has open; called only if that decides. */
  readonly parents: () => readonly Descriptor[];
  /** Returns true if the two are one open file; false also if the system does not tell. */
  readonly isParents: (here: number, there: number) => boolean;
}

/**
 * The descriptors from 3 on that the caller passed. Must run before anything else opens files. In the stand-alone
 * executable for Linux the code before Bun has looked already.
 */
export function inheritedDescriptors({ mayHaveMore, onSocket, addon }: Openers): Inherited {
  if (process.platform !== "linux") return inheritedWithoutProc(mayHaveMore);
  const openFrom3 = (): readonly Descriptor[] => openDescriptors("self").filter(({ number }) => number > 2);
  let open = openFrom3();
  const hasSocket = open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = openFrom3();
  }
  let limit = Infinity;
  if (mayHaveMore || hasSocket) {
    // A thread that was started just now has an epoll descriptor already, and will have an eventfd soon.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
    limit = firstOpenedLater(open);
  }
  const passed = selectInherited(open, {
    info: infoOf,
    parents: () => openDescriptors(process.ppid),
    isParents: (here, there) => addon?.isParents(here, there) === true,
  });
  // A file that another thread had open for a moment (glibc looks up the number of processors) is gone by now.
  const numbers = passed
    .filter(({ number, target }) => OF_EVENT_LOOPS.has(target) || number < limit || isCloseOnExec(number) !== true)
    .filter(({ number, target }) => target === targetOf(number))
    .map(({ number }) => number);
  return { numbers: numbers.toSorted((a, b) => a - b), doubtful: [] };
}

/**
 * At its start Node makes the descriptors that it inherited close-on-exec, up to 15 and from there to the first gap. Where
 * there is one of its own from 16 on, there was a gap; what is close-on-exec above was opened later, by Node (for streams
 * libuv opens /dev/null, to have one to spare) or by other code. Each event loop has an epoll descriptor and an
 * eventfd: if there are as many of the one as of the other, they are taken for Node's.
 */
function firstOpenedLater(open: readonly Descriptor[]): number {
  if (!areInPairs(open)) return Infinity;
  const own = open.filter(({ target }) => target === EPOLL_TARGET || target === EVENTFD_TARGET);
  return Math.min(
    ...own.map(({ number }) => number).filter((number) => number >= 16 && isCloseOnExec(number) === true),
  );
}

/** Returns true if there are as many epoll descriptors as eventfds. */
function areInPairs(open: readonly Descriptor[]): boolean {
  const count = (kind: string): number => open.filter(({ target }) => target === kind).length;
  return count(EPOLL_TARGET) === count(EVENTFD_TARGET);
}

/**
 * Tells the caller's descriptors from those that Node.js opened at its start, of which an epoll descriptor is the first.
 * Node has epoll descriptors, io_uring's, non-blocking eventfds, and pipes to itself: what is one of these, and not below
 * that first one, is the caller's only if the parent has it, too.
 */
export function selectInherited(
  open: readonly Descriptor[],
  { info, parents, isParents }: Clues,
): readonly Descriptor[] {
  let known: readonly Descriptor[] | undefined;
  const isShared = ({ number, target }: Descriptor): boolean => {
    known ??= parents();
    const same = known.filter((other) => other.target === target);
    // A pipe's link has its number; those of anonymous inodes look all the same.
    return target.startsWith("pipe:") ? same.length > 0 : same.some((other) => isParents(number, other.number));
  };
  const foreign = new Set(open.filter((one) => !mayBeNodes(one, open, info) || isShared(one)));
  const epolls = open.filter((one) => one.target === EPOLL_TARGET && !foreign.has(one));
  const first = Math.min(...epolls.map(({ number }) => number));
  return open.filter((one) => foreign.has(one) || one.number < first);
}

function mayBeNodes({ number, target }: Descriptor, open: readonly Descriptor[], info: Clues["info"]): boolean {
  if (target.startsWith("pipe:")) return open.filter((other) => other.target === target).length > 1;
  if (!OF_EVENT_LOOPS.has(target)) return false;
  const text = info(number);
  if (isCloseOnExec(number, text) === false) return false;
  const blocks = ((flagsIn(text) ?? O_NONBLOCK) & O_NONBLOCK) === 0;
  return target !== EVENTFD_TARGET || !(blocks || /^eventfd-semaphore:\s*1$/m.test(text));
}
