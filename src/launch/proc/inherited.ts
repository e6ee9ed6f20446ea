import type { Addon } from "../../../native/system.ts";
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
const LOOPS_OF_NODE = 3;

export interface Openers {
  /** Preloaded code or Node's channel to a parent may have opened some. */
  readonly mayHaveOthers: boolean;
  /** Called first if there is a socket: closes it if it is the inspector's. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

export interface DescriptorFacts {
  /** Other threads may have event loops, too, besides the three that Node.js starts. */
  readonly mayHaveMoreLoops: boolean;
  readonly info: (descriptor: number) => string;
  readonly parents: () => readonly Descriptor[];
  /** Returns true if the two are one open file; false if unknown. */
  readonly isParents: (here: number, there: number) => boolean;
}

/** Returns the caller's descriptors from 3 on. Must run before anything opens files. In an executable runtime/ replaces it. */
export function inheritedDescriptors({ mayHaveOthers, onSocket, addon }: Openers): Inherited {
  if (process.platform !== "linux") return inheritedWithoutProc(mayHaveOthers);
  const openFrom3 = (): readonly Descriptor[] => openDescriptors("self").filter(({ number }) => number > 2);
  let open = openFrom3();
  const hasSocket = open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = openFrom3();
  }
  const mayHaveMoreLoops = mayHaveOthers || hasSocket;
  if (mayHaveMoreLoops) {
    // A new thread has an epoll descriptor already, and its eventfd soon.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
  }
  const { passed, doubtful } = selectInherited(open, {
    mayHaveMoreLoops,
    info: infoOf,
    parents: () => openDescriptors(process.ppid),
    isParents: (here, there) => addon?.isParents(here, there) === true,
  });
  const numbers = passed
    // Drops files that another thread opened briefly (glibc counts the processors).
    .filter(({ number, target }) => target === targetOf(number))
    .map(({ number }) => number);
  return { numbers: numbers.toSorted((a, b) => a - b), doubtful: doubtful.map(({ number }) => number) };
}

/** Compares the numbers of epoll descriptors and of eventfds. Each event loop has one of both. */
function areInPairs(open: readonly Descriptor[]): boolean {
  return countOf(EPOLL_TARGET, open) === countOf(EVENTFD_TARGET, open);
}

function countOf(kind: string, open: readonly Descriptor[]): number {
  return open.filter(({ target }) => target === kind).length;
}

/**
 * Selects the caller's descriptors. Node.js opens an epoll descriptor first, then io_uring's, non-blocking eventfds and pipes
 * to itself. From that first one on, a descriptor of these kinds is the caller's if the parent has it, too, or if Node.js cannot
 * have opened it there. Descriptors that were opened after the start of Node.js are not the caller's. `doubtful` are those passed
 * that may be Node's own.
 */
export function selectInherited(
  open: readonly Descriptor[],
  facts: DescriptorFacts,
): { readonly passed: readonly Descriptor[]; readonly doubtful: readonly Descriptor[] } {
  const { info, parents, isParents } = facts;
  let known: readonly Descriptor[] | undefined;
  const isShared = ({ number, target }: Descriptor): boolean => {
    known ??= parents();
    const same = known.filter((other) => other.target === target);
    // The link of a pipe is unique; those of anonymous inodes are all equal.
    return target.startsWith("pipe:") ? same.length > 0 : same.some((other) => isParents(number, other.number));
  };
  const foreign = new Set(open.filter((one) => !mayBeNodes(one, open, info) || isShared(one)));
  const epolls = open.filter((one) => one.target === EPOLL_TARGET && !foreign.has(one));
  const isSurplus =
    !facts.mayHaveMoreLoops &&
    epolls.length > LOOPS_OF_NODE &&
    countOf(
      EVENTFD_TARGET,
      open.filter((one) => !foreign.has(one)),
    ) === LOOPS_OF_NODE;
  const { surplus, doubtful } = isSurplus ? surplusEpolls(open, foreign) : { surplus: [], doubtful: [] };
  for (const one of surplus) foreign.add(one);
  const first = Math.min(...epolls.filter((one) => !foreign.has(one)).map(({ number }) => number));
  const passed = new Set(open.filter((one) => foreign.has(one) || one.number < first || doubtful.includes(one)));
  const limit = firstOpenedLater(
    open.filter((one) => !passed.has(one)),
    facts,
  );
  const isOld = ({ number, target }: Descriptor): boolean =>
    OF_EVENT_LOOPS.has(target) || number < limit || isCloseOnExec(number, info(number)) !== true;
  return { passed: [...passed].filter(isOld), doubtful };
}

interface Surplus {
  readonly surplus: readonly Descriptor[];
  readonly doubtful: readonly Descriptor[];
}

/**
 * Finds epoll descriptors of the caller that the parent has closed. Each of Node's three loops opens one, then pipes, then an
 * eventfd, each at the lowest free number: an epoll descriptor behind a pipe is none of these. Of several in front of it one is
 * Node's: the last if the caller's numbers have no gap below, else any (`doubtful`).
 */
function surplusEpolls(open: readonly Descriptor[], foreign: ReadonlySet<Descriptor>): Surplus {
  const ofCaller = open.filter((one) => !foreign.has(one)).toSorted((a, b) => a.number - b.number);
  const [{ number: lowest } = { number: 0 }] = ofCaller;
  const hasGap = open.filter(({ number }) => number < lowest).length < lowest - 3;
  const surplus: Descriptor[] = [];
  const doubtful: Descriptor[] = [];
  let candidates: Descriptor[] = [];
  let hasPipe = false;
  for (const descriptor of ofCaller) {
    if (descriptor.target === EPOLL_TARGET) (hasPipe ? surplus : candidates).push(descriptor);
    hasPipe ||= descriptor.target !== EPOLL_TARGET;
    if (descriptor.target !== EVENTFD_TARGET) continue;
    if (candidates[0]?.number === lowest && !hasGap) surplus.push(...candidates.slice(0, -1));
    else if (candidates.length > 1) doubtful.push(...candidates);
    candidates = [];
    hasPipe = false;
  }
  return { surplus: [...surplus, ...candidates], doubtful };
}

/**
 * Returns the number from which close-on-exec descriptors were opened after the start of Node.js: by other code, by glibc in
 * another thread (it reads files of /proc and /sys), or by libuv (it keeps a spare /dev/null for streams). Node.js makes
 * inherited ones close-on-exec up to 15, and from there to the first gap. If one of its own is above 15, there was a gap.
 * Infinity if one of the epoll descriptors and eventfds may be the caller's.
 */
function firstOpenedLater(own: readonly Descriptor[], { mayHaveMoreLoops, info }: DescriptorFacts): number {
  if (!areInPairs(own) || !(mayHaveMoreLoops || countOf(EPOLL_TARGET, own) === LOOPS_OF_NODE)) return Infinity;
  const ofLoops = own.filter(({ target }) => target === EPOLL_TARGET || target === EVENTFD_TARGET);
  return Math.min(
    ...ofLoops
      .map(({ number }) => number)
      .filter((number) => number >= 16 && isCloseOnExec(number, info(number)) === true),
  );
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
