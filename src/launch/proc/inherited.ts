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

const O_NONBLOCK = 0o4000; // in Linux
const OF_EVENT_LOOPS: ReadonlySet<string> = new Set([EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET]);
/** The limit on repeated reads while one of a pair is missing. */
const MAX_READS = 100;

export interface Openers {
  /** Preloaded code or Node's channel to a parent may have opened some. */
  readonly mayHaveOthers: boolean;
  /** Called first if there is a socket: closes it if it is the inspector's. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

export interface DescriptorFacts {
  readonly info: (descriptor: number) => string;
  readonly parents: () => readonly Descriptor[];
  /** Returns true if the two are one open file; false if unknown. */
  readonly isParents: (here: number, there: number) => boolean;
}

/** Returns the caller's descriptors from 3 on. Must run before anything opens files. In an executable src/runtime/ replaces it. */
export function inheritedDescriptors({ mayHaveOthers, onSocket, addon }: Openers): Inherited {
  if (process.platform !== "linux") return inheritedWithoutProc(mayHaveOthers);
  const openFrom3 = (): readonly Descriptor[] => openDescriptors("self").filter(({ number }) => number > 2);
  let open = openFrom3();
  const hasSocket = open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = openFrom3();
  }
  let limit = Infinity;
  if (mayHaveOthers || hasSocket) {
    // A new thread has an epoll descriptor already, and its eventfd soon.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
    limit = firstOpenedLater(open);
  }
  const passed = selectInherited(open, {
    info: infoOf,
    parents: () => openDescriptors(process.ppid),
    isParents: (here, there) => addon?.isParents(here, there) === true,
  });
  // Drops files that another thread opened briefly (glibc counts the processors).
  const numbers = passed
    .filter(({ number, target }) => OF_EVENT_LOOPS.has(target) || number < limit || isCloseOnExec(number) !== true)
    .filter(({ number, target }) => target === targetOf(number))
    .map(({ number }) => number);
  return { numbers: numbers.toSorted((a, b) => a - b), doubtful: [] };
}

/**
 * Returns the number from which close-on-exec descriptors were opened after the start of Node.js. Node makes inherited ones
 * close-on-exec up to 15, and from there to the first gap. If one of Node's own is above 15, there was a gap: a close-on-exec
 * descriptor above it was opened later, by other code or by Node (libuv keeps a spare /dev/null for streams). Epoll
 * descriptors and eventfds are Node's if there are equal numbers of both.
 */
function firstOpenedLater(open: readonly Descriptor[]): number {
  if (!areInPairs(open)) return Infinity;
  const own = open.filter(({ target }) => target === EPOLL_TARGET || target === EVENTFD_TARGET);
  return Math.min(
    ...own.map(({ number }) => number).filter((number) => number >= 16 && isCloseOnExec(number) === true),
  );
}

function areInPairs(open: readonly Descriptor[]): boolean {
  const count = (kind: string): number => open.filter(({ target }) => target === kind).length;
  return count(EPOLL_TARGET) === count(EVENTFD_TARGET);
}

/**
 * Selects the caller's descriptors. Node.js opens an epoll descriptor first, then io_uring's, non-blocking eventfds and pipes
 * to itself. From that first one on, a descriptor of these kinds is the caller's only if the parent has it, too.
 */
export function selectInherited(
  open: readonly Descriptor[],
  { info, parents, isParents }: DescriptorFacts,
): readonly Descriptor[] {
  let known: readonly Descriptor[] | undefined;
  const isShared = ({ number, target }: Descriptor): boolean => {
    known ??= parents();
    const same = known.filter((other) => other.target === target);
    // The link of a pipe is unique; those of anonymous inodes are all equal.
    return target.startsWith("pipe:") ? same.length > 0 : same.some((other) => isParents(number, other.number));
  };
  const foreign = new Set(open.filter((one) => !mayBeNodes(one, open, info) || isShared(one)));
  const epolls = open.filter((one) => one.target === EPOLL_TARGET && !foreign.has(one));
  const first = Math.min(...epolls.map(({ number }) => number));
  return open.filter((one) => foreign.has(one) || one.number < first);
}

function mayBeNodes(
  { number, target }: Descriptor,
  open: readonly Descriptor[],
  info: DescriptorFacts["info"],
): boolean {
  if (target.startsWith("pipe:")) return open.filter((other) => other.target === target).length > 1;
  if (!OF_EVENT_LOOPS.has(target)) return false;
  const text = info(number);
  if (isCloseOnExec(number, text) === false) return false;
  const blocks = ((flagsIn(text) ?? O_NONBLOCK) & O_NONBLOCK) === 0;
  return target !== EVENTFD_TARGET || !(blocks || /^eventfd-semaphore:\s*1$/m.test(text));
}
