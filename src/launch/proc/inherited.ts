import type { Addon } from "../../system/addon/libc.ts";
import { inheritedAnonymous } from "./anonymous.ts";
import { EPOLL_TARGET, EVENTFD_TARGET, type Descriptor, type Inherited } from "./descriptor.ts";
import { infoOf, isCloseOnExec, openDescriptors, targetOf } from "./descriptors.ts";
import { inheritedWithoutProc } from "./without-proc.ts";

/** How often the descriptors are read again where one of the two is missing, which the caller may have passed. */
const MAX_READS = 100;

/** What may have opened descriptors in this process, besides Node.js at its start. */
export interface Openers {
  /** Other code that ran before, or Node's channel to a parent. */
  readonly mayHaveMore: boolean;
  /** Called where there is a socket, before anything is decided: it may be the inspector's, and be closed. */
  readonly onSocket: () => void;
  /** Tells more of single descriptors. */
  readonly addon: Addon | undefined;
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
  const isMixed = mayHaveMore || hasSocket;
  if (isMixed) {
    // A thread that was started just now has an epoll descriptor already, and will have an eventfd soon.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
  }
  const limit = isMixed ? firstOpenedLater(open) : Infinity;
  const parents = (): readonly Descriptor[] => openDescriptors(process.ppid);
  const anonymous = inheritedAnonymous(open, {
    info: infoOf,
    isMixed,
    eventLoop: addon?.eventLoopDescriptor() ?? -1,
    isParents: ({ number, target }) =>
      addon !== undefined &&
      parents().some((other) => other.target === target && addon.isParents(number, other.number)),
  });
  const rest = open.filter(({ number }) => !anonymous.numbers.includes(number) || anonymous.doubtful.includes(number));
  const others = selectInherited(rest, parents).filter((number) => number < limit || isCloseOnExec(number) !== true);
  const passed = new Set([...anonymous.numbers, ...others]);
  // What another thread had open for a moment only (glibc looks up the number of processors in a file) is gone by now.
  const numbers = open
    .filter(({ number, target }) => passed.has(number) && target === targetOf(number))
    .map(({ number }) => number);
  return { numbers: numbers.toSorted((a, b) => a - b), doubtful: anonymous.doubtful };
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

/**
 * Tells the caller's descriptors from those that the runtime opened at its start. It opens its event loop's epoll
 * descriptor first, so all below are the caller's. Above, it has anonymous inodes, and Node.js has pipes to itself; a
 * file, a socket, a terminal or a pipe with its other end elsewhere came from the caller. A pipe with both ends here can
 * be the caller's too (make's jobserver behind a gap): then there are more than Node's own, one for each epoll
 * descriptor and one more, and the parent has it open.
 *
 * @param parents what the parent process has open; asked only where that is needed
 */
export function selectInherited(open: readonly Descriptor[], parents: () => readonly Descriptor[]): readonly number[] {
  const epolls = numbersOf(EPOLL_TARGET, open);
  const epoll = Math.min(...epolls);
  const doubtful = open.filter(({ number, target }) => number < epoll || !target.startsWith("anon_inode:"));
  const targets = doubtful.map(({ target }) => target);
  const beyond = doubtful.filter(({ number }) => number > epoll);
  const pipes = [...new Set(beyond.map(({ target }) => target))].filter(
    (target) => target.startsWith("pipe:") && targets.indexOf(target) !== targets.lastIndexOf(target),
  );
  const isParents = (target: string): boolean => parents().some((other) => other.target === target);
  const foreign = pipes.length > epolls.length + 1 ? pipes.filter(isParents) : [];
  return doubtful
    .filter(({ number, target }) => number < epoll || !pipes.includes(target) || foreign.includes(target))
    .map(({ number }) => number)
    .toSorted((a, b) => a - b);
}
