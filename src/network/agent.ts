/**
 * An agent for `http.request` that opens connections to one origin, through the user's proxies and with the certificates that the
 * user trusts. It keeps each connection for later requests. The HTTP client (http.ts) and the broker's pool (pool.ts) use it.
 *
 *     const connector = new Connector(new URL("https://api.pulumi.com"), network, limit, warn);
 *     connector.connectEarly(); // optional: connects while the caller still loads modules
 *     http.request({ agent: connector, path: "/api/user" });
 *     connector.destroy();
 */
import * as http from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connectTo, findRoute } from "./connect.ts";
import type { TimeLimit } from "./limit.ts";
import { hostAndPortOf, type NetworkSettings } from "./network-settings.ts";

/** The callback of Node.js that receives the connection for a request, or the error that prevented it. */
type ConnectionCallback = (error: Error | null, stream: Duplex) => void;

/** The time limit for connecting to one address of a host with several addresses. Node.js has the same default. */
const ADDRESS_MS = 250;

/**
 * An agent for one origin. For an https origin, too, requests use `node:http`, because the agent's connections already have TLS
 * and a verified server.
 */
export class Connector extends http.Agent {
  readonly #target: URL;
  readonly #network: NetworkSettings;
  readonly #limit: TimeLimit;
  readonly #warn: (text: string) => void;
  /** The connection that `connectEarly` began; undefined once a request has taken it. */
  #earlyConnection: Promise<Socket> | undefined;
  #failedConnections = 0;
  #hasConnected = false;

  /** @param warn called with each warning, such as of a certificate file that cannot be used */
  constructor(
    target: URL,
    network: NetworkSettings,
    limit: TimeLimit,
    warn: (text: string) => void,
    options?: http.AgentOptions,
  ) {
    super({ keepAlive: true, ...options });
    this.#target = target;
    this.#network = network;
    this.#limit = limit;
    this.#warn = warn;
  }

  /** Begins to connect before the first request. That request gets the connection, or the error. */
  connectEarly(): void {
    this.#earlyConnection = this.#open();
    // Without this listener a failure before the first request would end the process.
    this.#earlyConnection.catch(() => {});
  }

  /** Called by Node.js for each request that finds no idle connection. */
  override createConnection(_options: http.ClientRequestArgs, callback: ConnectionCallback = () => {}): undefined {
    void this.#supply(callback);
  }

  async #supply(callback: ConnectionCallback): Promise<void> {
    const earlyConnection = this.#earlyConnection;
    this.#earlyConnection = undefined;
    let socket: Socket | undefined;
    try {
      socket = await earlyConnection;
      // Without an early connection, `socket` is undefined. If the server has closed the early connection meanwhile, a request on it
      // would never end.
      if (socket === undefined || socket.destroyed) socket = await this.#open();
    } catch (error) {
      // The type requires a stream, which Node.js ignores if there is an error.
      return callback(error instanceof Error ? error : new TypeError("connecting threw no Error"), new Duplex());
    }
    callback(null, socket);
  }

  /** Closes all connections, including an early one that no request has taken. */
  override destroy(): void {
    super.destroy();
    this.#earlyConnection?.then(
      (socket) => socket.destroy(),
      // No request needs the connection, so that its failure does not matter.
      () => {},
    );
  }

  /**
   * Returns the proxy to which requests are sent, if there is one. Such a proxy expects the whole URL in each request. Undefined
   * for an https origin, since those requests are sent to the server through a tunnel.
   */
  async proxyOfRequests(): Promise<URL | undefined> {
    if (this.#target.protocol === "https:") return undefined;
    const route = await findRoute(this.#target, this.#network);
    return route.kind === "proxy" ? route.proxy : undefined;
  }

  async #open(): Promise<Socket> {
    const step = this.#limit.step();
    try {
      const socket = await connectTo(this.#target, this.#network, {
        signal: step.signal,
        // 250 ms are too short on slow links, so the time grows with each failure: 250 ms, 1 s, 4 s. A step of five seconds then
        // still leaves time for a second address.
        addressMs: ADDRESS_MS * 4 ** Math.min(this.#failedConnections, 2),
        unreached: !this.#hasConnected,
        // A retry would report the same warnings again.
        warn: (text) => this.#failedConnections > 0 || this.#warn(text),
      });
      this.#hasConnected = true;
      return socket;
    } catch (error) {
      this.#failedConnections += 1;
      // If the step's time limit has passed, `error` only says that the connection was aborted.
      throw step.fault(`connecting to ${hostAndPortOf(this.#target)}`, !this.#hasConnected) ?? error;
    } finally {
      step.done();
    }
  }
}
