/** The few functions of the C library that a launcher needs and JavaScript lacks (Linux). */
export interface Libc {
  /** Lets the descriptor stay open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /**
   * execve(2) with bytes that need not be UTF-8. Signals that the runtime itself ignores have their default action in the
   * program.
   *
   * @param strings the file, the arguments and the variables, each ended by a NUL
   * @returns only if it has failed: the system's error number
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /**
   * Closes this process's memory and its /proc files to other processes of the user (prctl(2), PR_SET_DUMPABLE). It dumps
   * no core any more. A child inherits that until it executes a program.
   */
  readonly makeUndumpable: () => void;
  /** Reaps every dead child but one, which is left to the runtime (waitid(2)). PID 1 needs it, since it inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
}

/** What the addon for Node.js has besides. */
export interface Addon extends Libc {
  /** Returns eight bytes that tell if the given ones have changed by accident; another user could fit them to a change. */
  readonly checksum: (bytes: Uint8Array) => Uint8Array;
  /**
   * Returns the open descriptors by /proc: numbers and links in turns, each but the last ended by a NUL, and among them
   * the folder by which they were read. Undefined if that takes more than some kilobytes, or cannot be read.
   */
  readonly descriptors: () => string | undefined;
  /** Sets what this process's core dumps hold (core(5)). @returns the former filter; -1 if it cannot be set */
  readonly exchangeCoreFilter: (filter: number) => number;
  /**
   * Returns the whole environment of this process as it is now: names and values in turns, each but the last ended by a
   * NUL. A name may be there twice. What is not UTF-8 has become U+FFFD.
   */
  readonly environment: () => string | undefined;
  /** Ends this process without what Node.js does at its end (_exit(2)): no profile, no coverage, no trace. */
  readonly exitAtOnce: (status: number) => never;
  /** The program that `execve` starts finds the signal ignored. */
  readonly ignoreOnExec: (signal: number) => void;
  /** True of a file that this process may execute, and of a link to one. */
  readonly isExecutable: (path: string) => boolean;
  /** True if nothing is there, not even a link; false if that cannot be told. */
  readonly isMissing: (path: string) => boolean;
  /**
   * Returns true if the descriptor is a folder of this user, that no other user may write, and no folder above it may be
   * written by every user, unless its sticky bit keeps them from renaming what is in it.
   */
  readonly isOwnFolder: (descriptor: number) => boolean;
  /** True if a descriptor here and one of the parent's are the same open file; false if it cannot be told (kcmp(2)). */
  readonly isParents: (here: number, there: number) => boolean;
  /** Makes reads and writes of the open file blocking again (fcntl(2), F_SETFL without O_NONBLOCK). */
  readonly makeBlocking: (descriptor: number) => void;
  /** Returns the text of a regular file of at most 4 MiB in Latin-1. */
  readonly readLatin1: (path: string) => string | undefined;
  /**
   * Returns the bytes of a regular file of at most 4 MiB behind its checksum, with which it begins, unless it has changed.
   * The folder must be as `isOwnFolder` says, and no link, and the file this user's, and no other may write it.
   */
  readonly readOwn: (folder: string, name: string) => Uint8Array | undefined;
  /** Gives a signal its default action (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
  /** The name of this process's effective user (getpwuid(3)); undefined if the system has none. */
  readonly userName: () => string | undefined;
  /**
   * Returns the text of a regular file of at most 4 MiB of this user or of root, in a folder that not every user may
   * write. What is not UTF-8 has become U+FFFD.
   *
   * @param forbidden permissions that others must not have for the file (S_IROTH, S_IWOTH)
   */
  readonly readTrusted: (path: string, folder: string, forbidden: number) => string | undefined;
}
