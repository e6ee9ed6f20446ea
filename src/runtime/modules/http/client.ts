import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import * as net from "../net.ts";
import { coded } from "../net/errors.ts";
import { finished } from "../stream.ts";
import { type HeaderList, isToken, isList, pairsOf, type Value } from "./headers.ts";
import type { IncomingMessage } from "./incoming.ts";
import { OutgoingMessage } from "./outgoing.ts";
import { type Action, HttpParser } from "./parser.ts";
import { endSoon, type HttpSocket } from "./socket.ts";

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

/** What a request knows of its agent. */
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
  readonly #maxHeaderSize: number | undefined;
  #given: HttpSocket | null = null;
  #parser: HttpParser | null = null;
  #hasAnswerEnded = false;
  #isUpgraded = false;
  #timeoutListener: (() => void) | undefined;

  constructor(options: RequestOptions, defaultAgent: RequestAgent, callback?: (response: IncomingMessage) => void) {
    super();
    const isOwn = typeof options.createConnection === "function";
    this.agent = options.agent === false ? null : (options.agent ?? (isOwn ? null : defaultAgent));
    this.protocol = options.protocol ?? defaultAgent.protocol;
    const expected = this.agent?.protocol ?? defaultAgent.protocol;
    if (this.protocol !== expected) {
      const message = `Protocol "${this.protocol}" not supported. Expected "${expected}"`;
      throw coded("ERR_INVALID_PROTOCOL", new TypeError(message));
    }
    if (options.insecureHTTPParser === true) throw new TypeError("insecureHTTPParser is not supported");
    this.path = options.path || "/";
    if (/[^\u0021-\u00ff]/.test(this.path)) {
      throw coded("ERR_UNESCAPED_CHARACTERS", new TypeError("Request path contains unescaped characters"));
    }
    const method = options.method || "GET";
    if (!isToken(method)) {
      throw coded("ERR_INVALID_HTTP_TOKEN", new TypeError(`Method must be a valid HTTP token ["${String(method)}"]`));
    }
    this.method = method.toUpperCase();
    this.host = options.hostname || options.host || "localhost";
    this.timeout = options.timeout;
    this.#maxHeaderSize = options.maxHeaderSize;
    this.useChunkedEncodingByDefault = !WITHOUT_BODY.has(this.method);
    if (callback !== undefined) this.once("response", callback);
    if (options.signal !== undefined) this.#endBy(options.signal);
    this.isAgents = this.agent !== null;
    this.shouldKeepAlive = this.agent !== null && (this.agent.keepAlive || Number.isFinite(this.agent.maxSockets));
    this._last = !this.shouldKeepAlive;
    const defaultPort = options.defaultPort ?? this.agent?.defaultPort;
    const port = options.port || defaultPort || 80;
    this.#setHeaders(options, Number(port) === Number(defaultPort) ? undefined : port);
    const { signal: _, ...rest } = { ...options, port, host: this.host };
    if (this.agent !== null) this.agent.addRequest(this, rest);
    else this.#connect(rest);
  }

  #endBy(signal: AbortSignal): void {
    const abort = (): void => {
      const error = coded("ABORT_ERR", new Error("The operation was aborted", { cause: signal.reason }));
      error.name = "AbortError";
      this.destroy(error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    this.once("close", () => signal.removeEventListener("abort", abort));
  }

  #setHeaders({ headers, setHost, auth }: RequestOptions, port: number | string | undefined): void {
    if (headers !== undefined && isList(headers)) return this.storeHeader(this.#line(), headers);
    for (const [name, value] of pairsOf(headers ?? {})) this.setHeader(name, value as Value);
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
    this._last = true;
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
    this.res?._dump();
    this.errored = error ?? null;
    this.socket?.destroy(error);
    return this;
  }

  /** Gives the request its connection. */
  onSocket(socket: HttpSocket | null, error?: Error | null): void {
    if (socket !== null && error == null) {
      this.#given = socket;
      socket._httpMessage = this;
      socket.on("error", this.#socketFailed);
    }
    nextTick(() => this.#take(socket, error ?? undefined));
  }

  #take(socket: HttpSocket | null, error: Error | undefined): void {
    if (!this.destroyed && error === undefined && socket !== null) {
      this.#assign(socket);
      this._flush();
      return;
    }
    this.destroyed = true;
    const close = (problem: Error | undefined): void => {
      const failure = problem ?? (this.aborted ? undefined : hangUp());
      if (failure !== undefined && socket?._hadError !== true) this.emit("error", failure);
      this._emitClose();
    };
    if (socket === null) close(error ?? this.errored ?? undefined);
    else if (error === undefined && this.agent !== null && !socket.destroyed) {
      socket.emit("free");
      socket.removeListener("error", this.#socketFailed);
      close(this.errored ?? undefined);
    } else {
      finished(socket.destroy(error ?? this.errored ?? undefined), (problem) => {
        const isEarly = problem == null || ("code" in problem && problem.code === "ERR_STREAM_PREMATURE_CLOSE");
        close(isEarly ? error : problem);
      });
    }
  }

  #assign(socket: HttpSocket): void {
    this.socket = socket;
    socket._httpMessage = this;
    const limits = { maxHeaderSize: this.#maxHeaderSize, maxFields: this.maxHeadersCount };
    this.#parser = new HttpParser(socket, false, limits, (response, keeps) => this.#receive(socket, response, keeps));
    socket.on("data", this.#socketRead).on("end", this.#socketEnded).on("close", this.#socketClosed);
    socket.on("drain", this.#socketDrained);
    if (this.timeout !== undefined || this.agent?.options.timeout !== undefined) this.#listenForTimeout();
    this.emit("socket", socket);
  }

  /** Ends reading the connection, which then has something else to do, or has ended. */
  #leave(socket: HttpSocket): void {
    socket.removeListener("data", this.#socketRead).removeListener("end", this.#socketEnded);
    socket.removeListener("drain", this.#socketDrained);
  }

  #freeParser(): void {
    const parser = this.#parser;
    this.#parser = null;
    parser?.finish();
  }

  readonly #socketDrained = (): void => this._drained();

  readonly #answerTimedOut = (): void => void this.res?.emit("timeout");

  readonly #socketFailed = (error: Error): void => {
    // It may not be the request's yet.
    const socket = this.socket ?? this.#given;
    if (socket === null) return;
    socket._hadError = true;
    this.emit("error", error);
    this.#freeParser();
    this.#leave(socket);
    socket.destroy();
  };

  readonly #socketClosed = (): void => {
    const { res, socket } = this;
    this.destroyed = true;
    if (res === null) {
      if (socket !== null && socket._hadError !== true) {
        socket._hadError = true;
        this.emit("error", hangUp());
      }
      this._emitClose();
    } else {
      if (!res.complete) res.destroy(coded("ECONNRESET", new Error("aborted")));
      this._emitClose();
      if (!res.aborted && res.readable) res.push(null);
    }
    this._dropPending();
    this.#freeParser();
  };

  readonly #socketEnded = (): void => {
    const { socket } = this;
    if (socket === null) return;
    if (this.res === null && socket._hadError !== true) {
      socket._hadError = true;
      this.emit("error", hangUp());
    }
    this.#freeParser();
    socket.destroy();
  };

  readonly #socketRead = (bytes: Buffer): void => {
    const { socket } = this;
    const parser = this.#parser;
    if (socket === null || parser === null) return;
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (result instanceof Error) {
      this.#parser = null;
      this.#leave(socket);
      socket.destroy();
      socket._hadError = true;
      this.emit("error", result);
    } else if (incoming?.upgrade === true) this.#hand(socket, incoming, bytes.subarray(result));
    else if (incoming?.complete === true && !isInformation(incoming)) {
      this.#leave(socket);
      this.#parser = null;
    }
  };

  /** Hands the connection over to another protocol. */
  #hand(socket: HttpSocket, response: IncomingMessage, first: Buffer): void {
    this.res = response;
    this.#leave(socket);
    if (this.#timeoutListener !== undefined) socket.removeListener("timeout", this.#timeoutListener);
    socket.removeListener("timeout", this.#answerTimedOut);
    this.#freeParser();
    const event = this.method === "CONNECT" ? "connect" : "upgrade";
    if (this.listenerCount(event) === 0) return void socket.destroy();
    this.#isUpgraded = true;
    socket.emit("agentRemove");
    socket.removeListener("close", this.#socketClosed).removeListener("error", this.#socketFailed);
    socket._httpMessage = null;
    // Whoever takes it begins to read.
    Object.assign(socket, { readableFlowing: null });
    this.emit(event, response, socket, first);
    this.destroyed = true;
    this._emitClose();
  }

  #receive(socket: HttpSocket, response: IncomingMessage, keepsAlive: boolean): Action {
    if (this.res !== null) {
      // A second answer.
      socket.destroy();
      this.res._skipsData = true;
      if (this.#parser !== null) this.#parser.incoming = this.res;
      return 0;
    }
    this.res = response;
    if (response.upgrade) return 2;
    if (this.method === "CONNECT") {
      response.upgrade = true;
      return 2;
    }
    const { statusCode = 0 } = response;
    if (isInformation(response)) {
      this.res = null;
      if (statusCode === 100) this.emit("continue");
      this.emit("information", response);
      return 1;
    }
    if (!keepsAlive && !this.#isUpgraded) this.shouldKeepAlive = false;
    response.req = this;
    response.on("end", () => this.#answerEnded(response));
    this.on("finish", () => {
      if (this.shouldKeepAlive && this.#hasAnswerEnded && !this.destroyed) this.#keep();
    });
    socket.on("timeout", this.#answerTimedOut);
    if (this.aborted || !this.emit("response", response)) response._dump();
    if (this.method === "HEAD") return 1;
    if (statusCode !== 304) return 0;
    response.complete = true;
    return 1;
  }

  #answerEnded(response: IncomingMessage): void {
    const { socket } = this;
    if (socket === null) return;
    if (this.#timeoutListener !== undefined) socket.removeListener("timeout", this.#timeoutListener);
    socket.removeListener("timeout", this.#answerTimedOut);
    this.#hasAnswerEnded = true;
    if (!this.shouldKeepAlive) {
      if (socket.writable) endSoon(socket);
    } else if (this.writableFinished && !response.aborted) this.#keep();
  }

  /** Gives the connection back to the agent, behind the listeners for the end of the answer. */
  #keep(): void {
    const { socket } = this;
    if (socket === null) return;
    if (this.#timeoutListener !== undefined) {
      socket.setTimeout?.(0, this.#timeoutListener);
      this.#timeoutListener = undefined;
    }
    socket.removeListener("close", this.#socketClosed).removeListener("error", this.#socketFailed);
    socket.removeListener("data", this.#socketRead).removeListener("end", this.#socketEnded);
    nextTick(() => {
      this._emitClose();
      socket.emit("free");
    });
    this.destroyed = true;
    if (this.res !== null) this.res.socket = null;
  }

  #listenForTimeout(): void {
    if (this.#timeoutListener !== undefined) return;
    const listener = (): void => void this.emit("timeout");
    this.#timeoutListener = listener;
    if (this.socket === null) this.once("socket", (socket: HttpSocket) => socket.once("timeout", listener));
    else this.socket.once("timeout", listener);
  }

  override setTimeout(ms: number, callback?: () => void): this {
    if (this.#hasAnswerEnded) return this;
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

/** 101 is the end of HTTP; others precede the answer. */
function isInformation({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

function hangUp(): Error {
  return coded("ECONNRESET", new Error("socket hang up"));
}
