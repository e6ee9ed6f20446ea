/** The errors of node:net, and the numbers of system errors that it compares, negative as in libuv. */
import { systemFailure } from "../../errors.ts";

export const [EAGAIN, ETIMEDOUT, EINPROGRESS, ECONNREFUSED, ECANCELED] = [-11, -110, -115, -111, -125];

/**
 * Returns the error of a system call with an address, such as "connect ECONNREFUSED 127.0.0.1:80".
 *
 * @param error the negative number of the system's error
 * @param port undefined for a local socket
 */
export function addressFailure(error: number, syscall: string, address: string, port?: number): NodeJS.ErrnoException {
  const target = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const failure = systemFailure(error, syscall, ` ${target}`);
  return Object.assign(failure, { address, ...(port === undefined ? {} : { port }) });
}

/** Returns the error of a connection for which each of several addresses has failed. It has the code of the first failure. */
export function allAttemptsFailed(errors: readonly NodeJS.ErrnoException[]): Error {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code ?? "UNKNOWN" });
}
