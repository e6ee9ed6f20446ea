/**
 * Tests the URL of a PostgreSQL database for `check --live`: tries its hosts one after another, and logs in to the first
 * that answers.
 */
import type * as net from "node:net";
import { userInfo } from "node:os";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import { connectToPostgres } from "./postgres-connection.ts";
import { logIn } from "./postgres-login.ts";
import { CONNECTION_CLOSED, ProtocolError } from "./postgres-messages.ts";
import { parsePostgresUrl } from "./postgres-url.ts";
import { type ProbeResult, unclear, unsent } from "./probe-result.ts";

/**
 * Logs in and disconnects within the time limit, which all hosts share. The password is sent only over TLS or within this
 * machine, and without SCRAM only if the server's certificate is trusted.
 */
export async function probePostgres(url: string, network: NetworkSettings, limitMs: number): Promise<ProbeResult> {
  const target = parsePostgresUrl(url, findSystemUserName());
  if (target === undefined) return unsent("it is not the URL of a PostgreSQL database");
  const sockets: net.Socket[] = [];
  let isClosed = false;
  const closeAll = (): void => {
    isClosed = true;
    // The error makes a pending read fail.
    for (const socket of sockets) socket.destroy(new ProtocolError(CONNECTION_CLOSED));
  };
  const timer = setTimeout(closeAll, limitMs);
  const timedOut = unclear("unreachable", "timed out");
  let hostFailure = unclear("unreachable", "no host");
  try {
    for (const host of target.hosts) {
      try {
        const connection = await connectToPostgres(host, target.sslMode, network, (socket) => {
          sockets.push(socket);
        });
        return "socket" in connection ? await logIn(connection, target) : connection;
      } catch (error) {
        if (isClosed) return timedOut;
        if (error instanceof ProtocolError) return unclear("trouble", error.message);
        // Like libpq, the probe continues with the next host only if the connection fails.
        hostFailure = unclear("unreachable", systemErrorCode(error) ?? "UNKNOWN");
      }
    }
    return isClosed ? timedOut : hostFailure;
  } finally {
    clearTimeout(timer);
    closeAll();
  }
}

/** Returns the user for a URL that names none, as libpq does: the user of this process. */
function findSystemUserName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the process may have a user ID without an entry in /etc/passwd.
    return "postgres";
  }
}
