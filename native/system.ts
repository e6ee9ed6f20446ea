/** Functions of the C library that JavaScript lacks (Linux). */
export interface Libc {
  /**
   * With 1 blocks SIGPIPE and SIGXFSZ, which the kernel sends for writes, in this thread and those that it makes later. With
   * 0 drops those that came, and unblocks them.
   */
  readonly blockOwnWrites: (blocks: 0 | 1) => void;
  /** Lets the other end of a socket read its end, and still reads what that sends (shutdown(2), SHUT_WR). */
  readonly endWrites: (descriptor: number) => void;
  /** Keeps the descriptor open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /**
   * execve(2) with the file, the arguments and the variables, each ended by a NUL. Signals that the runtime ignores get
   * their default action. @returns the error number, only if it fails
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /** Hides memory and /proc files from the user's other processes, and dumps no core (PR_SET_DUMPABLE), until execve. */
  readonly makeUndumpable: () => void;
  /** Reaps every dead child except the one that the runtime reaps (waitid(2)): PID 1 inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
}

export interface Addon extends Libc {
  /** Returns an eight-byte checksum against accidents, not against attackers. */
  readonly checksum: (bytes: Uint8Array) => Uint8Array;
  /** Discards what was typed at the terminal and no process has read (tcflush(3)). */
  readonly discardPending: (terminal: number) => void;
  /** Returns numbers and links of /proc/self/fd (its own, too) in turns, separated by NUL; undefined above some kilobytes. */
  readonly descriptors: () => string | undefined;
  /** Sets the filter of this process's core dumps (core(5)). @returns the former filter; -1 if it cannot be set */
  readonly exchangeCoreFilter: (filter: number) => number;
  /** Returns names and values in turns, separated by NUL. Names may be repeated; bytes that are not UTF-8 are U+FFFD. */
  readonly environment: () => string | undefined;
  /** Ends this process without the exit work of Node.js (_exit(2)): no profile, coverage or trace. */
  readonly exitAtOnce: (status: number) => never;
  /** Lets `execve` start the program with the signal ignored. */
  readonly ignoreOnExec: (signal: number) => void;
  /** Returns true for a file that this process may execute, or a link to one. */
  readonly isExecutable: (path: string) => boolean;
  /** Returns true if not even a link is there; false if that is unknown. */
  readonly isMissing: (path: string) => boolean;
  /** Returns true for this user's folder that no other may write, with no world-writable, non-sticky folder above. */
  readonly isOwnFolder: (descriptor: number) => boolean;
  /** Returns true if a descriptor here and one of the parent are the same open file; false if unknown (kcmp(2)). */
  readonly isParents: (here: number, there: number) => boolean;
  /** Clears O_NONBLOCK of the open file (fcntl(2), F_SETFL). */
  readonly makeBlocking: (descriptor: number) => void;
  /** Returns the text of a regular file of at most 4 MiB in Latin-1. */
  readonly readLatin1: (path: string) => string | undefined;
  /**
   * Returns the bytes of a regular file of at most 4 MiB after its leading checksum, if that matches. The folder must pass
   * `isOwnFolder` and be no link; the file must be this user's, and no other may write it.
   */
  readonly readOwn: (folder: string, name: string) => Uint8Array | undefined;
  readonly restoreDefault: (signal: number) => void;
  /**
   * Returns the text of a regular file, no link to one, of at most 4 MiB of this user or root, in a folder that is not
   * world-writable. Other users must not have the `forbidden` permissions (S_IROTH, S_IWOTH). Bytes that are not UTF-8 are U+FFFD.
   */
  readonly readTrusted: (path: string, folder: string, forbidden: number) => string | undefined;
}
