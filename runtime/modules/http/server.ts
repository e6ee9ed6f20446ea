import { codedError } from "../../errors.ts";
import { natives } from "../../native.ts";
import * as net from "../net.ts";
import { Connection, type ConnectionServer } from "./connection.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { ServerResponse } from "./response.ts";

interface Natives {
  readonly now: () => number;
}

const native = natives<Natives>();

/** Times are in milliseconds; 0 is no limit. */
export interface ServerOptions {
  readonly headersTimeout?: number | undefined;
  readonly requestTimeout?: number | undefined;
  readonly keepAliveTimeout?: number | undefined;
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
  /** The number of fields that a request may have; further ones are dropped. All are kept if it is 0. */
  maxHeadersCount: number | null = null;
  timeout = 0;
  readonly maxHeaderSize: number | undefined;
  readonly requireHostHeader: boolean;
  readonly #connections = new Set<Connection>();
  readonly #checkMs: number;
  #checking: NodeJS.Timeout | undefined;

  constructor(options: ServerOptions = {}, listener?: RequestListener) {
    super({ allowHalfOpen: true, noDelay: options.noDelay ?? true });
    if (options.insecureHTTPParser === true) throw new TypeError("insecureHTTPParser is not supported");
    this.requestTimeout = options.requestTimeout ?? 300_000;
    this.headersTimeout = options.headersTimeout ?? Math.min(60_000, this.requestTimeout);
    this.keepAliveTimeout = options.keepAliveTimeout ?? 5000;
    this.#checkMs = options.connectionsCheckingInterval ?? 30_000;
    this.maxHeaderSize = options.maxHeaderSize;
    this.requireHostHeader = options.requireHostHeader ?? true;
    if (listener !== undefined) this.on("request", listener);
    this.on("connection", (socket: net.Socket) => {
      const connection = new Connection(this, socket, () => this.#connections.delete(connection));
      this.#connections.add(connection);
    });
    this.on("listening", () => {
      clearInterval(this.#checking);
      this.#checking = setInterval(() => this.#check(), this.#checkMs).unref();
    });
  }

  #check(): void {
    const now = native.now();
    for (const connection of this.#connections) {
      if (!connection.isOverdue(now, this.headersTimeout, this.requestTimeout)) continue;
      connection.fail(codedError("ERR_HTTP_REQUEST_TIMEOUT", "Request timeout"));
    }
  }

  override close(callback?: (error?: Error) => void): this {
    this.closeIdleConnections();
    clearInterval(this.#checking);
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
