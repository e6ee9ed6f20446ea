/** TLS for connections to ESC and other hosts, by the certificates that the caller trusts. */
import type { Socket } from "node:net";
import { isIP } from "node:net";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";
import { loadTrust } from "./trusted-authorities.ts";

/**
 * Begins TLS on a connection. The caller waits for `secureConnect` of the result.
 *
 * @param options `rejectUnauthorized` is required, because NODE_TLS_REJECT_UNAUTHORIZED is meant for the program
 * @param remark called with each warning about a certificate file that cannot be used
 */
export async function beginTls(
  connecting: Promise<Socket>,
  host: string,
  network: NetworkSettings,
  options: tls.ConnectionOptions & { readonly rejectUnauthorized: boolean },
  remark: (text: string) => void = () => {},
): Promise<tls.TLSSocket> {
  const { context, remarks } = await loadTrust(network);
  remarks.forEach(remark);
  const socket = await connecting;
  return withoutWarning(() =>
    tls.connect({
      ...options,
      socket,
      host,
      // RFC 6066, 3 allows no address as a server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
    }),
  );
}

/** Calls `connect` without Node's warning about NODE_TLS_REJECT_UNAUTHORIZED=0, which has no effect on this connection. */
function withoutWarning<T>(connect: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- the function is restored, not called
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return connect();
  } finally {
    process.emitWarning = emitWarning;
  }
}
