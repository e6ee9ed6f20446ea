/**
 * Connects to a PostgreSQL server, over TLS unless the server runs on this machine. The rules are stricter than those of libpq:
 * this program sends nothing to another machine without encryption, whatever `sslmode` says.
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

export interface PostgresConnection {
  readonly socket: net.Socket;
  /** True within this machine, and over TLS with a trusted certificate: only the server can read the password. */
  readonly isPrivate: boolean;
}

const VERIFYING_MODES: ReadonlySet<string> = new Set(["verify-ca", "verify-full"]);

/** The length 8, and the request code 80877103. The server answers with one byte: `S` for TLS, `N` for none. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Opens a connection over which a login may begin.
 *
 * @param onOpen gets each socket as soon as it exists, so that the caller can destroy it at the time limit
 * @returns a result if a login would not be safe @throws ProtocolError, and the system's errors
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

  const plain = net.connect(isUnixSocket ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true });
  onOpen(plain);
  ignoreErrorEvents(plain);
  await once(plain, "connect");
  const { remoteAddress } = plain;
  if (isLocal && remoteAddress !== undefined && !isLoopbackAddress(remoteAddress)) {
    return unsent("the name leads to another machine");
  }
  if (isUnixSocket || (isLocal && (sslMode === "disable" || sslMode === "allow"))) {
    return { socket: plain, isPrivate: true };
  }

  if (!(await offersTls(plain))) {
    if (isLocal && (sslMode === "prefer" || sslMode === "allow")) return { socket: plain, isPrivate: true };
    return unsent("the server offers no TLS");
  }
  // An untrusted certificate does not end the connection, since SCRAM can log in without revealing the password.
  const secure = await beginTls(Promise.resolve(plain), host, network, { rejectUnauthorized: false });
  onOpen(secure);
  ignoreErrorEvents(secure);
  await once(secure, "secureConnect");
  if (!secure.authorized && VERIFYING_MODES.has(sslMode)) return unsent("the server's certificate is not trusted");
  return { socket: secure, isPrivate: isLocal || secure.authorized };
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
