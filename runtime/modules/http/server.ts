/**
 * The class Server of node:http: a server of node:net that reads its connections as HTTP. It emits 'request' with each request and
 * the response to it, and ends connections whose client takes too long to send a request.
 */
import { natives } from "../../native.ts";
import * as net from "../net.ts";
import { ServerConnection, type ConnectionServer } from "./server-connection.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { ServerResponse } from "./response.ts";

interface Natives {
  /** Returns the milliseconds of a clock that only advances. */
  readonly now: () => number;
}

const native = natives<Natives>();

/** Timeouts are in milliseconds. 0 means no limit. */
export interface ServerOptions {
  /** The time in which a client must send the head of a request. */
  readonly headersTimeout?: number | undefined;
  /** The time in which a client must send a whole request. */
  readonly requestTimeout?: number | undefined;
  /** The time after which an idle connection is ended. */
  readonly keepAliveTimeout?: number | undefined;
  /** The time between two checks of `headersTimeout` and `requestTimeout`. They may be exceeded by that time. */
  readonly connectionsCheckingInterval?: number | undefined;
  readonly maxHeaderSize?: number | undefined;
  readonly requireHostHeader?: boolean | undefined;
  readonly insecureHTTPParser?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
}

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

export class Server extends net.Server implements ConnectionServer {
  headersTimeout: number;
  requestTimeout: number;
  keepAliveTimeout: number;
  /** The number of fields that are kept of a request; 0 for no limit, null for the default. */
  maxHeadersCount: number | null = null;
  /** The milliseconds without a byte after which a connection is ended, unless a listener handles 'timeout'; 0 for no limit. */
  timeout = 0;
  readonly maxHeaderSize: number | undefined;
  readonly requireHostHeader: boolean;
  readonly #connections = new Set<ServerConnection>();
  readonly #checkIntervalMs: number;
  #checkTimer: NodeJS.Timeout | undefined;

  constructor(options: ServerOptions = {}, listener?: RequestListener) {
    // ServerConnection itself ends the connection when the client's side has ended.
    super({ allowHalfOpen: true, noDelay: options.noDelay ?? true });
    if (options.insecureHTTPParser === true) throw new TypeError("insecureHTTPParser is not supported");
    this.requestTimeout = options.requestTimeout ?? 300_000;
    this.headersTimeout = options.headersTimeout ?? Math.min(60_000, this.requestTimeout);
    this.keepAliveTimeout = options.keepAliveTimeout ?? 5000;
    this.#checkIntervalMs = options.connectionsCheckingInterval ?? 30_000;
    this.maxHeaderSize = options.maxHeaderSize;
    this.requireHostHeader = options.requireHostHeader ?? true;
    if (listener !== undefined) this.on("request", listener);
    this.on("connection", (socket: net.Socket) => {
      const connection = new ServerConnection(this, socket, () => this.#connections.delete(connection));
      this.#connections.add(connection);
    });
    this.on("listening", () => {
      // A server may listen again after it was closed.
      clearInterval(this.#checkTimer);
      this.#checkTimer = setInterval(() => this.#endOverdueConnections(), this.#checkIntervalMs).unref();
    });
  }

  #endOverdueConnections(): void {
    const nowMs = native.now();
    for (const connection of this.#connections) connection.endIfOverdue(nowMs);
  }

  /** Accepts no further connections, and ends the idle ones. */
  override close(callback?: (error?: Error) => void): this {
    this.closeIdleConnections();
    clearInterval(this.#checkTimer);
    return super.close(callback);
  }

  closeIdleConnections(): void {
    for (const { isIdle, socket } of this.#connections) if (isIdle) socket.destroy();
  }

  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms;
    if (callback !== undefined) this.on("timeout", callback);
    return this;
  }
}
