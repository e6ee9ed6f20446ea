/** System calls that Node.js does not offer: those that a launch needs. native/system.c has them (Linux). */
export interface Libc {
  /**
   * With 1 blocks SIGPIPE and SIGXFSZ, which the kernel sends for writes, in this thread and in threads that it starts
   * later. With 0 discards those that came, and unblocks both signals.
   */
  readonly blockOwnWrites: (blocks: 0 | 1) => void;
  /** Ends the writing to a socket: the peer reads the end, and can still send (shutdown(2), SHUT_WR). */
  readonly endWrites: (descriptor: number) => void;
  /** Keeps the descriptor open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /**
   * Replaces this process by a program (execve(2)). Signals that the runtime ignores get their default action.
   *
   * @param strings the file, the arguments and the variables, each ended by a NUL
   * @returns the error number; returns only if it fails
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /**
   * Hides this process's memory and files in /proc from the user's other processes, and disables core dumps, until
   * execve.
   */
  readonly makeUndumpable: () => void;
  /** Reaps every child that has ended, except the program, which the runtime reaps (waitid(2)): PID 1 inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
}

/** All functions of native/system.c. */
export interface Addon extends Libc {
  /** Returns a checksum of eight bytes, which finds accidental changes, but not those of an attacker. */
  readonly checksum: (bytes: Uint8Array) => Uint8Array;
  /** Discards what was typed at the terminal and that no process has read yet (tcflush(3)). */
  readonly discardPending: (terminal: number) => void;
  /**
   * Returns the numbers and links of /proc/self/fd in turns, separated by NUL, with the descriptor that reads the
   * folder. Undefined if they have more than 8 KiB.
   */
  readonly descriptors: () => string | undefined;
  /** Sets the filter of this process's core dumps (core(5)). @returns the former filter; -1 if it cannot be set */
  readonly exchangeCoreFilter: (filter: number) => number;
  /**
   * Returns the names and values of the environment in turns, separated by NUL. A name may be there twice; invalid
   * UTF-8 is U+FFFD.
   */
  readonly environment: () => string | undefined;
  /** Ends this process without the exit work of Node.js (_exit(2)): no profile, coverage or trace. */
  readonly exitAtOnce: (status: number) => never;
  /** Makes the program of a later `execve` inherit the signal as ignored. */
  readonly ignoreOnExec: (signal: number) => void;
  /** Returns true for a regular file that this process may execute, and for a link to one. */
  readonly isExecutable: (path: string) => boolean;
  /** Returns true if there is nothing at the path, not even a link; false if that is unknown. */
  readonly isMissing: (path: string) => boolean;
  /**
   * Returns true for a folder of this user that no other user can write to, below no folder that is world-writable and
   * not sticky.
   */
  readonly isOwnFolder: (descriptor: number) => boolean;
  /**
   * Returns true if a descriptor of this process and one of the parent process are the same open file; false if unknown
   * (kcmp(2)).
   */
  readonly isParents: (here: number, there: number) => boolean;
  /** Makes reads and writes of the open file wait: clears O_NONBLOCK (fcntl(2), F_SETFL). */
  readonly makeBlocking: (descriptor: number) => void;
  /** Returns the text of a regular file of at most 4 MiB, decoded as Latin-1; undefined if it cannot be read. */
  readonly readLatin1: (path: string) => string | undefined;
  /**
   * Returns the bytes behind the checksum at the start of a regular file of at most 4 MiB; undefined if the checksum
   * does not match or the file may not be used. The folder must pass `isOwnFolder` and must not be a link. The file
   * must belong to this user, and no other user may be allowed to write to it.
   */
  readonly readOwn: (folder: string, name: string) => Uint8Array | undefined;
  /** Restores the default action of a signal (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
  /**
   * Returns the text of a regular file of at most 4 MiB, not of a link to one; undefined if it may not be used. The
   * file must belong to this user or root, its folder must not be world-writable, and other users must not have the
   * `forbidden` permissions (S_IROTH, S_IWOTH). Invalid UTF-8 becomes U+FFFD.
   */
  readonly readTrusted: (path: string, folder: string, forbidden: number) => string | undefined;
}
