/**
 * The addresses at which the broker listens: a TCP port, or a socket of the file system. `listenOn` opens one, and returns the names
 * by which requests must be addressed to it.
 */
import { once } from "node:events";
import { lstatSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { isLoopbackAddress } from "../core/url.ts";
import { attempt } from "../system/errors.ts";

export interface OwnAddress {
  /**
   * Such as `http://127.0.0.1:40123`. The program's variables contain it, and it replaces the origin of a service in the headers of
   * answers.
   */
  readonly origin: string;
  /** The accepted values of `Host`, in lower case. */
  readonly hosts: readonly string[];
  /** This is a socket of the file system: its clients have the name of the service in `Host`. */
  readonly isSocket?: boolean;
  /** Other machines, containers and virtual machines can connect. */
  readonly isOpen?: boolean;
}

interface PortAddress {
  /** An IP address of this machine, without brackets. */
  readonly host: string;
  /** Zero for any free port. */
  readonly port: number;
  /** The name by which the program reaches the host, if it is not `host` itself: a container may use `host.docker.internal`. */
  readonly name?: string | undefined;
}

interface SocketAddress {
  readonly path: string;
  /**
   * Called right after the socket was created, in the same turn of the event loop. So no signal is handled in between, and the
   * caller always knows whether it must remove the socket.
   */
  readonly made?: () => void;
}

/** An address to listen on: a port, or a socket of the file system. */
export type ListenAddress = PortAddress | SocketAddress;

const LOOPBACK = "127.0.0.1";

/** The address if the user names none. */
export const LOOPBACK_ADDRESS: PortAddress = { host: LOOPBACK, port: 0 };

/** Returns the address of a broker that listens on this port. */
export function ownAddress({ host, name }: Pick<PortAddress, "host" | "name">, port: number): OwnAddress {
  const urlHost = host.includes(":") ? `[${host}]` : host;
  const programHost = name ?? urlHost;
  const loopbackNames = host === LOOPBACK ? ["localhost"] : [];
  const names = [programHost, urlHost, ...loopbackNames].map((each) => each.toLowerCase());
  // Clients leave out the default port of http.
  const hosts = names.flatMap((each) => [`${each}:${port}`, ...(port === 80 ? [each] : [])]);
  return {
    origin: new URL(`http://${programHost}:${port}`).origin,
    hosts: [...new Set(hosts)],
    ...(!isLoopbackAddress(host) && { isOpen: true }),
  };
}

/** Listens on an address. @throws the system's error if that fails, or if clients cannot connect to it */
export function listenOn(server: Server, address: ListenAddress): Promise<OwnAddress> {
  return "path" in address ? listenOnSocket(server, address) : listenOnPort(server, address);
}

/** An address of this machine answers at once. With net.ipv4.ip_nonlocal_bind, the bound address may belong to no interface. */
const CONNECT_TIMEOUT_MS = 2000;

/** Listens on a port, and connects to it once, which fails if no client can reach it (the interface is down). */
async function listenOnPort(server: Server, address: PortAddress): Promise<OwnAddress> {
  const { host } = address;
  server.listen(address.port, host);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("the server has no port");
  const testConnection = connect(bound.port, host);
  const timer = setTimeout(() => {
    testConnection.destroy(Object.assign(new Error("the own address does not answer"), { code: "ETIMEDOUT" }));
  }, CONNECT_TIMEOUT_MS);
  try {
    await once(testConnection, "connect");
  } catch (error) {
    server.close();
    throw error;
  } finally {
    clearTimeout(timer);
    testConnection.destroy();
  }
  return ownAddress(address, bound.port);
}

/** The size of `sun_path` on macOS in bytes, without the NUL at its end. Linux has four more (unix(7)). */
export const MAX_SOCKET_PATH = 103;

/** Returns a text that differs for a later socket at the same path; undefined if there is no socket. */
export function socketIdentity(path: string): string | undefined {
  const stat = attempt(() => lstatSync(path));
  // The inode number alone is not enough: a new file may get that of a removed one.
  return stat?.isSocket() === true ? [stat.dev, stat.ino, stat.mtimeMs].join(":") : undefined;
}

/**
 * Listens on a socket of the file system, to which only this user can connect (0600).
 *
 * @throws the system's error if the path is taken (EADDRINUSE) or too long (ENAMETOOLONG), or the folder cannot be written
 */
async function listenOnSocket(server: Server, { path, made }: SocketAddress): Promise<OwnAddress> {
  // Node.js would silently shorten a longer path.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw Object.assign(new Error("the path of the socket is too long"), { code: "ENAMETOOLONG" });
  }
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  // Binding to a path is synchronous. If it failed, `once` throws the error.
  if (server.listening) made?.();
  await once(server, "listening");
  return { origin: "http://localhost", hosts: ["localhost"], isSocket: true };
}
