/** Begins TLS on the connections to ESC and other servers, whose certificates the user's settings decide to trust. */
import { isIP, type Socket } from "node:net";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";
import { loadTrust } from "./trusted-authorities.ts";

/**
 * Begins TLS on a connection. The caller must wait for the event `secureConnect` of the result.
 *
 * @param connecting the connection, which may still be in progress
 * @param options `rejectUnauthorized` is required, because NODE_TLS_REJECT_UNAUTHORIZED is meant for the program
 * @param warn called with each warning about a certificate file that cannot be used
 */
export async function beginTls(
  connecting: Promise<Socket>,
  host: string,
  network: NetworkSettings,
  options: tls.ConnectionOptions & { readonly rejectUnauthorized: boolean },
  warn: (text: string) => void = () => {},
): Promise<tls.TLSSocket> {
  const { context, warnings } = await loadTrust(network);
  warnings.forEach(warn);
  const socket = await connecting;
  return withoutWarning(() =>
    tls.connect({
      ...options,
      socket,
      host,
      // An IP address must not be a server name (RFC 6066, section 3).
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
    }),
  );
}

/** Calls `connect` without Node's warning about NODE_TLS_REJECT_UNAUTHORIZED=0, which has no effect on this connection. */
function withoutWarning<Result>(connect: () => Result): Result {
  // tls.connect emits the warning before it returns, so that no other warning is lost.
  // oxlint-disable-next-line typescript/unbound-method -- the function is restored, not called
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return connect();
  } finally {
    process.emitWarning = emitWarning;
  }
}
