import type { Socket } from "node:net";
import { isIP } from "node:net";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";
import { loadTrust } from "./trusted-authorities.ts";

/**
 * Begins TLS on a connection, with the certificates that the caller trusts.
 *
 * @param options `rejectUnauthorized` is required, since NODE_TLS_REJECT_UNAUTHORIZED is meant for the program
 * @param remark gets warnings of certificate files that cannot be used
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
      // RFC 6066 allows no address.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
    }),
  );
}

/** Suppresses Node's warning under NODE_TLS_REJECT_UNAUTHORIZED=0, which has no effect here. */
function withoutWarning<T>(connect: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- restored, not called
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return connect();
  } finally {
    process.emitWarning = emitWarning;
  }
}
