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
   * @returns only when it has failed: the system's error number
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /**
   * Closes this process's memory and what /proc says of it, such as its first environment, to others of the same user
   * (prctl(2), PR_SET_DUMPABLE). It is dumped no more. A child inherits that only until it executes a program.
   */
  readonly makeUndumpable: () => void;
  /** Reaps every dead child but one, which is left to the runtime (waitid(2)). PID 1 needs it, since it inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
}

/** What the addon for Node.js has besides. */
export interface Addon extends Libc {
  /** Of these bytes, in eight. It tells whether they have changed by accident, not whether somebody has changed them. */
  readonly checksum: (bytes: Uint8Array) => Uint8Array;
  /**
   * What this process has open by /proc: numbers and links in turns, each but the last ended by a NUL, and among them the
   * folder by which they were read. Undefined where that is more than some kilobytes, or not to be seen.
   */
  readonly descriptors: () => string | undefined;
  /**
   * Sets what this process's core dumps hold (core(5)).
   *
   * @returns what they held before; -1 where it cannot be set
   */
  readonly exchangeCoreFilter: (filter: number) => number;
  /**
   * The environment of this process as it is now, whole: names and values in turns, each but the last ended by a NUL.
   * A name may be there twice. What is not UTF-8 has become U+FFFD.
   */
  readonly environment: () => string | undefined;
  /** Ends this process without anything of what Node.js does at its end (_exit(2)): no profile, no coverage, no trace. */
  readonly exitAtOnce: (status: number) => never;
  /** The program that `execve` starts finds the signal ignored. */
  readonly ignoreOnExec: (signal: number) => void;
  /** Whether it is a file that this process may execute (access(2)), or a link to one. */
  readonly isExecutable: (path: string) => boolean;
  /** Whether nothing is there, not even a link; false where that cannot be told. */
  readonly isMissing: (path: string) => boolean;
  /**
   * Returns true if the descriptor is a folder of this user, that no other user may write, and no folder above it may be
   * written by every user, unless its sticky bit keeps them from renaming what is in it.
   */
  readonly isOwnFolder: (descriptor: number) => boolean;
  /** Whether a descriptor here and one of the parent's are the same open file; false where that cannot be told (kcmp(2)). */
  readonly isParents: (here: number, there: number) => boolean;
  /** Makes reads and writes of the open file blocking again (fcntl(2), F_SETFL without O_NONBLOCK). */
  readonly makeBlocking: (descriptor: number) => void;
  /** The text of a regular file of at most 4 MiB in Latin-1; undefined where there is none. */
  readonly readLatin1: (path: string) => string | undefined;
  /**
   * The bytes of a regular file of at most 4 MiB behind its checksum, with which it begins. The folder is one as
   * `isOwnFolder` says, and no link; the file is this user's, too, and no other user may write it.
   *
   * @returns undefined for any other file, and for one that has changed
   */
  readonly readOwn: (folder: string, name: string) => Uint8Array | undefined;
  /** Gives a signal its default action, whatever has set another (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
  /** The name of this process's effective user (getpwuid(3)); undefined if the system has none. */
  readonly userName: () => string | undefined;
  /**
   * The text of a regular file of at most 4 MiB of this user or of root, in a folder that not everybody may write.
   *
   * @param forbidden permissions that others must not have for the file (S_IROTH, S_IWOTH)
   * @returns undefined for any other file. What is not UTF-8 has become U+FFFD
   */
  readonly readTrusted: (path: string, folder: string, forbidden: number) => string | undefined;
  /** HMAC with SHA-256 (RFC 2104), 32 bytes, by the OpenSSL of Node.js; absent where that cannot be reached. */
  readonly hmacSha256?: (key: Buffer, data: Buffer) => Buffer;
  /**
   * Opens what AES-256-GCM has sealed (NIST SP 800-38D), by the OpenSSL of Node.js; absent where that cannot be reached.
   *
   * @param key 32 bytes
   * @param iv 12 bytes
   * @param authenticated what was authenticated with it and not encrypted
   * @param sealed what was encrypted, with the tag of 16 bytes behind it
   * @returns undefined where a bit of any of them is another one
   */
  readonly openAes256Gcm?: (key: Buffer, iv: Buffer, authenticated: Buffer, sealed: Buffer) => Buffer | undefined;
}
