/**
 * The agent behind the HTTP client: it gives `http.request` connections to one origin, which it keeps for later requests.
 *
 *     const connector = new Connector(new URL("https://api.pulumi.com"), network, limit, remark);
 *     connector.connectEarly(); // optional: connects while the caller still loads modules
 *     http.request({ agent: connector, path: "/api/user" });
 *     connector.destroy();
 */
import * as http from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connectTo, routeTo } from "./connect.ts";
import type { TimeLimit } from "./limit.ts";
import { authority, type NetworkSettings } from "./network-settings.ts";

/** The callback by which Node.js receives the connection for a request, or the reason why there is none. */
type ConnectionCallback = (error: Error | null, stream: Duplex) => void;

/** The time in ms for the first address of a host with several addresses. Node.js has the same default. */
const FIRST_ADDRESS_MS = 250;

/** An agent for one origin. For an https origin it hands out verified TLS connections, so requests use plain `node:http`. */
export class Connector extends http.Agent {
  readonly #target: URL;
  readonly #network: NetworkSettings;
  readonly #limit: TimeLimit;
  readonly #remark: (text: string) => void;
  /** The connection that `connectEarly` began; undefined once a request has taken it. */
  #earlyConnection: Promise<Socket> | undefined;
  #failedConnections = 0;
  #hasConnected = false;

  constructor(
    target: URL,
    network: NetworkSettings,
    limit: TimeLimit,
    remark: (text: string) => void,
    options?: http.AgentOptions,
  ) {
    super({ keepAlive: true, ...options });
    this.#target = target;
    this.#network = network;
    this.#limit = limit;
    this.#remark = remark;
  }

  /** Begins the connection of the first request now. A failure is reported to that request. */
  connectEarly(): void {
    this.#earlyConnection = this.#open();
    // Without this listener a failure before the first request would end the process.
    this.#earlyConnection.catch(() => {});
  }

  /** Called by Node.js for each request that finds no idle connection. */
  override createConnection(_: http.ClientRequestArgs, callback: ConnectionCallback = () => {}): undefined {
    void this.#supply(callback);
  }

  async #supply(callback: ConnectionCallback): Promise<void> {
    const earlyConnection = this.#earlyConnection;
    this.#earlyConnection = undefined;
    let socket: Socket | undefined;
    try {
      socket = await earlyConnection;
      // The server may have closed the early connection meanwhile. A request on a closed connection would never end.
      if (socket === undefined || socket.destroyed) socket = await this.#open();
    } catch (error) {
      // Node.js ignores the stream if there is an error, but the type requires one.
      return callback(error instanceof Error ? error : new TypeError("no error"), new Duplex());
    }
    callback(null, socket);
  }

  /** Closes all connections, including an early one that no request has taken. */
  override destroy(): void {
    super.destroy();
    this.#earlyConnection?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  /** Returns the proxy that expects the whole URL in each request, as proxies do for plain http; undefined for https. */
  async proxyOfRequests(): Promise<URL | undefined> {
    if (this.#target.protocol === "https:") return undefined;
    const route = await routeTo(this.#target, this.#network);
    return route.kind === "proxy" ? route.proxy : undefined;
  }

  async #open(): Promise<Socket> {
    const step = this.#limit.step();
    try {
      const socket = await connectTo(this.#target, this.#network, {
        signal: step.signal,
        // On slow links 250 ms never suffice, so the time grows with each failure. At its maximum of 4 s the five seconds of a
        // step still suffice to begin with a second address.
        addressMs: FIRST_ADDRESS_MS * 4 ** Math.min(this.#failedConnections, 2),
        unreached: !this.#hasConnected,
        // Only the first connection reports its remarks: those of a retry would be the same.
        remark: (text) => this.#failedConnections > 0 || this.#remark(text),
      });
      this.#hasConnected = true;
      return socket;
    } catch (error) {
      this.#failedConnections += 1;
      // The step's own time limit is the reason if it has passed; otherwise the error is.
      throw step.fault(`connecting to ${authority(this.#target)}`, !this.#hasConnected) ?? error;
    } finally {
      step.done();
    }
  }
}
