/**
 * The class ClientRequest of node:http: a request that a client sends. It asks an agent for a connection, or opens one itself, and
 * the caller may write the request meanwhile. `onSocket` gets the connection, and begins an exchange (exchange.ts), which reads the
 * response.
 */
import { codedError, AbortError } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import * as net from "../net.ts";
import { finished } from "../stream.ts";
import { Exchange, hangUpError } from "./exchange.ts";
import { type HeaderList, isToken, isList, toPairs } from "./headers.ts";
import type { IncomingMessage } from "./incoming.ts";
import { OutgoingMessage } from "./outgoing.ts";
import { type HttpSocket, isSocketFailure } from "./socket.ts";

export interface RequestOptions {
  /** With false, the request opens a connection itself. Without an agent, it uses `createConnection` or the default agent. */
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
  /** The milliseconds without a byte after which the request emits 'timeout'. */
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

/** The methods of requests that have no body by default. */
const METHODS_WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

export class ClientRequest extends OutgoingMessage {
  readonly agent: RequestAgent | null;
  readonly method: string;
  readonly host: string;
  readonly protocol: string;
  readonly path: string;
  readonly timeout: number | undefined;
  /** The number of fields that are kept of the response; 0 for no limit, null for the default. */
  maxHeadersCount: number | null = null;
  reusedSocket = false;
  aborted = false;
  res: IncomingMessage | null = null;
  readonly maxHeaderSize: number | undefined;
  /** Undefined until the request has a connection. */
  #exchange: Exchange | undefined;
  /** True if the caller has set a timeout before the request had a connection. */
  #needsTimeoutListener = false;

  constructor(options: RequestOptions, defaultAgent: RequestAgent, callback?: (response: IncomingMessage) => void) {
    super();
    // An empty text is the same as a missing option, except for `protocol`.
    this.agent = chooseAgent(options, defaultAgent);
    this.protocol = options.protocol ?? defaultAgent.protocol;
    checkProtocol(this.protocol, this.agent?.protocol ?? defaultAgent.protocol);
    if (options.insecureHTTPParser === true) throw new TypeError("insecureHTTPParser is not supported");
    this.path = options.path || "/";
    checkPath(this.path);
    const method = options.method || "GET";
    checkMethod(method);
    this.method = method.toUpperCase();
    this.host = options.hostname || options.host || "localhost";
    this.timeout = options.timeout;
    this.maxHeaderSize = options.maxHeaderSize;
    this.useChunkedEncodingByDefault = !METHODS_WITHOUT_BODY.has(this.method);
    if (callback !== undefined) this.once("response", callback);
    if (options.signal !== undefined) this.#destroyOnAbort(options.signal);
    this.usesAgent = this.agent !== null;
    // An agent that does not keep idle connections can still reuse a connection for a request that waits for one.
    this.shouldKeepAlive = this.agent !== null && (this.agent.keepAlive || Number.isFinite(this.agent.maxSockets));
    this.isLast = !this.shouldKeepAlive;
    const defaultPort = options.defaultPort ?? this.agent?.defaultPort;
    const port = options.port || defaultPort || 80;
    const isDefaultPort = Number(port) === Number(defaultPort);
    this.#setHeaders(options, isDefaultPort ? undefined : port);
    // The signal ends the request. A connection that the agent keeps must not end with it.
    const connectionOptions = { ...options, port, host: this.host, signal: undefined };
    if (this.agent !== null) this.agent.addRequest(this, connectionOptions);
    else this.#connect(connectionOptions);
  }

  #destroyOnAbort(signal: AbortSignal): void {
    const abort = (): void => void this.destroy(new AbortError(signal.reason));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    this.once("close", () => signal.removeEventListener("abort", abort));
  }

  /** @param port the port for the field `Host`; undefined for the default port, which the field does not contain */
  #setHeaders({ headers, setHost, auth }: RequestOptions, port: number | string | undefined): void {
    // As in Node.js, nothing is added to a list of fields.
    if (headers !== undefined && isList(headers)) return this.storeHeader(this.#requestLine(), headers);
    for (const [name, value] of toPairs(headers ?? {})) this.setHeader(name, value);
    if (setHost !== false && !this.hasHeader("host")) {
      const isIPv6 = this.host.split(":").length > 2 && !this.host.startsWith("[");
      const host = isIPv6 ? `[${this.host}]` : this.host;
      this.setHeader("Host", port === undefined ? host : `${host}:${port}`);
    }
    if (auth && !this.hasHeader("authorization")) {
      this.setHeader("Authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
    }
    // The head must be sent at once, because the caller waits for the server's response to it.
    if (this.hasHeader("expect")) this.createHead();
  }

  #requestLine(): string {
    return `${this.method} ${this.path} HTTP/1.1\r\n`;
  }

  protected override createHead(): void {
    this.storeHeader(this.#requestLine());
  }

  /** Opens a connection without an agent. It ends with the response. */
  #connect(options: RequestOptions): void {
    this.isLast = true;
    this.shouldKeepAlive = false;
    // The path of a request is not that of a Unix domain socket, which is `socketPath`.
    const { createConnection, path: _, socketPath, ...netOptions } = options;
    if (createConnection === undefined) {
      const { port } = netOptions;
      return this.onSocket(net.connect({ ...netOptions, host: this.host, port: port ?? 80, path: socketPath }));
    }
    let hasResult = false;
    // `createConnection` may both return a socket and call back. The first result is used.
    const useResult = (error: Error | null, socket?: HttpSocket): void => {
      if (hasResult) return;
      hasResult = true;
      if (error !== null) nextTick(() => this.emit("error", error));
      else if (socket !== undefined) this.onSocket(socket);
    };
    try {
      const socket = createConnection(options, useResult);
      if (socket !== undefined) useResult(null, socket);
    } catch (error) {
      useResult(error instanceof Error ? error : new Error(String(error)));
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

  /** Gives the request its connection, or the error because of which there is none. */
  onSocket(socket: HttpSocket | null, error?: Error | null): void {
    const exchange = socket === null || error != null ? undefined : new Exchange(this, socket);
    // As in Node.js, the caller can add listeners, or destroy the request, before it uses the connection.
    nextTick(() => {
      if (this.destroyed || exchange === undefined) this.#giveUp(socket, exchange, error ?? undefined);
      else this.#begin(exchange);
    });
  }

  #begin(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.begin();
    const hasTimeout = this.timeout !== undefined || this.agent?.options.timeout !== undefined;
    if (hasTimeout || this.#needsTimeoutListener) this.#listenForTimeout();
    this.emit("socket", exchange.socket);
    this.flush();
  }

  /** Ends a request that was destroyed before it used its connection, or that cannot have one. */
  #giveUp(socket: HttpSocket | null, exchange: Exchange | undefined, error: Error | undefined): void {
    this.destroyed = true;
    const cause = error ?? this.errored ?? undefined;
    if (socket === null) this.#emitFailure(cause, socket);
    else if (exchange !== undefined && this.agent !== null && !socket.destroyed) {
      exchange.returnUnusedConnection();
      this.#emitFailure(cause, socket);
    } else {
      finished(socket.destroy(cause), (socketError) => {
        this.#emitFailure(isSocketFailure(socketError) ? socketError : error, socket);
      });
    }
  }

  /** Emits 'error' and 'close'. As in Node.js, `destroy` without an error leads to a hang-up, but `abort` leads to no error. */
  #emitFailure(failure: Error | undefined, socket: HttpSocket | null): void {
    const error = failure ?? (this.aborted ? undefined : hangUpError());
    if (error !== undefined && socket?.hadError !== true) this.emit("error", error);
    this.emitClose();
  }

  /** Emits 'timeout' when the socket does, now or as soon as there is a connection. */
  #listenForTimeout(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#needsTimeoutListener = true;
      return;
    }
    if (exchange.timeoutListener !== undefined) return;
    exchange.timeoutListener = () => this.emit("timeout");
    exchange.socket.once("timeout", exchange.timeoutListener);
  }

  override setTimeout(ms: number, callback?: () => void): this {
    if (this.#exchange?.hasResponseEnded === true) return this;
    this.#listenForTimeout();
    if (callback !== undefined) this.once("timeout", callback);
    // As in Node.js, the time begins when the socket is connected.
    const setSocketTimeout = (socket: HttpSocket): void => {
      if (socket.connecting === true) socket.once("connect", () => socket.setTimeout?.(ms));
      else socket.setTimeout?.(ms);
    };
    if (this.socket === null) this.once("socket", setSocketTimeout);
    else setSocketTimeout(this.socket);
    return this;
  }

  setNoDelay(on = true): void {
    const setNoDelay = (): void => void this.socket?.setNoDelay?.(on);
    if (this.socket === null) this.once("socket", setNoDelay);
    else setNoDelay();
  }
}

function checkProtocol(protocol: string, expectedProtocol: string): void {
  if (protocol === expectedProtocol) return;
  const message = `Protocol "${protocol}" not supported. Expected "${expectedProtocol}"`;
  throw codedError("ERR_INVALID_PROTOCOL", message, TypeError);
}

/** @throws for spaces, control characters, and characters that are not in Latin-1 */
function checkPath(path: string): void {
  if (!/[^\u0021-\u00ff]/.test(path)) return;
  throw codedError("ERR_UNESCAPED_CHARACTERS", "Request path contains unescaped characters", TypeError);
}

function checkMethod(method: unknown): void {
  if (isToken(method)) return;
  throw codedError("ERR_INVALID_HTTP_TOKEN", `Method must be a valid HTTP token ["${String(method)}"]`, TypeError);
}

/** @returns null for a request that opens a connection itself */
function chooseAgent(options: RequestOptions, defaultAgent: RequestAgent): RequestAgent | null {
  if (options.agent === false) return null;
  return options.agent ?? (typeof options.createConnection === "function" ? null : defaultAgent);
}
