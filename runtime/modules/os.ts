/** The parts of node:os that the bundle uses. */
import { natives } from "../native.ts";
import { process } from "./process.ts";
import { signals } from "./signals.ts";

interface Natives {
  /** Returns the entry of this user in the password file; undefined if there is none. */
  readonly user: () => readonly [name: string, home: string, shell: string] | undefined;
  readonly errorNumbers: () => Readonly<Record<string, number>>;
  readonly userId: () => number;
  readonly groupId: () => number;
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

/** @throws ENOENT if the password file does not have this user */
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
  const { TMPDIR, TMP, TEMP } = process.env;
  const folder = TMPDIR || TMP || TEMP || "/tmp";
  return folder.length > 1 ? folder.replace(/\/$/, "") : folder;
}
