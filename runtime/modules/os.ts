/** The module node:os of the executable's runtime. It has only the functions that sophia-run's code uses. */
import { natives } from "../native.ts";
import { process } from "./process.ts";
import { signals } from "./signals.ts";

interface Natives {
  /** Returns the entry of this user in /etc/passwd; undefined if there is none. */
  readonly user: () => readonly [name: string, home: string, shell: string] | undefined;
  /** Returns the error numbers (errno) by name, such as ENOENT. */
  readonly errorNumbers: () => Readonly<Record<string, number>>;
  readonly userId: () => number;
  readonly groupId: () => number;
  /** Returns the error that Node.js would throw. @param error an error number (errno) */
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

const ENOENT = 2;

export const EOL = "\n";
export const constants = {
  signals,
  /** The numbers of system errors by name. */
  get errno(): Readonly<Record<string, number>> {
    return native.errorNumbers();
  },
};

/** Describes this user. @throws ENOENT if /etc/passwd does not have this user, as in some containers */
export function userInfo(): object {
  const user = native.user();
  if (user === undefined) throw native.systemError(ENOENT, "uv_os_get_passwd");
  const [username, home, shell] = user;
  return { uid: native.userId(), gid: native.groupId(), username, homedir: home, shell };
}

export function homedir(): string {
  return process.env["HOME"] ?? native.user()?.[1] ?? "";
}

export function tmpdir(): string {
  // `||`, because an empty variable is ignored.
  const { TMPDIR, TMP, TEMP } = process.env;
  const folder = TMPDIR || TMP || TEMP || "/tmp";
  return folder.length > 1 ? folder.replace(/\/$/, "") : folder;
}
