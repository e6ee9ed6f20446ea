/** The broker's own address, and the names by which requests are addressed to it. */
import { once } from "node:events";
import { lstatSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { isLoopbackAddress } from "../core/url.ts";
import { attempt } from "../system/errors.ts";

export interface OwnAddress {
  /** Such as `http://127.0.0.1:40123`. The program's variables have it, and answers in place of a service's own origin. */
  readonly origin: string;
  /** The accepted values of `Host`, in lower case. */
  readonly hosts: readonly string[];
  /** A socket of the file system: clients name the services themselves in `Host`. */
  readonly isSocket?: boolean;
  /** Other machines, containers and virtual machines can connect. */
  readonly isOpen?: boolean;
}

interface PortAddress {
  /** An address of this machine, without brackets. */
  readonly host: string;
  /** Zero for a free one. */
  readonly port: number;
  /** The host in the program's variables, if it is another one. */
  readonly name?: string | undefined;
}

interface SocketAddress {
  readonly path: string;
  /** Called in the turn in which the socket is made, so that no signal comes between the two. */
  readonly made?: () => void;
}

/** An address to listen on: a port, or a socket of the file system. */
export type ListenAddress = PortAddress | SocketAddress;

const LOOPBACK = "127.0.0.1";

/** The address without any option. */
export const LOOPBACK_ADDRESS: PortAddress = { host: LOOPBACK, port: 0 };

/** Returns the address of a broker that listens on this port. */
export function ownAddress({ host, name }: Pick<PortAddress, "host" | "name">, port: number): OwnAddress {
  const written = host.includes(":") ? `[${host}]` : host;
  const further = host === LOOPBACK ? ["localhost"] : [];
  const all = [name ?? written, written, ...further].map((one) => one.toLowerCase());
  return {
    origin: new URL(`http://${name ?? written}:${port}`).origin,
    // Clients leave out the usual port of http.
    hosts: [...new Set(all.flatMap((one) => [`${one}:${port}`, ...(port === 80 ? [one] : [])]))],
    ...(!isLoopbackAddress(host) && { isOpen: true }),
  };
}

/** Listens on an address. @throws the system's error if that fails, or if clients cannot connect to it */
export function listenOn(server: Server, address: ListenAddress): Promise<OwnAddress> {
  return "path" in address ? listenOnSocket(server, address) : listenOnPort(server, address);
}

/** A host of this machine answers at once; one that is not here may never do so (net.ipv4.ip_nonlocal_bind). */
const CONNECT_MS = 2000;

/** Listens on a port, to which it connects once: that fails if the interface is down. */
async function listenOnPort(server: Server, address: PortAddress): Promise<OwnAddress> {
  const { host } = address;
  server.listen(address.port, host);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("the server has no port");
  const first = connect(bound.port, host);
  const timer = setTimeout(() => {
    first.destroy(Object.assign(new Error("the own address does not answer"), { code: "ETIMEDOUT" }));
  }, CONNECT_MS);
  try {
    await once(first, "connect");
  } catch (error) {
    server.close();
    throw error;
  } finally {
    clearTimeout(timer);
    first.destroy();
  }
  return ownAddress(address, bound.port);
}

/** The bytes of `sun_path` without the NUL at its end, on macOS; Linux has four more (unix(7)). */
export const MAX_SOCKET_PATH = 103;

/** Returns what tells a socket from a later one at its path; undefined for anything else there. */
export function socketIdentity(path: string): string | undefined {
  const stat = attempt(() => lstatSync(path));
  // A new file may have the number of one that was removed.
  return stat?.isSocket() === true ? [stat.dev, stat.ino, stat.mtimeMs].join(":") : undefined;
}

/**
 * Listens on a socket of the file system, to which only this user can connect (0600).
 *
 * @throws the system's error if the path is taken (EADDRINUSE) or too long (ENAMETOOLONG), or the folder cannot be written
 */
async function listenOnSocket(server: Server, { path, made }: SocketAddress): Promise<OwnAddress> {
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
  if (server.listening) made?.();
  await once(server, "listening");
  return { origin: "http://localhost", hosts: ["localhost"], isSocket: true };
}
