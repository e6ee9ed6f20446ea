/**
 * The class ClientRequest of node:http. A request gets its connection from an agent, or makes one of its own, and is written
 * meanwhile. `onSocket` gets the connection or the error, and begins an exchange (exchange.ts).
 */
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
  /** false for a connection of the request's own; without an agent, `createConnection` is called or the default agent is used. */
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
  /** The number of fields that the response may have, of which further ones are dropped; 0 for no limit, null for the default. */
  maxHeadersCount: number | null = null;
  reusedSocket = false;
  aborted = false;
  res: IncomingMessage | null = null;
  readonly maxHeaderSize: number | undefined;
  /** Is set when the request has its connection. */
  #exchange: Exchange | undefined;
  /** The caller has set a timeout before there was a connection. */
  #needsTimeoutListener = false;

  constructor(options: RequestOptions, defaultAgent: RequestAgent, callback?: (response: IncomingMessage) => void) {
    super();
    this.agent = chooseAgent(options, defaultAgent);
    this.protocol = options.protocol ?? defaultAgent.protocol;
    const expectedProtocol = this.agent?.protocol ?? defaultAgent.protocol;
    if (this.protocol !== expectedProtocol) {
      const message = `Protocol "${this.protocol}" not supported. Expected "${expectedProtocol}"`;
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
    this.useChunkedEncodingByDefault = !METHODS_WITHOUT_BODY.has(this.method);
    if (callback !== undefined) this.once("response", callback);
    if (options.signal !== undefined) this.#destroyOnAbort(options.signal);
    this.usesAgent = this.agent !== null;
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

  /** @param port the port that `Host` must name; undefined for the default port */
  #setHeaders({ headers, setHost, auth }: RequestOptions, port: number | string | undefined): void {
    // A list is sent as it is, without further fields.
    if (headers !== undefined && isList(headers)) return this.storeHeader(this.#requestLine(), headers);
    for (const [name, value] of pairsOf(headers ?? {})) this.setHeader(name, value);
    if (setHost !== false && !this.hasHeader("host")) {
      const isIPv6 = this.host.split(":").length > 2 && !this.host.startsWith("[");
      const host = isIPv6 ? `[${this.host}]` : this.host;
      this.setHeader("Host", port === undefined ? host : `${host}:${port}`);
    }
    if (auth && !this.hasHeader("authorization")) {
      this.setHeader("Authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
    }
    // The head must be sent at once, because the caller waits for the server's response to it.
    if (this.hasHeader("expect")) this.storeHead();
  }

  #requestLine(): string {
    return `${this.method} ${this.path} HTTP/1.1\r\n`;
  }

  protected override storeHead(): void {
    this.storeHeader(this.#requestLine());
  }

  /** Connects without an agent. */
  #connect(options: RequestOptions): void {
    this.isLast = true;
    this.shouldKeepAlive = false;
    const { createConnection, path: _, socketPath, ...rest } = options;
    let isSettled = false;
    const settle = (error: Error | null, socket?: HttpSocket): void => {
      if (isSettled) return;
      isSettled = true;
      if (error !== null) nextTick(() => this.emit("error", error));
      else if (socket !== undefined) this.onSocket(socket);
    };
    if (createConnection === undefined) {
      return this.onSocket(net.connect({ ...rest, host: this.host, port: rest.port ?? 80, path: socketPath }));
    }
    try {
      const socket = createConnection(options, settle);
      if (socket !== undefined) settle(null, socket);
    } catch (error) {
      settle(error instanceof Error ? error : new Error(String(error)));
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
    nextTick(() => {
      if (this.destroyed || exchange === undefined) this.#giveUp(socket, exchange, error ?? undefined);
      else this.#begin(exchange);
    });
  }

  #begin(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.begin();
    const isLimited = this.timeout !== undefined || this.agent?.options.timeout !== undefined;
    if (isLimited || this.#needsTimeoutListener) this.#listenForTimeout();
    this.emit("socket", exchange.socket);
    this.flush();
  }

  /** Ends a request that was destroyed before it had a connection, or for which there is none. */
  #giveUp(socket: HttpSocket | null, exchange: Exchange | undefined, error: Error | undefined): void {
    this.destroyed = true;
    const reason = error ?? this.errored ?? undefined;
    const emitEnd = (streamError: Error | undefined): void => {
      const failure = streamError ?? (this.aborted ? undefined : hangUp());
      if (failure !== undefined && socket?.hadError !== true) this.emit("error", failure);
      this.emitClose();
    };
    if (socket === null) emitEnd(reason);
    else if (exchange !== undefined && this.agent !== null && !socket.destroyed) {
      // The agent can use the connection for another request.
      exchange.giveBack();
      emitEnd(reason);
    } else {
      finished(socket.destroy(reason), (problem) => {
        const isExpected = problem == null || ("code" in problem && problem.code === "ERR_STREAM_PREMATURE_CLOSE");
        emitEnd(isExpected ? error : problem);
      });
    }
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
    if (this.#exchange?.hasEnded === true) return this;
    this.#listenForTimeout();
    if (callback !== undefined) this.once("timeout", callback);
    const setTimeoutOf = (socket: HttpSocket): void => {
      if (socket.connecting === true) socket.once("connect", () => socket.setTimeout?.(ms));
      else socket.setTimeout?.(ms);
    };
    if (this.socket === null) this.once("socket", setTimeoutOf);
    else setTimeoutOf(this.socket);
    return this;
  }

  setNoDelay(on = true): void {
    const setNoDelay = (): void => void this.socket?.setNoDelay?.(on);
    if (this.socket === null) this.once("socket", setNoDelay);
    else setNoDelay();
  }
}

/** @returns null for a request that makes a connection of its own */
function chooseAgent(options: RequestOptions, defaultAgent: RequestAgent): RequestAgent | null {
  if (options.agent === false) return null;
  return options.agent ?? (typeof options.createConnection === "function" ? null : defaultAgent);
}
