/**
 * Connects to a PostgreSQL server, over TLS unless the server runs on this machine. The rules are stricter than those of
 * libpq: this program sends nothing to another machine without encryption, whatever `sslmode` says.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
import { once } from "node:events";
import * as net from "node:net";
import { isLoopback, isLoopbackAddress } from "../../../core/url.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { beginTls } from "../../../network/tls.ts";
import { NOT_POSTGRESQL, ProtocolError, readBytes } from "./postgres-messages.ts";
import type { PostgresHost } from "./postgres-url.ts";
import { type ProbeResult, unsent } from "./probe-result.ts";

/** A connection over which a login may begin. */
export interface PostgresConnection {
  readonly socket: net.Socket;
  /** True if only the right server can read the password: within this machine, or over TLS with a trusted certificate. */
  readonly isPrivate: boolean;
}

/** The values of `sslmode` that require a trusted certificate. */
const VERIFYING_MODES: ReadonlySet<string> = new Set(["verify-ca", "verify-full"]);

/**
 * A message that requests TLS: its length 8, and the code 80877103. The server answers with one byte, `S` for TLS or `N`
 * for none.
 */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Opens a connection over which a login may begin.
 *
 * @param onOpen is called with each socket as soon as it exists, so that the caller can destroy it at the time limit
 * @returns a result in place of a connection if a login would not be safe
 * @throws ProtocolError, and errors of the system such as ECONNREFUSED
 */
export async function connectToPostgres(
  { host, port }: PostgresHost,
  sslMode: string,
  network: NetworkSettings,
  onOpen: (socket: net.Socket) => void,
): Promise<PostgresConnection | ProbeResult> {
  const isUnixSocket = host.startsWith("/");
  const isLocal = isUnixSocket || isLoopback(net.isIPv6(host) ? `[${host}]` : host);
  if (!isLocal && sslMode === "disable") return unsent("sslmode=disable would send it unencrypted to another machine");

  const plainSocket = net.connect(isUnixSocket ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true });
  onOpen(plainSocket);
  ignoreErrorEvents(plainSocket);
  await once(plainSocket, "connect");
  const { remoteAddress } = plainSocket;
  if (isLocal && remoteAddress !== undefined && !isLoopbackAddress(remoteAddress)) {
    return unsent("the name leads to another machine");
  }
  if (isUnixSocket || (isLocal && (sslMode === "disable" || sslMode === "allow"))) {
    return { socket: plainSocket, isPrivate: true };
  }

  if (!(await offersTls(plainSocket))) {
    if (isLocal && (sslMode === "prefer" || sslMode === "allow")) return { socket: plainSocket, isPrivate: true };
    return unsent("the server offers no TLS");
  }
  // An untrusted certificate does not end the connection, since SCRAM can log in without revealing the password.
  const tlsSocket = await beginTls(Promise.resolve(plainSocket), host, network, { rejectUnauthorized: false });
  onOpen(tlsSocket);
  ignoreErrorEvents(tlsSocket);
  await once(tlsSocket, "secureConnect");
  if (!tlsSocket.authorized && VERIFYING_MODES.has(sslMode)) return unsent("the server's certificate is not trusted");
  return { socket: tlsSocket, isPrivate: isLocal || tlsSocket.authorized };
}

/** Asks the server for TLS. @throws ProtocolError for an invalid answer */
async function offersTls(socket: net.Socket): Promise<boolean> {
  socket.write(SSL_REQUEST);
  const answer = (await readBytes(socket, 1)).toString("latin1");
  // Bytes after the answer could come from an attacker, who injects them before the encryption begins (CVE-2021-23222).
  if (socket.readableLength > 0 || (answer !== "S" && answer !== "N")) throw new ProtocolError(NOT_POSTGRESQL);
  return answer === "S";
}

/** Keeps an error from ending the process. It reaches the caller through the pending `once` or read. */
function ignoreErrorEvents(socket: net.Socket): void {
  socket.on("error", () => {});
}
