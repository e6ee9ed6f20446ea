/** Errors as those of node:net. */
import { natives } from "../../native.ts";

interface Natives {
  /** @param error the system's number */
  readonly systemError: (error: number, syscall: string) => NodeJS.ErrnoException;
}

const native = natives<Natives>();

export const [EAGAIN, ETIMEDOUT, EINPROGRESS, ECONNREFUSED, ECANCELED] = [-11, -110, -115, -111, -125];

/** @param error the negative number of the system's error */
export function systemFailure(error: number, syscall: string, details = ""): NodeJS.ErrnoException {
  const { code = "UNKNOWN" } = native.systemError(-error, syscall);
  return Object.assign(new Error(`${syscall} ${code}${details}`), { errno: error, code, syscall });
}

/** The same, with an address. A local socket has no port. */
export function addressFailure(error: number, syscall: string, address: string, port?: number): NodeJS.ErrnoException {
  const at = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const failure = systemFailure(error, syscall, ` ${at}`);
  return Object.assign(failure, { address, ...(port === undefined ? {} : { port }) });
}

/** The error of several attempts to connect. */
export function allFailed(errors: readonly NodeJS.ErrnoException[]): Error {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code ?? "UNKNOWN" });
}
