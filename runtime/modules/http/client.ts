import { codedError, AbortError } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import * as net from "../net.ts";
import { finished } from "../stream.ts";
import { Exchange, hangUp } from "./exchange.ts";
import { type HeaderList, isToken, isList, pairsOf } from "./headers.ts";
import type { IncomingMessage } from "./incoming.ts";
import { OutgoingMessage } from "./outgoing.ts";
import type { HttpSocket } from "./socket.ts";

export interface RequestOptions {
  readonly agent?: RequestAgent | null | false | undefined;
  readonly createConnection?:
    | ((
        options: RequestOptions,
        callback: (error: Error | null, socket?: HttpSocket) => void,
      ) => HttpSocket | undefined)
    | undefined;
  readonly method?: string | undefined;
  readonly protocol?: string | null | undefined;
  readonly host?: string | null | undefined;
  readonly hostname?: string | null | undefined;
  readonly port?: number | string | null | undefined;
  readonly defaultPort?: number | string | undefined;
  readonly path?: string | null | undefined;
  readonly socketPath?: string | undefined;
  readonly setHost?: boolean | undefined;
  readonly headers?: HeaderList | undefined;
  readonly auth?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly maxHeaderSize?: number | undefined;
  readonly insecureHTTPParser?: boolean | undefined;
}

/** The part of an agent that a request uses. */
export interface RequestAgent {
  readonly protocol: string;
  readonly defaultPort: number;
  readonly keepAlive: boolean;
  readonly maxSockets: number;
  readonly options: { readonly timeout?: number | undefined };
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

export class ClientRequest extends OutgoingMessage {
  readonly agent: RequestAgent | null;
  readonly method: string;
  readonly host: string;
  readonly protocol: string;
  readonly path: string;
  readonly timeout: number | undefined;
  /** The greatest number of the answer's fields; 0 for any. */
  maxHeadersCount: number | null = null;
  reusedSocket = false;
  aborted = false;
  res: IncomingMessage | null = null;
  readonly maxHeaderSize: number | undefined;
  #exchange: Exchange | undefined;
  /** A time limit was set before there was a connection. */
  #wantsTimeout = false;

  constructor(options: RequestOptions, defaultAgent: RequestAgent, callback?: (response: IncomingMessage) => void) {
    super();
    const isOwn = typeof options.createConnection === "function";
    this.agent = options.agent === false ? null : (options.agent ?? (isOwn ? null : defaultAgent));
    this.protocol = options.protocol ?? defaultAgent.protocol;
    const expected = this.agent?.protocol ?? defaultAgent.protocol;
    if (this.protocol !== expected) {
      const message = `Protocol "${this.protocol}" not supported. Expected "${expected}"`;
      throw codedError("ERR_INVALID_PROTOCOL", message, TypeError);
    }
    if (options.insecureHTTPParser === true) throw new TypeError("insecureHTTPParser is not supported");
    this.path = options.path || "/";
    if (/[^\u0021-\u00ff]/.test(this.path)) {
      throw codedError("ERR_UNESCAPED_CHARACTERS", "Request path contains unescaped characters", TypeError);
    }
    const method = options.method || "GET";
    if (!isToken(method)) {
      throw codedError("ERR_INVALID_HTTP_TOKEN", `Method must be a valid HTTP token ["${String(method)}"]`, TypeError);
    }
    this.method = method.toUpperCase();
    this.host = options.hostname || options.host || "localhost";
    this.timeout = options.timeout;
    this.maxHeaderSize = options.maxHeaderSize;
    this.useChunkedEncodingByDefault = !WITHOUT_BODY.has(this.method);
    if (callback !== undefined) this.once("response", callback);
    if (options.signal !== undefined) this.#endBy(options.signal);
    this.isAgents = this.agent !== null;
    this.shouldKeepAlive = this.agent !== null && (this.agent.keepAlive || Number.isFinite(this.agent.maxSockets));
    this.isLast = !this.shouldKeepAlive;
    const defaultPort = options.defaultPort ?? this.agent?.defaultPort;
    const port = options.port || defaultPort || 80;
    this.#setHeaders(options, Number(port) === Number(defaultPort) ? undefined : port);
    // The signal is that of the request, not of the connection.
    const rest = { ...options, port, host: this.host, signal: undefined };
    if (this.agent !== null) this.agent.addRequest(this, rest);
    else this.#connect(rest);
  }

  #endBy(signal: AbortSignal): void {
    const abort = (): void => void this.destroy(new AbortError(signal.reason));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    this.once("close", () => signal.removeEventListener("abort", abort));
  }

  #setHeaders({ headers, setHost, auth }: RequestOptions, port: number | string | undefined): void {
    if (headers !== undefined && isList(headers)) return this.storeHeader(this.#line(), headers);
    for (const [name, value] of pairsOf(headers ?? {})) this.setHeader(name, value);
    if (setHost !== false && !this.hasHeader("host")) {
      const isIPv6 = this.host.split(":").length > 2 && !this.host.startsWith("[");
      const host = isIPv6 ? `[${this.host}]` : this.host;
      this.setHeader("Host", port === undefined ? host : `${host}:${port}`);
    }
    if (auth && !this.hasHeader("authorization")) {
      this.setHeader("Authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
    }
    if (this.hasHeader("expect")) this.storeHead();
  }

  #line(): string {
    return `${this.method} ${this.path} HTTP/1.1\r\n`;
  }

  protected override storeHead(): void {
    this.storeHeader(this.#line());
  }

  /** Connects without an agent. */
  #connect(options: RequestOptions): void {
    this.isLast = true;
    this.shouldKeepAlive = false;
    const { createConnection, path: _, socketPath, ...rest } = options;
    let isDone = false;
    const done = (error: Error | null, socket?: HttpSocket): void => {
      if (isDone) return;
      isDone = true;
      if (error !== null) nextTick(() => this.emit("error", error));
      else if (socket !== undefined) this.onSocket(socket);
    };
    if (createConnection === undefined) {
      return this.onSocket(net.connect({ ...rest, host: this.host, port: rest.port ?? 80, path: socketPath }));
    }
    try {
      const socket = createConnection(options, done);
      if (socket !== undefined) done(null, socket);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    nextTick(() => this.emit("abort"));
    this.destroy();
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.res?.dump();
    this.errored = error ?? null;
    this.socket?.destroy(error);
    return this;
  }

  /** Gives the request its connection. */
  onSocket(socket: HttpSocket | null, error?: Error | null): void {
    const exchange = socket === null || error != null ? undefined : new Exchange(this, socket);
    nextTick(() => {
      if (this.destroyed || exchange === undefined) this.#giveUp(socket, exchange, error ?? undefined);
      else this.#begin(exchange);
    });
  }

  #begin(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.begin();
    const isLimited = this.timeout !== undefined || this.agent?.options.timeout !== undefined;
    if (isLimited || this.#wantsTimeout) this.#listenForTimeout();
    this.emit("socket", exchange.socket);
    this.flush();
  }

  /** The request was destroyed before it had a connection, or there is none. */
  #giveUp(socket: HttpSocket | null, exchange: Exchange | undefined, error: Error | undefined): void {
    this.destroyed = true;
    const reason = error ?? this.errored ?? undefined;
    const close = (problem: Error | undefined): void => {
      const failure = problem ?? (this.aborted ? undefined : hangUp());
      if (failure !== undefined && socket?.hadError !== true) this.emit("error", failure);
      this.emitClose();
    };
    if (socket === null) close(reason);
    else if (exchange !== undefined && this.agent !== null && !socket.destroyed) {
      exchange.giveBack();
      close(reason);
    } else {
      finished(socket.destroy(reason), (problem) => {
        const isEarly = problem == null || ("code" in problem && problem.code === "ERR_STREAM_PREMATURE_CLOSE");
        close(isEarly ? error : problem);
      });
    }
  }

  #listenForTimeout(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#wantsTimeout = true;
      return;
    }
    if (exchange.timeoutListener !== undefined) return;
    exchange.timeoutListener = () => this.emit("timeout");
    exchange.socket.once("timeout", exchange.timeoutListener);
  }

  override setTimeout(ms: number, callback?: () => void): this {
    if (this.#exchange?.hasEnded === true) return this;
    this.#listenForTimeout();
    if (callback !== undefined) this.once("timeout", callback);
    const set = (socket: HttpSocket): void => {
      if (socket.connecting === true) socket.once("connect", () => socket.setTimeout?.(ms));
      else socket.setTimeout?.(ms);
    };
    if (this.socket === null) this.once("socket", set);
    else set(this.socket);
    return this;
  }

  setNoDelay(on = true): void {
    const set = (): void => void this.socket?.setNoDelay?.(on);
    if (this.socket === null) this.once("socket", set);
    else set();
  }
}
