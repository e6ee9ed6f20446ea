/**
 * Lists the descriptors that the caller has passed on, so that the program gets them and this process closes or keeps them. Other
 * descriptors are open as well: Node.js, preloaded code and other threads have opened them.
 *
 * `select-inherited.ts` decides which is which, by the facts that this file collects from /proc. preflight.ts loads both only if a
 * quick look (descriptors.ts) gave no answer.
 */
import type { Addon } from "../../../native/system.ts";
import { infoOf, openDescriptors, targetOf, type Descriptor, type Inherited } from "./descriptors.ts";
import { areLoopsComplete, selectInherited } from "./select-inherited.ts";
import { inheritedWithoutProc } from "./without-proc.ts";

/** The limit on repeated reads of the folder while a new event loop has no eventfd yet. */
const MAX_READS = 100;

interface InheritedOptions {
  /** True if preloaded code, or Node's channel to its parent, may have opened descriptors. */
  readonly mayHaveOthers: boolean;
  /** Called first if there is a socket. It closes the socket if it is that of the inspector. */
  readonly onSocket: () => void;
  readonly addon: Addon | undefined;
}

/**
 * Returns the caller's descriptors from 3 on. It must be called before this process opens files.
 *
 * The executable does not need this function, because its runtime notes the descriptors before it opens any.
 */
export function inheritedDescriptors({ mayHaveOthers, onSocket, addon }: InheritedOptions): Inherited {
  if (process.platform !== "linux") return inheritedWithoutProc(mayHaveOthers);
  let open = listFrom3();
  const hasSocket = open.some(({ target }) => target.startsWith("socket:"));
  if (hasSocket) {
    onSocket();
    open = listFrom3();
  }
  const mayHaveMoreLoops = mayHaveOthers || hasSocket;
  if (mayHaveMoreLoops) {
    // A new thread opens its epoll descriptor first, and its eventfd soon after.
    for (let reads = 0; !areLoopsComplete(open) && reads < MAX_READS; reads++) open = listFrom3();
  }
  const { passed, doubtful } = selectInherited(open, {
    mayHaveMoreLoops,
    info: infoOf,
    listParentDescriptors: () => openDescriptors(process.ppid),
    isSameOpenFile: (ownNumber, parentNumber) => addon?.isParents(ownNumber, parentNumber) === true,
  });
  const numbers = passed
    // Another thread may have opened a file briefly, as glibc does to count the processors. It is closed by now.
    .filter(({ number, target }) => target === targetOf(number))
    .map(({ number }) => number);
  return {
    numbers: numbers.toSorted((first, second) => first - second),
    doubtful: doubtful.map(({ number }) => number),
  };
}

/** Lists the open descriptors of this process, without the standard streams. */
function listFrom3(): readonly Descriptor[] {
  return openDescriptors("self").filter(({ number }) => number > 2);
}
