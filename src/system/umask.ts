/**
 * Sets the umask of this process for a moment. The caller's umask decides only about the files of the program: it could remove
 * permissions of the user from files that sophia-run itself makes, or leave permissions of other users.
 */

/** Removes all permissions of the group and of other users from new files, and none of the owner's. */
export const PRIVATE_UMASK = 0o077;

/** Calls a function under a umask, and restores the caller's. The function must make its files before it returns. */
export function withUmask<Result>(umask: number, makeFiles: () => Result): Result {
  const callersUmask = process.umask(umask);
  try {
    return makeFiles();
  } finally {
    process.umask(callersUmask);
  }
}
