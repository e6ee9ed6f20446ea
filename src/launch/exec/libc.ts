/** The few functions of the C library that a launcher needs and JavaScript lacks (Linux). */
export interface Libc {
  /** Lets the descriptor stay open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /**
   * execve(2) with bytes that need not be UTF-8. Signals that the runtime itself ignores have their default action in the
   * program.
   *
   * @param strings the file, the arguments and the variables, each ended by a NUL
   * @param argumentCount how many of them are arguments
   * @returns only when it has failed: the system's error number; 0 where the runtime does not tell it
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /**
   * Closes this process's memory and what /proc says of it, such as its first environment, to others of the same user
   * (prctl(2), PR_SET_DUMPABLE). It is dumped no more. A child inherits that only until it executes a program.
   */
  readonly makeUndumpable: () => void;
  /** Reaps every dead child but one, which is left to the runtime (waitid(2)). PID 1 needs it, since it inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
  /** Gives a signal its default action, whatever has set another (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
}

/** What the addon for Node.js has besides. */
export interface Addon extends Libc {
  /** Of these bytes. It tells whether they have changed by accident, not whether somebody has changed them. */
  readonly checksum: (bytes: Uint8Array) => bigint;
  /** The epoll descriptor by which this process's event loop waits; -1 where it cannot be told. */
  readonly eventLoopDescriptor: () => number;
  /** Ends this process without anything of what Node.js does at its end (_exit(2)): no profile, no coverage, no trace. */
  readonly exitAtOnce: (status: number) => never;
  /** Whether a descriptor here and one of the parent's are the same open file; false where that cannot be told (kcmp(2)). */
  readonly isParents: (here: number, there: number) => boolean;
  /** Makes reads and writes of the open file blocking again (fcntl(2), F_SETFL without O_NONBLOCK). */
  readonly makeBlocking: (descriptor: number) => void;
}
