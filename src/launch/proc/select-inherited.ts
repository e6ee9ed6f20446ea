/**
 * Decides which open descriptors the caller has passed on, and which ones Node.js has opened. The kernel does not say who opened a
 * descriptor. But Node.js opens the same kinds in the same order, each at the lowest free number. If the caller has passed on
 * nothing, and without io_uring, these are open:
 *
 *      3 epoll    4 5 pipe     6 7 pipe    8 eventfd      the first event loop
 *      9 epoll    10 11 pipe               12 eventfd     the second
 *     13 epoll    14 15 pipe               16 eventfd     the third
 *
 * `selectInherited` applies four rules:
 *
 * 1. A descriptor is the caller's if it is of another kind, or if the parent process has the same open file.
 * 2. Of more than three epoll descriptors, some are the caller's.
 * 3. A descriptor below the first epoll descriptor of Node.js is the caller's, whatever its kind.
 * 4. A descriptor that was opened after the start of Node.js is not the caller's.
 *
 * The code is pure: it gets all facts from its caller, so that tests can replace them.
 */
import { EPOLL_TARGET, EVENTFD_TARGET, flagsIn, isCloseOnExec, RING_TARGET, type Descriptor } from "./descriptors.ts";

/** A flag of open(2) in Linux. */
const O_NONBLOCK = 0o4000;
/** The links of descriptors that only event loops have. */
const EVENT_LOOP_TARGETS: ReadonlySet<string> = new Set([EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET]);
/** The number of event loops that Node.js starts. */
const LOOPS_OF_NODE = 3;
/** Node.js makes all inherited descriptors up to this number close-on-exec, and further ones up to the first gap. */
const MAX_CLOSED_NUMBER = 15;

/** The facts that decide about descriptors. */
export interface DescriptorFacts {
  /** True if there may be event loops besides the three that Node.js starts. */
  readonly mayHaveMoreLoops: boolean;
  /** Returns the text of /proc/self/fdinfo for a descriptor. */
  readonly info: (descriptor: number) => string;
  /** Lists the open descriptors of the parent process. */
  readonly listParentDescriptors: () => readonly Descriptor[];
  /** Returns true if a descriptor of this process and one of the parent process are one open file; false if unknown. */
  readonly isSameOpenFile: (ownNumber: number, parentNumber: number) => boolean;
}

export interface InheritedSelection {
  /** The caller's descriptors, including the doubtful ones, in the order in which they were given. */
  readonly passed: readonly Descriptor[];
  /** Epoll descriptors of which one is Node's, and the others are the caller's. */
  readonly doubtful: readonly Descriptor[];
}

/**
 * Selects the caller's descriptors.
 *
 * @param open all descriptors of this process from 3 on
 */
export function selectInherited(open: readonly Descriptor[], facts: DescriptorFacts): InheritedSelection {
  const isOfParent = createParentTest(facts);
  const callers = new Set(open.filter((descriptor) => !mayBeNodes(descriptor, open, facts) || isOfParent(descriptor)));
  const undecided = open.filter((descriptor) => !callers.has(descriptor));
  const { surplus, doubtful } = hasSurplusEpolls(undecided, facts)
    ? findSurplusEpolls(open, undecided)
    : { surplus: [], doubtful: [] };
  for (const descriptor of surplus) callers.add(descriptor);

  const epollsOfNode = open.filter((descriptor) => isEpoll(descriptor) && !callers.has(descriptor));
  // Without such a descriptor the minimum is Infinity, and all descriptors are passed on.
  const firstOfNode = Math.min(...epollsOfNode.map(({ number }) => number));
  const isPassed = (descriptor: Descriptor): boolean =>
    callers.has(descriptor) || descriptor.number < firstOfNode || doubtful.includes(descriptor);
  const notPassed = open.filter((descriptor) => !isPassed(descriptor));

  const firstOpenedLater = findFirstOpenedLater(notPassed, facts);
  const isFromStart = ({ number, target }: Descriptor): boolean =>
    EVENT_LOOP_TARGETS.has(target) || number < firstOpenedLater || isCloseOnExec(number, facts.info(number)) !== true;
  return { passed: open.filter((descriptor) => isPassed(descriptor) && isFromStart(descriptor)), doubtful };
}

/** Returns true if there are as many epoll descriptors as eventfds, as in complete event loops. */
export function areLoopsComplete(open: readonly Descriptor[]): boolean {
  return countOf(EPOLL_TARGET, open) === countOf(EVENTFD_TARGET, open);
}

function countOf(wantedTarget: string, open: readonly Descriptor[]): number {
  return open.filter(({ target }) => target === wantedTarget).length;
}

function isEpoll({ target }: Descriptor): boolean {
  return target === EPOLL_TARGET;
}

/** Returns true if an event loop of Node.js may have opened the descriptor. */
function mayBeNodes({ number, target }: Descriptor, open: readonly Descriptor[], { info }: DescriptorFacts): boolean {
  // Node.js has both ends of its pipes, which have the same link.
  if (target.startsWith("pipe:")) return open.filter((other) => other.target === target).length > 1;
  if (!EVENT_LOOP_TARGETS.has(target)) return false;
  const text = info(number);
  if (isCloseOnExec(number, text) === false) return false;
  if (target !== EVENTFD_TARGET) return true;
  // The eventfds of Node.js are non-blocking, and they are no semaphores.
  const isBlocking = ((flagsIn(text) ?? O_NONBLOCK) & O_NONBLOCK) === 0;
  const isSemaphore = /^eventfd-semaphore:\s*1$/m.test(text);
  return !isBlocking && !isSemaphore;
}

/** Returns a function that returns true for a descriptor whose open file the parent process has as well. */
function createParentTest({ listParentDescriptors, isSameOpenFile }: DescriptorFacts): (own: Descriptor) => boolean {
  let parentDescriptors: readonly Descriptor[] | undefined;
  return ({ number, target }) => {
    parentDescriptors ??= listParentDescriptors();
    const sameTarget = parentDescriptors.filter((other) => other.target === target);
    // Each pipe has a link of its own. All epoll descriptors have the same link, as all eventfds do: only the open files differ.
    if (target.startsWith("pipe:")) return sameTarget.length > 0;
    return sameTarget.some((other) => isSameOpenFile(number, other.number));
  };
}

/**
 * Returns true if some of the epoll descriptors must be the caller's: the eventfds show that there are the three loops of Node.js,
 * but there are more epoll descriptors.
 */
function hasSurplusEpolls(undecided: readonly Descriptor[], { mayHaveMoreLoops }: DescriptorFacts): boolean {
  const hasAllEventfds = countOf(EVENTFD_TARGET, undecided) === LOOPS_OF_NODE;
  return !mayHaveMoreLoops && hasAllEventfds && countOf(EPOLL_TARGET, undecided) > LOOPS_OF_NODE;
}

interface SurplusEpolls {
  /** The epoll descriptors that are certainly the caller's. */
  readonly surplus: readonly Descriptor[];
  /** Epoll descriptors of which one is Node's. */
  readonly doubtful: readonly Descriptor[];
}

/**
 * Finds epoll descriptors of the caller that the parent process has closed, so that they cannot be compared with it.
 *
 * Each loop of Node.js opens its epoll descriptor first and its eventfd last. So an epoll descriptor between the pipes and the
 * eventfd is not Node's. Of several in front of the pipes, exactly one is Node's:
 *
 *     3 epoll   4 epoll   5 6 pipe   7 8 pipe   9 eventfd
 *
 * If no number below is free, as here, it is the last one (4), because Node.js takes the lowest free number. If a number below is
 * free, it was closed meanwhile, and any of them may be Node's: they are doubtful.
 */
function findSurplusEpolls(open: readonly Descriptor[], undecided: readonly Descriptor[]): SurplusEpolls {
  const ascending = undecided.toSorted((first, second) => first.number - second.number);
  const lowestNumber = ascending[0]?.number ?? 0;
  const hasGapBelow = open.filter(({ number }) => number < lowestNumber).length < lowestNumber - 3;
  const surplus: Descriptor[] = [];
  const doubtful: Descriptor[] = [];
  for (const [index, loop] of splitIntoLoops(ascending).entries()) {
    const lengthOfLeading = loop.findIndex((descriptor) => !isEpoll(descriptor));
    const isComplete = loop.at(-1)?.target === EVENTFD_TARGET;
    // What follows the last eventfd belongs to no loop.
    const leading = isComplete ? loop.slice(0, lengthOfLeading) : [];
    surplus.push(...loop.slice(leading.length).filter(isEpoll));
    if (index === 0 && !hasGapBelow) surplus.push(...leading.slice(0, -1));
    else if (leading.length > 1) doubtful.push(...leading);
  }
  return { surplus, doubtful };
}

/** Splits descriptors behind each eventfd, which is the last descriptor of a loop. The last part has the rest. */
function splitIntoLoops(ascending: readonly Descriptor[]): readonly (readonly Descriptor[])[] {
  const loops: Descriptor[][] = [[]];
  for (const descriptor of ascending) {
    loops.at(-1)?.push(descriptor);
    if (descriptor.target === EVENTFD_TARGET) loops.push([]);
  }
  return loops;
}

/**
 * Returns the number from which close-on-exec descriptors were opened after the start of Node.js: by other code, by glibc in another
 * thread (it reads files of /proc and /sys), or by libuv (it keeps a spare /dev/null for streams).
 *
 * Node.js makes inherited descriptors close-on-exec up to 15, and from there on up to the first gap. So if Node.js itself has opened
 * a descriptor above 15, there was a gap, and no inherited descriptor behind it is close-on-exec.
 *
 * @param notPassed the descriptors that are not the caller's
 * @returns Infinity if one of these epoll descriptors and eventfds may be the caller's after all
 */
function findFirstOpenedLater(notPassed: readonly Descriptor[], { mayHaveMoreLoops, info }: DescriptorFacts): number {
  const hasAllLoops = mayHaveMoreLoops || countOf(EPOLL_TARGET, notPassed) === LOOPS_OF_NODE;
  if (!areLoopsComplete(notPassed) || !hasAllLoops) return Infinity;
  const numbersOfLoops = notPassed
    .filter(({ target }) => target === EPOLL_TARGET || target === EVENTFD_TARGET)
    .map(({ number }) => number);
  return Math.min(
    ...numbersOfLoops.filter((number) => number > MAX_CLOSED_NUMBER && isCloseOnExec(number, info(number)) === true),
  );
}
