/**
 * Which descriptors of anonymous inodes (eventfd, timerfd, signalfd, inotify, pidfd, io_uring, epoll …) the caller passed.
 * Their links do not say whose they are, but Node.js opens its own in an order that is known.
 */
import { EPOLL_TARGET, EVENTFD_TARGET, RING_TARGET, type Descriptor, type Inherited } from "./descriptor.ts";
import { closesOnExec, flagsIn } from "./descriptors.ts";

/** A flag of open(2) in Linux. */
const O_NONBLOCK = 0o4000;
/** io_uring descriptors of one event loop, at most. */
const MAX_RINGS = 2;

/** What is known of the descriptors besides their links. */
export interface Clues {
  /** What /proc/self/fdinfo says of a descriptor. */
  readonly info: (descriptor: number) => string;
  /** Other code may have opened descriptors after Node.js. */
  readonly isMixed: boolean;
  /** The epoll descriptor of this thread's event loop; -1 where it is not known. */
  readonly eventLoop: number;
  /** The parent process is certain to have the same open file. */
  readonly isParents: (descriptor: Descriptor) => boolean;
}

/** What a descriptor may be among Node's own; `foreign` cannot be one of them. */
type Kind = "epoll" | "polled" | "main" | "ring" | "first-end" | "second-end" | "eventfd" | "foreign";

/** @param open all descriptors from 3 on, those of Node.js and the caller's */
export function inheritedAnonymous(open: readonly Descriptor[], clues: Clues): Inherited {
  const anonymous = open.filter(({ target }) => target.startsWith("anon_inode:"));
  // Node.js makes its own close-on-exec, and the caller's, too, up to the first gap from 16 on.
  const certain = anonymous.filter(({ number }) => closesOnExec(clues.info(number)) === false);
  const rest = open.filter((one) => !certain.includes(one)).toSorted((a, b) => a.number - b.number);
  const kinds = rest.map((one) => kindOf(one, rest, clues));
  let fit = fitLayout(kinds, clues.isMixed);
  for (const index of fit?.doubtful ?? []) {
    const one = rest[index];
    if (one !== undefined && clues.isParents(one)) kinds[index] = "foreign";
  }
  fit = fit && fitLayout(kinds, clues.isMixed);
  const numbersAt = (indexes: readonly number[] = []): readonly number[] =>
    rest.filter((one, index) => indexes.includes(index) && anonymous.includes(one)).map(({ number }) => number);
  const doubtful = numbersAt(fit?.doubtful);
  return { numbers: [...certain.map(({ number }) => number), ...numbersAt(fit?.foreign), ...doubtful], doubtful };
}

function kindOf({ number, target }: Descriptor, open: readonly Descriptor[], clues: Clues): Kind {
  const isFirst = (pipe: string, end: number): boolean => open.find((one) => one.target === pipe)?.number === end;
  switch (target) {
    case EPOLL_TARGET: {
      if (number === clues.eventLoop) return "main";
      const watched = watchedBy(clues.info(number));
      if (watched.length === 0) return "epoll";
      // An event loop watches what it has opened itself, after its epoll descriptor.
      const isOwn = (other: number): boolean => {
        const link = open.find((one) => one.number === other)?.target ?? "";
        return other > number && (link === EVENTFD_TARGET || link === RING_TARGET || isFirst(link, other));
      };
      return watched.every((other) => isOwn(other)) ? "polled" : "foreign";
    }
    case EVENTFD_TARGET: {
      const info = clues.info(number);
      const isSemaphore = /^eventfd-semaphore:\s*1$/m.test(info);
      if (((flagsIn(info) ?? O_NONBLOCK) & O_NONBLOCK) === 0 || isSemaphore) return "foreign";
      return "eventfd";
    }
    case RING_TARGET:
      return "ring";
    default: {
      const ends = target.startsWith("pipe:") ? open.filter((one) => one.target === target).length : 0;
      if (ends !== 2) return "foreign";
      return isFirst(target, number) ? "first-end" : "second-end";
    }
  }
}

/** The descriptors that an epoll descriptor watches, by its text in fdinfo. */
function watchedBy(info: string): readonly number[] {
  return Array.from(info.matchAll(/^tfd:\s*(\d+)/gm), ([, digits]) => Number(digits));
}

/**
 * What Node.js 20 to 26 open at their start, in this order: three event loops, of which the last is this thread's.
 */
function layout(rings: number, kinds: readonly Kind[]): readonly Kind[] {
  const loop = (epoll: Kind, pipes: number): readonly Kind[] => [
    epoll,
    ...Array<Kind>(rings).fill("ring"),
    ...Array.from({ length: pipes }, (): readonly Kind[] => ["first-end", "second-end"]).flat(),
    "eventfd",
  ];
  // The second belongs to a thread that waits by it.
  const second = kinds.includes("polled") ? "polled" : "epoll";
  const main = kinds.includes("main") ? "main" : "epoll";
  return [...loop("epoll", 2), ...loop(second, 1), ...loop(main, 1)];
}

/**
 * Where the layout lies among the descriptors: leftmost and rightmost. What one of its members can be on is its range.
 *
 * @returns the indexes of what none of its members can be on, and of what one may be on but need not; undefined where it
 *   does not fit
 */
function fitLayout(
  kinds: readonly Kind[],
  isMixed: boolean,
): { readonly foreign: readonly number[]; readonly doubtful: readonly number[] } | undefined {
  for (let rings = MAX_RINGS; rings >= 0; rings--) {
    const wanted = layout(rings, kinds);
    const leftmost = embed(wanted, kinds);
    if (leftmost === undefined) continue;
    // Further threads have event loops that look the same. Other code opened them after Node's own, each with an epoll
    // descriptor first.
    let end = isMixed ? (leftmost.at(-1) ?? 0) + 1 : kinds.length;
    while (kinds[end] === "eventfd") end++;
    const reversed = embed(wanted.toReversed(), kinds.slice(0, end).toReversed()) ?? [];
    const rightmost = reversed.map((index) => end - 1 - index).toReversed();
    const indexes = Array.from({ length: end }, (_, index) => index);
    const canBe = (index: number): boolean =>
      wanted.some(
        (kind, at) =>
          kind === kinds[index] && (leftmost[at] ?? Infinity) <= index && index <= (rightmost[at] ?? -Infinity),
      );
    const mustBe = (index: number): boolean =>
      wanted.some((_, at) => leftmost[at] === index && rightmost[at] === index);
    return {
      foreign: indexes.filter((index) => !canBe(index)),
      doubtful: indexes.filter((index) => canBe(index) && !mustBe(index)),
    };
  }
  return undefined;
}

/** @returns where each of the wanted kinds is first found, each behind the one before; undefined where one is not */
function embed(wanted: readonly Kind[], kinds: readonly Kind[]): readonly number[] | undefined {
  const found: number[] = [];
  for (const kind of wanted) {
    const index = kinds.indexOf(kind, (found.at(-1) ?? -1) + 1);
    if (index === -1) return undefined;
    found.push(index);
  }
  return found;
}
