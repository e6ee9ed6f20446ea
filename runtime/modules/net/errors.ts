/** Errors as those of node:net. */
import { systemFailure } from "../../errors.ts";

export const [EAGAIN, ETIMEDOUT, EINPROGRESS, ECONNREFUSED, ECANCELED] = [-11, -110, -115, -111, -125];

/** Returns the error of a call with an address. A local socket has no port. */
export function addressFailure(error: number, syscall: string, address: string, port?: number): NodeJS.ErrnoException {
  const at = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const failure = systemFailure(error, syscall, ` ${at}`);
  return Object.assign(failure, { address, ...(port === undefined ? {} : { port }) });
}

/** The error of several attempts to connect. */
export function allFailed(errors: readonly NodeJS.ErrnoException[]): Error {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code ?? "UNKNOWN" });
}
