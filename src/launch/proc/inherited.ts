/**
 * Finds the descriptors that the caller has passed on, among those that Node.js and other code in this process have opened.
 *
 * The kernel does not say who opened a descriptor. So this file knows which descriptors Node.js opens at its start, in which order, and
 * compares with the parent process. preflight.ts loads it only if a quick look (descriptors.ts) gave no answer.
 *
 * If the caller has passed on nothing, and without io_uring, Node.js has these:
 *
 *      3 epoll    4 5 pipe     6 7 pipe    8 eventfd      the first event loop
 *      9 epoll    10 11 pipe               12 eventfd     the second
 *     13 epoll    14 15 pipe               16 eventfd     the third
 */
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

/** A flag of open(2) in Linux. */
const O_NONBLOCK = 0o4000;
/** The links of descriptors that an event loop has. */
const EVENT_LOOP_TARGETS: ReadonlySet<string> = new Set([EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET]);
/** The limit on repeated reads of the folder while a new event loop has no eventfd yet. */
const MAX_READS = 100;
/** The number of event loops that Node.js starts. */
const LOOPS_OF_NODE = 3;

/** Other code in this process that may have opened descriptors. */
export interface Openers {
  /** True if preloaded code, or Node's channel to its parent, may have opened some. */
  readonly mayHaveOthers: boolean;
  /** Called first if there is a socket, which it closes if it is that of the inspector. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

/** The facts that decide about descriptors. Tests replace them. */
export interface DescriptorFacts {
  /** True if there may be event loops besides the three that Node.js starts. */
  readonly mayHaveMoreLoops: boolean;
  /** Returns the text of /proc/self/fdinfo. */
  readonly info: (descriptor: number) => string;
  /** Lists the open descriptors of the parent process. */
  readonly parents: () => readonly Descriptor[];
  /** Returns true if a descriptor of this process and one of the parent process are one open file; false if unknown. */
  readonly isParents: (here: number, there: number) => boolean;
}

/**
 * Returns the caller's descriptors from 3 on. It must be called before anything opens files. In an executable runtime/ knows them.
 */
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
    // A new thread opens its epoll descriptor first, and its eventfd soon after.
    for (let reads = 0; !areInPairs(open) && reads < MAX_READS; reads++) open = openFrom3();
  }
  const { passed, doubtful } = selectInherited(open, {
    mayHaveMoreLoops,
    info: infoOf,
    parents: () => openDescriptors(process.ppid),
    isParents: (here, there) => addon?.isParents(here, there) === true,
  });
  const numbers = passed
    // Another thread may have opened a file briefly, as glibc does to count the processors. It is closed by now.
    .filter(({ number, target }) => target === targetOf(number))
    .map(({ number }) => number);
  return { numbers: numbers.toSorted((one, other) => one - other), doubtful: doubtful.map(({ number }) => number) };
}

/** Returns true if there are as many epoll descriptors as eventfds, as in complete event loops. */
function areInPairs(open: readonly Descriptor[]): boolean {
  return countOf(EPOLL_TARGET, open) === countOf(EVENTFD_TARGET, open);
}

function countOf(kind: string, open: readonly Descriptor[]): number {
  return open.filter(({ target }) => target === kind).length;
}

/**
 * Selects the caller's descriptors.
 *
 * Node.js opens an epoll descriptor first, then those of io_uring, non-blocking eventfds, and pipes to itself. What has a lower number
 * than that first one is the caller's. From there on, a descriptor of these kinds is the caller's if the parent process has it as well,
 * or if Node.js cannot have opened it there. Descriptors that were opened after the start of Node.js are not the caller's.
 *
 * @returns the selected ones, and those of them that may be Node's own
 */
export function selectInherited(
  open: readonly Descriptor[],
  facts: DescriptorFacts,
): { readonly passed: readonly Descriptor[]; readonly doubtful: readonly Descriptor[] } {
  const { info, parents, isParents } = facts;
  let parentDescriptors: readonly Descriptor[] | undefined;
  const isShared = ({ number, target }: Descriptor): boolean => {
    parentDescriptors ??= parents();
    const sameTarget = parentDescriptors.filter((other) => other.target === target);
    // The link of a pipe is unique. Those of epoll descriptors and eventfds are equal, so that the open files are compared.
    if (target.startsWith("pipe:")) return sameTarget.length > 0;
    return sameTarget.some((other) => isParents(number, other.number));
  };
  const callers = new Set(open.filter((descriptor) => !mayBeNodes(descriptor, open, info) || isShared(descriptor)));
  const others = open.filter((descriptor) => !callers.has(descriptor));
  const epolls = others.filter(({ target }) => target === EPOLL_TARGET);
  // The eventfds show that there are three loops. Then some of the epoll descriptors must be the caller's.
  const isSurplus =
    !facts.mayHaveMoreLoops && epolls.length > LOOPS_OF_NODE && countOf(EVENTFD_TARGET, others) === LOOPS_OF_NODE;
  const { surplus, doubtful } = isSurplus ? findSurplusEpolls(open, others) : { surplus: [], doubtful: [] };
  for (const descriptor of surplus) callers.add(descriptor);
  const firstOfNode = Math.min(...epolls.filter((epoll) => !callers.has(epoll)).map(({ number }) => number));
  const passed = new Set(
    open.filter(
      (descriptor) => callers.has(descriptor) || descriptor.number < firstOfNode || doubtful.includes(descriptor),
    ),
  );
  const notPassed = open.filter((descriptor) => !passed.has(descriptor));
  const limit = findFirstOpenedLater(notPassed, facts);
  const isFromStart = ({ number, target }: Descriptor): boolean =>
    EVENT_LOOP_TARGETS.has(target) || number < limit || isCloseOnExec(number, info(number)) !== true;
  return { passed: [...passed].filter(isFromStart), doubtful };
}

/** Epoll descriptors that are certainly the caller's, and those of which one is Node's. */
interface SurplusEpolls {
  readonly surplus: readonly Descriptor[];
  readonly doubtful: readonly Descriptor[];
}

/**
 * Finds epoll descriptors of the caller that the parent process has closed.
 *
 * Each of Node's three loops opens an epoll descriptor, then pipes, then an eventfd, each at the lowest free number. So an epoll
 * descriptor between the pipes and the eventfd of a loop is not Node's. Of several in front of the pipes one is Node's: the last one if
 * the numbers below have no gap; otherwise it may be any of them (`doubtful`).
 *
 * @param others the descriptors that are not known to be the caller's
 */
function findSurplusEpolls(open: readonly Descriptor[], others: readonly Descriptor[]): SurplusEpolls {
  const ascending = others.toSorted((one, other) => one.number - other.number);
  const [{ number: lowest } = { number: 0 }] = ascending;
  const hasGap = open.filter(({ number }) => number < lowest).length < lowest - 3;
  const surplus: Descriptor[] = [];
  const doubtful: Descriptor[] = [];
  /** The epoll descriptors in front of the pipes of the current loop. */
  let candidates: Descriptor[] = [];
  let hasPipe = false;
  for (const descriptor of ascending) {
    const isEpoll = descriptor.target === EPOLL_TARGET;
    if (isEpoll && hasPipe) surplus.push(descriptor);
    else if (isEpoll) candidates.push(descriptor);
    else hasPipe = true;
    if (descriptor.target !== EVENTFD_TARGET) continue;
    // The eventfd ends a loop, to which one of the candidates belongs.
    if (candidates[0]?.number === lowest && !hasGap) surplus.push(...candidates.slice(0, -1));
    else if (candidates.length > 1) doubtful.push(...candidates);
    candidates = [];
    hasPipe = false;
  }
  // The remaining candidates follow the last loop.
  return { surplus: [...surplus, ...candidates], doubtful };
}

/**
 * Returns the number from which close-on-exec descriptors were opened after the start of Node.js: by other code, by glibc in another
 * thread (it reads files of /proc and /sys), or by libuv (it keeps a spare /dev/null for streams).
 *
 * Node.js makes inherited descriptors close-on-exec up to 15, and from there on up to the first gap. So if Node.js itself has opened a
 * descriptor above 15, there was a gap, and no inherited one behind it is close-on-exec.
 *
 * @param notPassed the descriptors that are not the caller's
 * @returns Infinity if one of the epoll descriptors and eventfds may be the caller's after all
 */
function findFirstOpenedLater(notPassed: readonly Descriptor[], { mayHaveMoreLoops, info }: DescriptorFacts): number {
  const hasAllLoops = mayHaveMoreLoops || countOf(EPOLL_TARGET, notPassed) === LOOPS_OF_NODE;
  if (!areInPairs(notPassed) || !hasAllLoops) return Infinity;
  const ofLoops = notPassed.filter(({ target }) => target === EPOLL_TARGET || target === EVENTFD_TARGET);
  return Math.min(
    ...ofLoops
      .map(({ number }) => number)
      .filter((number) => number >= 16 && isCloseOnExec(number, info(number)) === true),
  );
}

/** Returns true if an event loop of Node.js may have opened the descriptor. */
function mayBeNodes(
  { number, target }: Descriptor,
  open: readonly Descriptor[],
  info: DescriptorFacts["info"],
): boolean {
  // Node.js has both ends of its pipes.
  if (target.startsWith("pipe:")) return open.filter((other) => other.target === target).length > 1;
  if (!EVENT_LOOP_TARGETS.has(target)) return false;
  const text = info(number);
  if (isCloseOnExec(number, text) === false) return false;
  const isBlocking = ((flagsIn(text) ?? O_NONBLOCK) & O_NONBLOCK) === 0;
  const isSemaphore = /^eventfd-semaphore:\s*1$/m.test(text);
  return target !== EVENTFD_TARGET || !(isBlocking || isSemaphore);
}
