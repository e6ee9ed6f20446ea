/**
 * The class Agent of node:http: makes the connections for requests, and keeps idle ones for further requests.
 *
 * Requests with the same `getName` share connections. A connection is in `sockets` while a request uses it and in `freeSockets`
 * while it is idle. If there are `maxSockets` connections, a request waits in `requests`. Each connection emits 'free' when its
 * request has ended.
 */
import { EventEmitter } from "../events.ts";
import * as net from "../net.ts";
import type { ClientRequest, RequestAgent, RequestOptions } from "./client.ts";
import { clientConnectionOf } from "./client-connection.ts";
import { IncomingMessage } from "./incoming.ts";
import type { HttpSocket } from "./socket.ts";

export interface AgentOptions {
  readonly keepAlive?: boolean | undefined;
  /** The milliseconds after which the system sends a first probe over an idle connection. */
  readonly keepAliveMsecs?: number | undefined;
  readonly maxSockets?: number | undefined;
  readonly maxFreeSockets?: number | undefined;
  /** The milliseconds without a byte after which a connection emits 'timeout', and an idle one is ended. */
  readonly timeout?: number | undefined;
  readonly noDelay?: boolean | undefined;
}

type CreateCallback = (error: Error | null, socket?: HttpSocket) => void;

/** Idle connections are ended so much earlier than the server announces, so that no request meets a connection that it ends. */
const HINT_MARGIN_MS = 1000;

export class Agent extends EventEmitter implements RequestAgent {
  readonly protocol = "http:";
  readonly defaultPort = 80;
  readonly options: AgentOptions;
  readonly keepAlive: boolean;
  readonly keepAliveMsecs: number;
  readonly maxSockets: number;
  readonly maxFreeSockets: number;
  /** Connections that requests use, by the names of `getName`. */
  readonly sockets: Record<string, HttpSocket[]> = {};
  /** Idle connections, by the same names. */
  readonly freeSockets: Record<string, HttpSocket[]> = {};
  /** Requests that wait for a connection, by the same names. */
  readonly requests: Record<string, ClientRequest[]> = {};
  /** The options of the requests that wait. */
  readonly #optionsOf = new WeakMap<ClientRequest, RequestOptions>();

  constructor(options: AgentOptions = {}) {
    super();
    this.options = { noDelay: true, ...options };
    this.keepAlive = options.keepAlive === true;
    this.keepAliveMsecs = options.keepAliveMsecs ?? 1000;
    this.maxSockets = options.maxSockets ?? Infinity;
    this.maxFreeSockets = options.maxFreeSockets ?? 256;
    this.on("free", (socket: HttpSocket, requestOptions: RequestOptions) => this.#onFree(socket, requestOptions));
  }

  /** Subclasses may call back with a socket in place of returning one. */
  createConnection(...[options]: [options: RequestOptions, callback?: CreateCallback]): HttpSocket | undefined {
    const { createConnection: __, agent: ___, path: ____, socketPath, port, host, ...rest } = options;
    return net.connect({ ...rest, host, port: port ?? 80, path: socketPath });
  }

  getName({ host, port, socketPath }: RequestOptions): string {
    return `${host ?? "localhost"}:${port ?? ""}:${socketPath === undefined ? "" : `:${socketPath}`}`;
  }

  /** Gives the request an idle connection, a new one, or lets it wait for one. */
  addRequest(request: ClientRequest, requestOptions: RequestOptions): void {
    const name = this.getName(requestOptions);
    const freeSockets = this.freeSockets[name] ?? [];
    const freeSocket = this.#takeFreeSocket(freeSockets);
    if (freeSockets.length === 0) delete this.freeSockets[name];
    const sockets = (this.sockets[name] ??= []);
    if (freeSocket !== undefined) {
      this.reuseSocket(freeSocket, request);
      this.#assign(request, freeSocket);
      sockets.push(freeSocket);
      return;
    }
    const options = { ...requestOptions, ...this.options };
    if (freeSockets.length + sockets.length < this.maxSockets) {
      this.#createSocket(request, options, (error, socket) => {
        if (error !== null || socket === undefined) request.onSocket(null, error);
        else this.#assign(request, socket);
      });
    } else {
      this.#optionsOf.set(request, options);
      (this.requests[name] ??= []).push(request);
    }
  }

  /**
   * Takes an idle connection, and ends those that the server has ended. poll(2) reports descriptors in no order of time, so an
   * end that came before the request may be reported after it in the same turn of the event loop. Node.js would send the
   * request, and lose it.
   */
  #takeFreeSocket(freeSockets: HttpSocket[]): HttpSocket | undefined {
    let socket = freeSockets.pop();
    while (socket !== undefined && (socket.destroyed || socket.hasInput?.() === true)) {
      socket.destroy();
      socket = freeSockets.pop();
    }
    return socket;
  }

  #assign(request: ClientRequest, socket: HttpSocket): void {
    request.onSocket(socket);
    if (request.timeout !== undefined && request.timeout !== (this.options.timeout ?? 0)) {
      socket.setTimeout?.(request.timeout);
    }
  }

  #createSocket(request: ClientRequest, options: RequestOptions, callback: CreateCallback): void {
    const name = this.getName(options);
    const timeout = request.timeout ?? this.options.timeout;
    let isSettled = false;
    // A subclass may both return a socket and call back.
    const settle: CreateCallback = (error, socket) => {
      if (isSettled) return;
      isSettled = true;
      if (error != null || socket === undefined) return callback(error ?? new TypeError("no connection"));
      (this.sockets[name] ??= []).push(socket);
      this.#listenTo(socket, options);
      callback(null, socket);
    };
    const connectionOptions = {
      ...options,
      ...(timeout === undefined || timeout === 0 ? {} : { timeout }),
      ...(this.keepAlive ? { keepAlive: true, keepAliveInitialDelay: this.keepAliveMsecs } : {}),
    };
    const socket = this.createConnection(connectionOptions, settle);
    if (socket !== undefined) settle(null, socket);
  }

  #listenTo(socket: HttpSocket, options: RequestOptions): void {
    const onFree = (): void => void this.emit("free", socket, options);
    const onClose = (): void => this.removeSocket(socket, options);
    const onTimeout = (): void => {
      const isFree = Object.values(this.freeSockets).some((sockets) => sockets.includes(socket));
      if (isFree) socket.destroy();
    };
    // The connection is no longer one of HTTP.
    const onAgentRemove = (): void => {
      this.removeSocket(socket, options);
      socket.off("close", onClose).off("free", onFree).off("timeout", onTimeout).off("agentRemove", onAgentRemove);
    };
    socket.on("free", onFree).on("close", onClose).on("timeout", onTimeout).on("agentRemove", onAgentRemove);
  }

  /** Gives a connection whose request has ended to a request that waits, keeps it idle, or ends it. */
  #onFree(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    const waitingRequests = this.requests[name];
    // As in `#takeFreeSocket`. The end of this connection makes a new one for a request that waits.
    const hasEnded = waitingRequests !== undefined && socket.connecting !== true && socket.hasInput?.() === true;
    if (hasEnded || !socket.writable) return void socket.destroy();
    const nextRequest = waitingRequests?.shift();
    if (waitingRequests?.length === 0) delete this.requests[name];
    if (nextRequest !== undefined) return this.#assign(nextRequest, socket);
    const freeSockets = this.freeSockets[name] ?? [];
    if (!this.#mayKeep(socket, name) || !this.keepSocketAlive(socket)) return void socket.destroy();
    this.freeSockets[name] = freeSockets;
    socket.httpMessage = null;
    this.removeSocket(socket, options);
    clientConnectionOf(socket).isIdle = true;
    if (socket.readableLength > 0) socket.destroy();
    freeSockets.push(socket);
  }

  /** Returns true if the last request allows that its connection is kept, and there is room for an idle connection. */
  #mayKeep(socket: HttpSocket, name: string): boolean {
    const lastMessage = socket.httpMessage;
    const allowsKeeping =
      lastMessage != null && "shouldKeepAlive" in lastMessage && lastMessage.shouldKeepAlive === true;
    const freeCount = this.freeSockets[name]?.length ?? 0;
    const totalCount = freeCount + (this.sockets[name]?.length ?? 0);
    return this.keepAlive && allowsKeeping && totalCount <= this.maxSockets && freeCount < this.maxFreeSockets;
  }

  /** Forgets a connection, and makes another one for a request that waits. */
  removeSocket(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    for (const lists of socket.writable ? [this.sockets] : [this.sockets, this.freeSockets]) {
      const sockets = lists[name] ?? [];
      const index = sockets.indexOf(socket);
      if (index !== -1) sockets.splice(index, 1);
      if (sockets.length === 0) delete lists[name];
    }
    let waitingRequests = this.requests[name];
    for (const otherName in this.requests) waitingRequests ??= this.requests[otherName];
    const request = waitingRequests?.[0];
    const requestOptions = request === undefined ? undefined : this.#optionsOf.get(request);
    if (request === undefined || requestOptions === undefined) return;
    this.#optionsOf.delete(request);
    this.#createSocket(request, requestOptions, (error, created) => {
      if (error !== null || created === undefined) request.onSocket(null, error);
      // The request that waits longest gets it.
      else created.emit("free");
    });
  }

  /** Prepares a connection for being idle. @returns false if the server is about to end the connection */
  keepSocketAlive(socket: HttpSocket): boolean {
    socket.setKeepAlive?.(true, this.keepAliveMsecs);
    socket.unref?.();
    let timeout = this.options.timeout ?? 0;
    const lastMessage = socket.httpMessage;
    const hint = lastMessage != null && "res" in lastMessage ? findKeepAliveHint(lastMessage.res) : undefined;
    const hintSeconds = hint === undefined ? undefined : /^timeout=(\d+)/.exec(hint)?.[1];
    if (hintSeconds !== undefined) {
      const hintMs = Number(hintSeconds) * 1000 - HINT_MARGIN_MS;
      if (hintMs <= 0) return false;
      if (hintMs < timeout) timeout = hintMs;
    }
    if (socket.timeout !== timeout) socket.setTimeout?.(timeout);
    return true;
  }

  /** Prepares an idle connection for a request. */
  reuseSocket(socket: HttpSocket, request: ClientRequest): void {
    clientConnectionOf(socket).isIdle = false;
    request.reusedSocket = true;
    socket.ref?.();
  }

  /** Ends all connections. */
  destroy(): void {
    for (const lists of [this.freeSockets, this.sockets]) {
      for (const sockets of Object.values(lists)) for (const socket of sockets) socket.destroy();
    }
  }
}

/** Returns the field `Keep-Alive` of a response, such as "timeout=5, max=100". */
function findKeepAliveHint(response: unknown): string | undefined {
  if (!(response instanceof IncomingMessage) || !response.hasField("keep-alive")) return undefined;
  const hint = response.headers["keep-alive"];
  return typeof hint === "string" ? hint : undefined;
}
