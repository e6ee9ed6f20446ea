/**
 * The broker: an HTTP server to which the program sends its requests with dummy keys, on loopback unless the user names
 * another address. This file opens it and closes it. See ARCHITECTURE.md.
 *
 * The broker lives as long as the program. Within the rules, the program can use the keys through it, and so can each other process
 * that reads a dummy: the broker is no boundary against the same user. A key leaves this process only on the connection to its
 * service.
 */
import { createServer, type Server } from "node:http";
import { type Admission, admission } from "./admit.ts";
import { Exchanges } from "./exchange.ts";
import type { LocalService } from "./local.ts";
import { originsOf, type Route } from "./route.ts";
import { Guesses } from "./guesses.ts";
import { Limits } from "./key-limits.ts";
import { type ListenAddress, listenOn, LOOPBACK_ADDRESS, type OwnAddress, socketIdentity } from "./own-address.ts";
import { MAX_CONNECTIONS, Places } from "./places.ts";
import { receiveRequests } from "./receive.ts";
import type { RequestRecord } from "./request-record.ts";
import { Redirects } from "./redirects.ts";
import { ReplacedKeys } from "./replaced.ts";
import type { Services } from "./service.ts";

/** The time that a client has for the head of a request. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The interval at which Node.js looks for connections beyond that time. */
const TIMEOUT_CHECK_MS = 1000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than clients keep an idle connection. Otherwise a client may send a request while the broker closes its connection. */
const IDLE_TIMEOUT_MS = 75_000;

export interface Broker {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /**
   * Lets a service of this process answer requests on loopback, before admission. If the broker listens only on another address or
   * on a socket, this opens an address on loopback. @throws the system's error, as `listenOn`
   */
  readonly serveLocally: (service: LocalService) => Promise<OwnAddress>;
  /** Listens on a socket of the file system as well, and admits redirects there (redirects.ts). @throws the system's error, as `listenOn` */
  readonly openSocket: (path: string) => Promise<void>;
  /** Admits later requests by these routes. Requests under way keep theirs. */
  readonly replaceRoutes: (routes: readonly Route[]) => void;
  /** Ends all requests under way, and records them as left by their clients. */
  readonly close: () => void;
}

/** The functions of the caller that the broker uses. */
export interface BrokerParts extends Services {
  /** Writes a record. If it throws, the broker closes, since each use of a key must be on record. */
  readonly record: (entry: RequestRecord) => void;
  /** Called after the broker has closed because `record` threw. */
  readonly failed: (error: unknown) => void;
  /** Called when an address has sent many wrong keys, and is refused for a while. */
  readonly guessed?: (address: string) => void;
}

/** One address at which the broker listens. */
interface Listener {
  readonly server: Server;
  readonly address: OwnAddress;
  /** Clients reach it at 127.0.0.1. (The name alone is no proof: the user may give another address the name 127.0.0.1.) */
  readonly isLoopback: boolean;
  /** Returns true if another file is at the path of its socket now. */
  readonly isReplaced: () => boolean;
  /** Changes with the routes. */
  admit: Admission;
  localService?: LocalService;
}

/** Opens a broker without routes: it refuses all requests until `replaceRoutes`. @throws the system's error, as `listenOn` */
export async function openBroker(parts: BrokerParts, address: ListenAddress = LOOPBACK_ADDRESS): Promise<Broker> {
  const places = new Places(MAX_CONNECTIONS);
  const exchanges = new Exchanges(record);
  const limits = new Limits();
  const replacedKeys = new ReplacedKeys();
  /** All origins to which connections may be open. */
  const origins = new Set<string>();
  const listeners: Listener[] = [];
  let routes: readonly Route[] = [];
  let isClosed = false;
  const { origin } = await open(address);
  return { origin, serveLocally, openSocket, replaceRoutes, close };

  async function open(listenAddress: ListenAddress, redirects?: Redirects): Promise<OwnAddress> {
    const server = createLimitedServer(places);
    const ownAddress = await listenOn(server, listenAddress);
    const isReplaced = replacementCheck(listenAddress);
    const isLoopback = isReachedAtLoopback(listenAddress);
    const listener: Listener = {
      server,
      address: ownAddress,
      isLoopback,
      isReplaced,
      admit: admission(routes, ownAddress),
    };
    listeners.push(listener);
    const guesses = ownAddress.isOpen === true ? new Guesses() : undefined;
    receiveRequests(server, {
      admit: (head) => redirects?.admit(head) ?? listener.admit(head),
      local: (head) => listener.localService?.(head),
      places,
      exchanges,
      limits,
      guard: guesses && { guesses, guessed: parts.guessed ?? (() => {}) },
      services: parts,
      replaced: ({ route }, key) => replacedKeys.of(routes, parts.keyOf, [key, route.dummy]),
      redirected: (admitted, location) => {
        const redirectOrigin = redirects?.note(admitted, location, routes);
        if (redirectOrigin !== undefined) origins.add(redirectOrigin);
      },
    });
    return ownAddress;
  }

  async function serveLocally(service: LocalService): Promise<OwnAddress> {
    if (!listeners.some(({ isLoopback }) => isLoopback)) await open(LOOPBACK_ADDRESS);
    const listener = listeners.find(({ isLoopback }) => isLoopback);
    if (listener === undefined) throw new TypeError("no listener is on loopback");
    listener.localService = service;
    return listener.address;
  }

  async function openSocket(path: string): Promise<void> {
    await open({ path }, new Redirects());
  }

  function replaceRoutes(newRoutes: readonly Route[]): void {
    for (const each of newRoutes.flatMap(originsOf)) origins.add(each);
    routes = newRoutes;
    for (const listener of listeners) listener.admit = admission(newRoutes, listener.address);
  }

  function record(entry: RequestRecord): void {
    try {
      parts.record(entry);
    } catch (error) {
      if (isClosed) return;
      close();
      parts.failed(error);
    }
  }

  function close(): void {
    isClosed = true;
    for (const { server, isReplaced } of listeners) {
      // `close` removes the file at the path of the socket, even if another process has put its own there.
      if (isReplaced()) server.on("connection", (connection) => connection.destroy()).unref();
      else server.close();
    }
    exchanges.leave();
    places.clear();
    for (const each of origins) parts.agentFor(each).destroy();
  }
}

/** Returns true if clients can reach the address at 127.0.0.1. */
function isReachedAtLoopback(address: ListenAddress): boolean {
  if ("path" in address) return false;
  return [address.host, address.name ?? address.host].every((host) => host === LOOPBACK_ADDRESS.host);
}

/** Returns a function that tells whether the socket at a path is another one than now; never true for a port. */
function replacementCheck(address: ListenAddress): () => boolean {
  if (!("path" in address)) return () => false;
  const identity = socketIdentity(address.path);
  return () => socketIdentity(address.path) !== identity;
}

/** Returns a server that closes each connection for which there is no place. */
function createLimitedServer(places: Places): Server {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // The broker refuses such a request with an answer of its own.
    requireHostHeader: false,
    noDelay: true,
  });
  // The bytes of headers are limited instead. By default Node.js silently drops the headers after the thousandth.
  server.maxHeadersCount = 0;
  server.on("connection", (connection) => {
    // `server.maxConnections` cannot replace this: Bun ignores it.
    if (!places.take(connection)) connection.destroy();
  });
  return server;
}
