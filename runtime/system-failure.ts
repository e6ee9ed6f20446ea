/** Errors of the system as libuv's parts of Node.js report them, with the call and the code alone. */
import { natives } from "./native.ts";

interface Natives {
  /** @param error the system's number */
  readonly errorName: (error: number) => string;
}

const native = natives<Natives>();

/** @param error the negative number of the system's error */
export function systemFailure(error: number, syscall: string, details = ""): NodeJS.ErrnoException {
  const code = native.errorName(-error);
  return Object.assign(new Error(`${syscall} ${code}${details}`), { errno: error, code, syscall });
}
