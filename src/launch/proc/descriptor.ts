/** An open file descriptor and what its link in /proc/PID/fd says. */
export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

/** The links of what each event loop has: an epoll descriptor, by which it waits, and an eventfd, which wakes it. */
export const EPOLL_TARGET = "anon_inode:[eventpoll]";
export const EVENTFD_TARGET = "anon_inode:[eventfd]";
/** The link of an io_uring descriptor, which some versions of Node.js have. */
export const RING_TARGET = "anon_inode:[io_uring]";

/** What the caller passed to this process. */
export interface Inherited {
  /** The descriptors from 3 on, in ascending order. */
  readonly numbers: readonly number[];
  /** Those of them that may also be Node's own, as far as can be told: they are passed on, and stay open here. */
  readonly doubtful: readonly number[];
}
