/**
 * The broker: an HTTP server to which the program sends its requests with dummy keys, on loopback unless the user names
 * another address. See ARCHITECTURE.md.
 *
 * It lives as long as the program. The program can use the keys through it as the rules allow, and so can each process that
 * reads a dummy: it is no boundary against the same user. A key leaves this process on the connection to its service alone.
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

const HEADERS_MS = 10_000;
const CHECK_MS = 1000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than clients keep an idle connection: otherwise a request may meet the end of its connection. */
const IDLE_MS = 75_000;

export interface Broker {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /**
   * Has a service of this process answer requests on loopback, before admission: at this origin, or at one more if this is
   * another address or a socket. @throws the system's error, as `listenOn`
   */
  readonly serveLocally: (service: LocalService) => Promise<OwnAddress>;
  /** Listens on a socket of the file system as well, and serves redirects there. @throws the system's error, as `listenOn` */
  readonly openSocket: (path: string) => Promise<void>;
  /** Admits later requests by these routes. Requests under way keep theirs. */
  readonly replaceRoutes: (routes: readonly Route[]) => void;
  /** Records all requests under way as left, and ends them. */
  readonly close: () => void;
}

export interface BrokerParts extends Services {
  /** Throws if a record cannot be written: then the broker closes, since each use must be on record. */
  readonly record: (entry: RequestRecord) => void;
  /** The broker has closed for that reason. */
  readonly failed: (error: unknown) => void;
  /** An address has sent many wrong keys, and is refused for a while. */
  readonly guessed?: (address: string) => void;
}

/** One address of the broker. */
interface Door {
  readonly server: Server;
  readonly own: OwnAddress;
  /** It is reached as 127.0.0.1. Its name says nothing: the user may name another address so. */
  readonly isLoopback: boolean;
  /** Something else has taken the path of its socket. */
  readonly isReplaced: () => boolean;
  admit: Admission;
  local?: LocalService;
}

/** Listens on an address. @throws the system's error, as `listenOn` */
export async function openBroker(parts: BrokerParts, address: ListenAddress = LOOPBACK_ADDRESS): Promise<Broker> {
  const places = new Places(MAX_CONNECTIONS);
  const exchanges = new Exchanges(record);
  const limits = new Limits();
  const replacedKeys = new ReplacedKeys();
  const origins = new Set<string>();
  const doors: Door[] = [];
  let routes: readonly Route[] = [];
  let isClosed = false;
  const { origin } = await open(address);
  return { origin, serveLocally, openSocket, replaceRoutes, close };

  async function open(at: ListenAddress, redirects?: Redirects): Promise<OwnAddress> {
    const server = serverFor(places);
    const own = await listenOn(server, at);
    const isLoopback = "host" in at && [at.host, at.name ?? at.host].every((host) => host === LOOPBACK_ADDRESS.host);
    const identity = "path" in at ? socketIdentity(at.path) : undefined;
    const isReplaced = (): boolean => "path" in at && socketIdentity(at.path) !== identity;
    const door: Door = { server, own, isLoopback, isReplaced, admit: admission(routes, own) };
    doors.push(door);
    const guesses = own.isOpen === true ? new Guesses() : undefined;
    receiveRequests(server, {
      admit: (head) => redirects?.admit(head) ?? door.admit(head),
      local: (head) => door.local?.(head),
      places,
      exchanges,
      limits,
      guard: guesses && { guesses, guessed: parts.guessed ?? (() => {}) },
      services: parts,
      replaced: ({ route }, key) => replacedKeys.of(routes, parts.keyOf, [key, route.dummy]),
      redirected: (admitted, location) => {
        const target = redirects?.note(admitted, location, routes);
        if (target !== undefined) origins.add(target);
      },
    });
    return own;
  }

  async function serveLocally(service: LocalService): Promise<OwnAddress> {
    if (!doors.some(({ isLoopback }) => isLoopback)) await open(LOOPBACK_ADDRESS);
    const door = doors.find(({ isLoopback }) => isLoopback);
    if (door === undefined) throw new TypeError("no door is on loopback");
    door.local = service;
    return door.own;
  }

  async function openSocket(path: string): Promise<void> {
    await open({ path }, new Redirects());
  }

  function replaceRoutes(next: readonly Route[]): void {
    for (const each of next.flatMap(originsOf)) origins.add(each);
    routes = next;
    for (const door of doors) door.admit = admission(next, door.own);
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
    for (const { server, isReplaced } of doors) {
      // Node.js would remove what is at the path by now.
      if (isReplaced()) server.on("connection", (connection) => connection.destroy()).unref();
      else server.close();
    }
    exchanges.leave();
    places.clear();
    for (const each of origins) parts.agentFor(each).destroy();
  }
}

/** Returns a server whose connections have a place, each, or are closed. */
function serverFor(places: Places): Server {
  const server = createServer({
    headersTimeout: HEADERS_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // Refused with the broker's own answer.
    requireHostHeader: false,
    noDelay: true,
  });
  // Their bytes are limited; by default Node.js drops those behind the thousandth in silence.
  server.maxHeadersCount = 0;
  server.on("connection", (connection) => {
    // Counted here: Bun ignores server.maxConnections.
    if (!places.take(connection)) connection.destroy();
  });
  return server;
}
