import * as http from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connectTo, routeTo } from "./connect.ts";
import type { TimeLimit } from "./limit.ts";
import { authority, type NetworkSettings } from "./network-settings.ts";

type Callback = (error: Error | null, stream: Duplex) => void;

/** Keeps connections to one origin for `http.request`; those for https are already verified TLS. */
export class Connector extends http.Agent {
  readonly #target: URL;
  readonly #network: NetworkSettings;
  readonly #limit: TimeLimit;
  readonly #remark: (text: string) => void;
  #early: Promise<Socket> | undefined;
  #failures = 0;
  #reached = false;

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

  /** Begins a connection for the first request, while modules are loaded. */
  connectEarly(): void {
    this.#early = this.#open();
    this.#early.catch(() => {});
  }

  override createConnection(_: http.ClientRequestArgs, callback: Callback = () => {}): undefined {
    void this.#supply(callback);
  }

  async #supply(callback: Callback): Promise<void> {
    const early = this.#early;
    this.#early = undefined;
    let socket: Socket | undefined;
    try {
      socket = await early;
      // A request on a connection that has ended meanwhile would never end.
      if (socket === undefined || socket.destroyed) socket = await this.#open();
    } catch (error) {
      // Node ignores the stream if there is an error; the type requires one.
      return callback(error instanceof Error ? error : new TypeError("no error"), new Duplex());
    }
    callback(null, socket);
  }

  /** Ends all connections, also one that no request took. */
  override destroy(): void {
    super.destroy();
    this.#early?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  /** Returns the proxy to which requests are sent with the whole URL in them: that for plain http. */
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
        // The default of 250 ms always fails on slow links, so it grows; two addresses still fit into the limit.
        addressMs: 250 * 4 ** Math.min(this.#failures, 2),
        unreached: !this.#reached,
        remark: (text) => this.#failures > 0 || this.#remark(text),
      });
      this.#reached = true;
      return socket;
    } catch (error) {
      this.#failures += 1;
      throw step.fault(`connecting to ${authority(this.#target)}`, !this.#reached) ?? error;
    } finally {
      step.done();
    }
  }
}
