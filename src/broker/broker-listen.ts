/**
 * Listens on an address for the broker: a TCP port, or a socket of the file system. `listenOn` returns the names that requests to
 * this address must have in their `Host` header.
 */
import { once } from "node:events";
import { lstatSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { isLoopbackAddress } from "../core/url.ts";
import { attempt } from "../system/errors.ts";
import { withUmask } from "../system/umask.ts";

/** An address at which the broker listens, as the broker's clients use it. */
export interface BrokerAddress {
  /**
   * The origin of the address, such as `http://127.0.0.1:40123`. The program's variables contain it, and it replaces the origin of
   * a service in the headers of answers.
   */
  readonly origin: string;
  /** The accepted values of `Host`, in lower case. */
  readonly acceptedHosts: readonly string[];
  /** True for a socket of the file system, whose clients send the name of the service in `Host`. */
  readonly isSocket?: boolean;
  /** True if other machines, containers or virtual machines can connect, so that guesses of keys are limited (guesses.ts). */
  readonly acceptsOtherMachines?: boolean;
}

interface PortAddress {
  /** An IP address of this machine, without brackets. */
  readonly host: string;
  /** The port; 0 for any free port. */
  readonly port: number;
  /** The name by which the program reaches the host, such as `host.docker.internal` in a container; absent if that is `host`. */
  readonly name?: string | undefined;
}

interface SocketAddress {
  readonly path: string;
  /**
   * Called right after the socket was created, in the same turn of the event loop. So no signal is handled in between, and the
   * caller always knows whether it must remove the socket.
   */
  readonly onCreated?: () => void;
}

/** The user's choice where to listen: a port, or a socket of the file system. */
export type ListenAddress = PortAddress | SocketAddress;

const LOOPBACK = "127.0.0.1";

/** The address if the user names none. */
export const LOOPBACK_ADDRESS: PortAddress = { host: LOOPBACK, port: 0 };

/** Returns the address of a broker that listens on a port. */
export function createBrokerAddress({ host, name }: Pick<PortAddress, "host" | "name">, port: number): BrokerAddress {
  const urlHost = host.includes(":") ? `[${host}]` : host;
  const programHost = name ?? urlHost;
  const loopbackNames = host === LOOPBACK ? ["localhost"] : [];
  const names = [programHost, urlHost, ...loopbackNames].map((each) => each.toLowerCase());
  // Clients leave out 80, the default port of http.
  const hosts = names.flatMap((each) => [`${each}:${port}`, ...(port === 80 ? [each] : [])]);
  return {
    origin: new URL(`http://${programHost}:${port}`).origin,
    acceptedHosts: [...new Set(hosts)],
    ...(!isLoopbackAddress(host) && { acceptsOtherMachines: true }),
  };
}

/** Listens on an address. @throws the system's error if that fails, or if clients cannot connect to it */
export function listenOn(server: Server, address: ListenAddress): Promise<BrokerAddress> {
  return "path" in address ? listenOnSocket(server, address) : listenOnPort(server, address);
}

/**
 * The time for a connection to the address itself, which answers at once if it belongs to this machine. With
 * net.ipv4.ip_nonlocal_bind an address can be bound that belongs to no interface, and does not answer.
 */
const CONNECT_TIMEOUT_MS = 2000;

/**
 * Listens on a port, and connects to it once. The connection fails if no client can reach the port, because the interface is down.
 */
async function listenOnPort(server: Server, address: PortAddress): Promise<BrokerAddress> {
  const { host } = address;
  server.listen(address.port, host);
  await once(server, "listening");
  const boundAddress = server.address();
  if (boundAddress === null || typeof boundAddress === "string") throw new TypeError("the server has no port");
  const testConnection = connect(boundAddress.port, host);
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
  return createBrokerAddress(address, boundAddress.port);
}

/** The size of `sun_path` on macOS in bytes, without the NUL at its end. Linux has four more (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 103;

/** Returns a text that differs for a later socket at the same path; undefined if there is no socket. */
export function socketIdentity(path: string): string | undefined {
  const stat = attempt(() => lstatSync(path));
  // The inode number alone is not enough: a new file may get the number of a removed file.
  return stat?.isSocket() === true ? [stat.dev, stat.ino, stat.mtimeMs].join(":") : undefined;
}

/**
 * Listens on a socket of the file system, to which only this user can connect (0600).
 *
 * @throws the system's error if the path is taken (EADDRINUSE) or too long (ENAMETOOLONG), or the folder cannot be written
 */
async function listenOnSocket(server: Server, { path, onCreated }: SocketAddress): Promise<BrokerAddress> {
  // Node.js would silently shorten a longer path.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw Object.assign(new Error("the path of the socket is too long"), { code: "ENAMETOOLONG" });
  }
  withUmask(0o177, () => server.listen(path));
  // Binding to a path is synchronous. If it failed, `once` throws the error.
  if (server.listening) onCreated?.();
  await once(server, "listening");
  return { origin: "http://localhost", acceptedHosts: ["localhost"], isSocket: true };
}
