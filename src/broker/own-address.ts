/** The broker's own address, and the names by which requests are addressed to it. */
import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";

export interface OwnAddress {
  /** Such as `http://127.0.0.1:40123`. The program's variables have it, and answers in place of a service's own origin. */
  readonly origin: string;
  /** The accepted values of `Host`, in lower case. */
  readonly hosts: readonly string[];
  /** A socket of the file system: clients name the services themselves in `Host`. */
  readonly isSocket?: boolean;
}

const LOOPBACK = "127.0.0.1";

/** Returns the address of a broker that listens on loopback. */
export function loopbackAddress(port: number): OwnAddress {
  const own = `${LOOPBACK}:${port}`;
  return { origin: `http://${own}`, hosts: [own, `localhost:${port}`] };
}

/** Listens on a free port, to which it connects once: that fails if the loopback interface is down. */
export async function listenOnLoopback(server: Server): Promise<OwnAddress> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  const first = connect(address.port, LOOPBACK);
  try {
    await once(first, "connect");
  } catch (error) {
    server.close();
    throw error;
  } finally {
    first.destroy();
  }
  return loopbackAddress(address.port);
}

/** The bytes of `sun_path` without the NUL at its end, on macOS; Linux has four more (unix(7)). */
const MAX_SOCKET_PATH = 103;

/**
 * Listens on a socket of the file system, to which only this user can connect (0600).
 *
 * @throws the system's error if the path is taken (EADDRINUSE) or too long (ENAMETOOLONG), or the folder cannot be written
 */
export async function listenOnSocket(server: Server, path: string): Promise<OwnAddress> {
  // Node.js shortens a longer one.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw Object.assign(new Error("the path of the socket is too long"), { code: "ENAMETOOLONG" });
  }
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await once(server, "listening");
  return { origin: "http://localhost", hosts: ["localhost"], isSocket: true };
}
