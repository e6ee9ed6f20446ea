/** The errors of node:net, and the errnos that it compares. An errno is negative here, as in libuv. */
import { systemFailure } from "../../errors.ts";

export const EAGAIN = -11;
export const ETIMEDOUT = -110;
export const ECONNREFUSED = -111;
export const EINPROGRESS = -115;
export const ECANCELED = -125;

/**
 * Returns the error of a system call with an address, such as "connect ECONNREFUSED 127.0.0.1:80".
 *
 * @param errno the negative errno @param port undefined for a Unix domain socket
 */
export function addressFailure(errno: number, syscall: string, address: string, port?: number): NodeJS.ErrnoException {
  const addressAndPort = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const failure = systemFailure(errno, syscall, ` ${addressAndPort}`);
  return Object.assign(failure, { address, ...(port === undefined ? {} : { port }) });
}

/** Returns the error of a host all of whose addresses have failed. As in Node.js, it has the code of the first failure. */
export function allAttemptsFailed(failures: readonly NodeJS.ErrnoException[]): Error {
  return Object.assign(new AggregateError(failures), { code: failures[0]?.code ?? "UNKNOWN" });
}
