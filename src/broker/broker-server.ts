/**
 * Opens and closes the broker, for `run --broker`. The broker is an HTTP server to which the program sends its requests with
 * dummies in place of API keys. The broker puts the keys in and passes the requests on (receive.ts). It listens on loopback unless
 * the user names another address. See ARCHITECTURE.md.
 *
 * The broker lives as long as the program. Within the rules, the program can use the keys through it, and so can each other process
 * that reads a dummy: the broker is no boundary between processes of the same user. A key leaves this process only on the
 * connection to its service.
 */
import { createServer, type Server } from "node:http";
import { type Admission, createAdmission } from "./admit.ts";
import { Exchanges } from "./exchange.ts";
import type { LocalService } from "./local-service.ts";
import { originsOf, type Route } from "./route.ts";
import { GuessCounter } from "./guesses.ts";
import { KeyLimits } from "./key-limits.ts";
import { type ListenAddress, listenOn, LOOPBACK_ADDRESS, type BrokerAddress, socketIdentity } from "./broker-listen.ts";
import { MAX_CONNECTIONS, ConnectionPlaces } from "./connection-places.ts";
import { receiveRequests } from "./receive.ts";
import type { RequestRecord } from "./request-record.ts";
import { Redirects } from "./redirects.ts";
import { ReplaceableKeyCache } from "./replace-keys.ts";
import type { Services } from "./service-request.ts";

/** The time that a client has for the head of a request. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The interval at which Node.js looks for connections beyond that time. */
const TIMEOUT_CHECK_MS = 1000;
/** The limit on the headers of a request. It is the default of Node.js. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than clients keep an idle connection. Otherwise a client may send a request while the broker closes its connection. */
const IDLE_TIMEOUT_MS = 75_000;

/** An open broker. */
export interface Broker {
  /** The origin by which the program reaches the broker, such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /**
   * Lets a service of this process answer requests on loopback, before admission. If the broker listens only on another address or
   * on a socket, this opens an address on loopback.
   *
   * @returns the address on loopback
   * @throws the system's error, as `listenOn`
   */
  readonly serveLocally: (service: LocalService) => Promise<BrokerAddress>;
  /**
   * Listens on a socket of the file system as well, and admits redirects there (redirects.ts).
   *
   * @throws the system's error, as `listenOn`
   */
  readonly openSocket: (path: string) => Promise<void>;
  /** Admits later requests by these routes. Requests under way keep theirs. */
  readonly replaceRoutes: (routes: readonly Route[]) => void;
  /** Ends all requests under way, and records them as left by their clients. */
  readonly close: () => void;
}

/** The functions that the broker calls, from the code that opens it: keys, connections, and reports. */
export interface BrokerOptions extends Services {
  /** Writes a record. If it throws, the broker closes, since each use of a key must be on record. */
  readonly record: (entry: RequestRecord) => void;
  /** Called after the broker has closed because `record` threw. */
  readonly reportRecordFailure: (error: unknown) => void;
  /** Called when an address has sent many wrong keys, and is refused for a while. */
  readonly warnOfGuesses?: (address: string) => void;
}

/** One address at which the broker listens. */
interface Listener {
  readonly server: Server;
  readonly address: BrokerAddress;
  /** True if clients reach the address at 127.0.0.1. (The name alone is no proof: the user may give another address that name.) */
  readonly isLoopback: boolean;
  /** Returns true if another file is now at the path of the listener's socket. */
  readonly isSocketReplaced: () => boolean;
  /** Decides about the requests at this address. Replaced together with the routes. */
  admit: Admission;
  localService?: LocalService;
}

/** Opens a broker without routes: it refuses all requests until `replaceRoutes`. @throws the system's error, as `listenOn` */
export async function openBroker(options: BrokerOptions, address: ListenAddress = LOOPBACK_ADDRESS): Promise<Broker> {
  const broker = new RunningBroker(options);
  const { origin } = await broker.listen(address);
  return {
    origin,
    serveLocally: (service) => broker.serveLocally(service),
    openSocket: async (path) => void (await broker.listen({ path }, new Redirects())),
    replaceRoutes: (routes) => broker.replaceRoutes(routes),
    close: () => broker.close(),
  };
}

class RunningBroker {
  readonly #options: BrokerOptions;
  readonly #places = new ConnectionPlaces(MAX_CONNECTIONS);
  readonly #exchanges = new Exchanges((entry) => this.#record(entry));
  readonly #limits = new KeyLimits();
  readonly #replacedKeys = new ReplaceableKeyCache();
  readonly #listeners: Listener[] = [];
  /** All origins to which connections may be open. */
  readonly #origins = new Set<string>();
  #routes: readonly Route[] = [];
  #isClosed = false;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Listens on an address. @param redirects admits redirects there; undefined if only keys admit requests */
  async listen(listenAddress: ListenAddress, redirects?: Redirects): Promise<BrokerAddress> {
    const server = createLimitedServer(this.#places);
    const address = await listenOn(server, listenAddress);
    const listener: Listener = {
      server,
      address,
      isLoopback: isReachedAtLoopback(listenAddress),
      isSocketReplaced: createSocketReplacedCheck(listenAddress),
      admit: createAdmission(this.#routes, address),
    };
    this.#listeners.push(listener);
    const { warnOfGuesses = () => {} } = this.#options;
    receiveRequests(server, {
      admit: (head) => redirects?.admit(head) ?? listener.admit(head),
      answerLocally: (head) => listener.localService?.(head),
      places: this.#places,
      exchanges: this.#exchanges,
      limits: this.#limits,
      guessGuard:
        address.acceptsOtherMachines === true ? { guessCounter: new GuessCounter(), warnOfGuesses } : undefined,
      services: this.#options,
      findReplaceableKeys: ({ route }, key) =>
        this.#replacedKeys.findKeys(this.#routes, this.#options.keyOf, [key, route.dummy]),
      noteRedirect: (admitted, location) => {
        const redirectOrigin = redirects?.noteLocation(admitted, location, this.#routes);
        if (redirectOrigin !== undefined) this.#origins.add(redirectOrigin);
      },
    });
    return address;
  }

  async serveLocally(service: LocalService): Promise<BrokerAddress> {
    if (!this.#listeners.some(({ isLoopback }) => isLoopback)) await this.listen(LOOPBACK_ADDRESS);
    const listener = this.#listeners.find(({ isLoopback }) => isLoopback);
    if (listener === undefined) throw new TypeError("no listener is on loopback");
    listener.localService = service;
    return listener.address;
  }

  replaceRoutes(routes: readonly Route[]): void {
    for (const origin of routes.flatMap(originsOf)) this.#origins.add(origin);
    this.#routes = routes;
    for (const listener of this.#listeners) listener.admit = createAdmission(routes, listener.address);
  }

  close(): void {
    this.#isClosed = true;
    for (const { server, isSocketReplaced } of this.#listeners) {
      // `server.close` removes the file at the path of the socket, even if another process has put its own file there.
      if (isSocketReplaced()) server.on("connection", (connection) => connection.destroy()).unref();
      else server.close();
    }
    this.#exchanges.recordAllAsLeft();
    this.#places.closeConnections();
    for (const origin of this.#origins) this.#options.agentFor(origin).destroy();
  }

  #record(entry: RequestRecord): void {
    try {
      this.#options.record(entry);
    } catch (error) {
      // `close` itself records the requests under way. An error in these records must not close the broker again.
      if (this.#isClosed) return;
      this.close();
      this.#options.reportRecordFailure(error);
    }
  }
}

/** Returns true if clients can reach the address at 127.0.0.1. */
function isReachedAtLoopback(address: ListenAddress): boolean {
  if ("path" in address) return false;
  const { host, name = host } = address;
  return host === LOOPBACK_ADDRESS.host && name === LOOPBACK_ADDRESS.host;
}

/**
 * Returns a function that returns true if the socket at a path is no longer the socket that is there now; always false for a port.
 */
function createSocketReplacedCheck(address: ListenAddress): () => boolean {
  if (!("path" in address)) return () => false;
  const identity = socketIdentity(address.path);
  return () => socketIdentity(address.path) !== identity;
}

/** Returns a server that closes each connection for which there is no place. */
function createLimitedServer(places: ConnectionPlaces): Server {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // The broker itself refuses a request without a Host header, with a message that explains the problem.
    requireHostHeader: false,
    noDelay: true,
  });
  // `maxHeaderSize` limits the headers instead. By default Node.js silently drops all headers after the thousandth.
  server.maxHeadersCount = 0;
  server.on("connection", (connection) => {
    // `server.maxConnections` cannot replace this: Bun ignores it.
    if (!places.takePlace(connection)) connection.destroy();
  });
  return server;
}
