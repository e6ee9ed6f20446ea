/**
 * Finds the descriptors that this process has inherited from its parent process, the caller, so that the program gets them. Other
 * descriptors are open as well: Node.js, preloaded code and other threads have opened them. preflight.ts loads this file only if
 * descriptors.ts cannot quickly exclude inherited descriptors.
 *
 * The kernel does not say who opened a descriptor. But Node.js opens the same kinds in the same order, each at the lowest free
 * number. If the caller has passed on nothing, and without io_uring, these are open:
 *
 *      3 epoll    4 5 pipe     6 7 pipe    8 eventfd      the first event loop
 *      9 epoll    10 11 pipe               12 eventfd     the second
 *     13 epoll    14 15 pipe               16 eventfd     the third
 *
 * `inheritedDescriptors` collects the facts from /proc. `selectInherited` decides by four rules:
 *
 * 1. A descriptor is inherited if it is of another kind, or if the parent process has the same open file.
 * 2. Of more than three epoll descriptors, some are inherited.
 * 3. A descriptor below the first epoll descriptor of Node.js is inherited, whatever its kind.
 * 4. A descriptor that was opened after the start of Node.js is not inherited.
 */
import type { Addon } from "../../../native/system.ts";
import {
  EPOLL_TARGET,
  EVENTFD_TARGET,
  parseFlags,
  readInfo,
  isCloseOnExec,
  openDescriptors,
  RING_TARGET,
  readTarget,
  type Descriptor,
  type Inherited,
} from "./descriptors.ts";
import { selectInheritedWithoutProc } from "./without-proc.ts";

/** A flag of open(2) in Linux. */
const O_NONBLOCK = 0o4000;
/** The links of descriptors that only event loops have. */
const EVENT_LOOP_TARGETS: ReadonlySet<string> = new Set([EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET]);
/** The number of event loops that Node.js starts. */
const LOOPS_OF_NODE = 3;
/** Node.js makes all inherited descriptors up to this number close-on-exec, and further ones up to the first gap. */
const MAX_CLOSED_NUMBER = 15;

/** Limit on repeated reads of /proc/self/fd while a new event loop has no eventfd yet. */
const MAX_READS = 100;

interface InheritedOptions {
  /** True if preloaded code, or Node's channel to its parent, may have opened descriptors in this process. */
  readonly mayHaveOthers: boolean;
  /** Called first if a socket is open. Closes the inspector, to which the socket may belong. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

/** The facts that decide about descriptors. */
export interface DescriptorFacts {
  /** True if there may be event loops besides the three that Node.js starts. */
  readonly mayHaveMoreLoops: boolean;
  /** Returns the text of /proc/self/fdinfo for a descriptor. */
  readonly info: (descriptor: number) => string;
  /** Lists the open descriptors of the parent process. */
  readonly listParentDescriptors: () => readonly Descriptor[];
  /** Returns true if a descriptor of this process and one of the parent process are one open file; false if unknown. */
  readonly isSameOpenFile: (descriptor: number, parentDescriptor: number) => boolean;
}

export interface InheritedSelection {
  /** The descriptors for the program: the inherited ones and the doubtful ones, in the order in which they were given. */
  readonly passed: readonly Descriptor[];
  /** Epoll descriptors of which Node.js has opened one, and the caller the others. */
  readonly doubtful: readonly Descriptor[];
}

/**
 * Returns the inherited descriptors from 3 on. Must be called before this process opens files.
 *
 * The executable does not need this function, because its runtime notes the descriptors before it opens any.
 */
export function inheritedDescriptors({ mayHaveOthers, onSocket, addon }: InheritedOptions): Inherited {
  if (process.platform !== "linux") return selectInheritedWithoutProc(mayHaveOthers);
  let open = listAboveStandardStreams();
  const hasSocket = open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = listAboveStandardStreams();
  }
  const mayHaveMoreLoops = mayHaveOthers || hasSocket;
  if (mayHaveMoreLoops) {
    // A new thread opens its epoll descriptor first, and its eventfd soon after.
    for (let reads = 0; !areLoopsComplete(open) && reads < MAX_READS; reads++) open = listAboveStandardStreams();
  }
  const { passed, doubtful } = selectInherited(open, {
    mayHaveMoreLoops,
    info: readInfo,
    listParentDescriptors: () => openDescriptors(process.ppid),
    isSameOpenFile: (descriptor, parentDescriptor) => addon?.isParents(descriptor, parentDescriptor) === true,
  });
  const numbers = passed
    // Another thread may have opened a file briefly, as glibc does to count the processors. Such a file is closed by now.
    .filter(({ number, target }) => target === readTarget(number))
    .map(({ number }) => number);
  return {
    numbers: numbers.toSorted((first, second) => first - second),
    doubtful: doubtful.map(({ number }) => number),
  };
}

/** Lists the open descriptors of this process, without the standard streams. */
function listAboveStandardStreams(): readonly Descriptor[] {
  return openDescriptors("self").filter(({ number }) => number > 2);
}

/**
 * Selects the inherited descriptors by the four rules above.
 *
 * @param open all descriptors of this process from 3 on
 */
export function selectInherited(open: readonly Descriptor[], facts: DescriptorFacts): InheritedSelection {
  const isOpenInParent = createParentTest(facts);
  // Rule 1.
  const inherited = new Set(
    open.filter((descriptor) => !mayBeNodes(descriptor, open, facts) || isOpenInParent(descriptor)),
  );
  const undecided = open.filter((descriptor) => !inherited.has(descriptor));
  // Rule 2. If the eventfds show that there are the three loops of Node.js, further epoll descriptors must be inherited.
  const hasAllEventfds = !facts.mayHaveMoreLoops && countOf(EVENTFD_TARGET, undecided) === LOOPS_OF_NODE;
  const hasSurplus = hasAllEventfds && countOf(EPOLL_TARGET, undecided) > LOOPS_OF_NODE;
  const { surplus, doubtful } = hasSurplus ? findSurplusEpolls(open, undecided) : { surplus: [], doubtful: [] };
  for (const descriptor of surplus) inherited.add(descriptor);

  // Rule 3.
  const epollsOfNode = undecided.filter(
    (descriptor) => descriptor.target === EPOLL_TARGET && !inherited.has(descriptor),
  );
  // Without such a descriptor the minimum is Infinity, and all descriptors are passed on.
  const firstOfNode = Math.min(...epollsOfNode.map(({ number }) => number));
  const passed = new Set(
    open.filter(
      (descriptor) => inherited.has(descriptor) || descriptor.number < firstOfNode || doubtful.includes(descriptor),
    ),
  );
  const notPassed = open.filter((descriptor) => !passed.has(descriptor));

  // Rule 4.
  const firstOpenedLater = findFirstOpenedLater(notPassed, facts);
  const isFromStart = ({ number, target }: Descriptor): boolean =>
    EVENT_LOOP_TARGETS.has(target) || number < firstOpenedLater || isCloseOnExec(number, facts.info(number)) !== true;
  return { passed: [...passed].filter(isFromStart), doubtful };
}

/** Returns true if there are as many epoll descriptors as eventfds, as in complete event loops. */
function areLoopsComplete(open: readonly Descriptor[]): boolean {
  return countOf(EPOLL_TARGET, open) === countOf(EVENTFD_TARGET, open);
}

function countOf(wantedTarget: string, open: readonly Descriptor[]): number {
  return open.filter(({ target }) => target === wantedTarget).length;
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
  const isBlocking = ((parseFlags(text) ?? O_NONBLOCK) & O_NONBLOCK) === 0;
  const isSemaphore = /^eventfd-semaphore:\s*1$/m.test(text);
  return !isBlocking && !isSemaphore;
}

/** Returns a function that returns true for a descriptor whose open file the parent process has as well. */
function createParentTest({
  listParentDescriptors,
  isSameOpenFile,
}: DescriptorFacts): (descriptor: Descriptor) => boolean {
  // Listed only if one of the descriptors must be compared.
  let parentDescriptors: readonly Descriptor[] | undefined;
  return ({ number, target }) => {
    parentDescriptors ??= listParentDescriptors();
    const sameTarget = parentDescriptors.filter((other) => other.target === target);
    // Each pipe has a link of its own. All epoll descriptors have the same link, as all eventfds do: only the open files differ.
    if (target.startsWith("pipe:")) return sameTarget.length > 0;
    return sameTarget.some((other) => isSameOpenFile(number, other.number));
  };
}

interface SurplusEpolls {
  /** The epoll descriptors that are certainly inherited. */
  readonly surplus: readonly Descriptor[];
  /** Epoll descriptors of which Node.js has opened one. */
  readonly doubtful: readonly Descriptor[];
}

/**
 * Finds inherited epoll descriptors that the parent process has closed, so that they cannot be compared with its descriptors.
 *
 * Each loop of Node.js opens its epoll descriptor first and its eventfd last. So an epoll descriptor between the pipes and the
 * eventfd is inherited. Of several epoll descriptors in front of the pipes, exactly one is not inherited:
 *
 *     3 epoll   4 epoll   5 6 pipe   7 8 pipe   9 eventfd
 *
 * If no number below is free, as here, Node.js has opened the last of them (4), because it takes the lowest free number. If a number
 * below is free, that number was closed meanwhile. Then Node.js may have opened any of them: they are doubtful.
 */
function findSurplusEpolls(open: readonly Descriptor[], undecided: readonly Descriptor[]): SurplusEpolls {
  const ascending = undecided.toSorted((first, second) => first.number - second.number);
  const lowestNumber = ascending[0]?.number ?? 0;
  const hasGapBelow = open.filter(({ number }) => number < lowestNumber).length < lowestNumber - 3;
  const surplus: Descriptor[] = [];
  const doubtful: Descriptor[] = [];
  for (const [index, loop] of splitIntoLoops(ascending).entries()) {
    const leadingCount = loop.findIndex(({ target }) => target !== EPOLL_TARGET);
    // The descriptors after the last eventfd belong to no loop.
    const isComplete = loop.at(-1)?.target === EVENTFD_TARGET;
    const leading = isComplete ? loop.slice(0, leadingCount) : [];
    surplus.push(...loop.slice(leading.length).filter(({ target }) => target === EPOLL_TARGET));
    if (index === 0 && !hasGapBelow) surplus.push(...leading.slice(0, -1));
    else if (leading.length > 1) doubtful.push(...leading);
  }
  return { surplus, doubtful };
}

/** Splits descriptors after each eventfd, which is the last descriptor of a loop. The last part has the rest. */
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
 * a descriptor above 15, there was a gap, and no inherited descriptor above the gap is close-on-exec.
 *
 * @param notPassed the descriptors that were not inherited by rules 1 to 3
 * @returns Infinity if one of their epoll descriptors and eventfds may be inherited after all
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
