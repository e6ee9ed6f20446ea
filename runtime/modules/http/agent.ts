/**
 * The class Agent of node:http: opens the connections for requests, and keeps idle connections for further requests.
 *
 * Requests for which `getName` returns the same name share connections. A connection is in `sockets` while a request uses it, and
 * in `freeSockets` while it is idle. If there are `maxSockets` connections of a name, further requests wait in `requests`. A
 * connection emits 'free' when its request no longer needs it.
 */
import { EventEmitter } from "../events.ts";
import * as net from "../net.ts";
import type { ClientRequest, RequestAgent, RequestOptions } from "./client.ts";
import { clientConnectionOf } from "./client-connection.ts";
import { IncomingMessage } from "./incoming.ts";
import type { HttpSocket } from "./socket.ts";

export interface AgentOptions {
  readonly keepAlive?: boolean | undefined;
  /** The milliseconds without a byte after which the kernel sends the first TCP keep-alive probe. */
  readonly keepAliveMsecs?: number | undefined;
  /** The number of connections of one name that may be open at a time. */
  readonly maxSockets?: number | undefined;
  /** The number of idle connections of one name that are kept. */
  readonly maxFreeSockets?: number | undefined;
  /** The milliseconds without a byte after which a connection emits 'timeout', and an idle connection is ended. */
  readonly timeout?: number | undefined;
  readonly noDelay?: boolean | undefined;
}

type CreateCallback = (error: Error | null, socket?: HttpSocket) => void;

/** An idle connection is ended this much before the time that the server announces, so that no request is sent too late. */
const KEEP_ALIVE_MARGIN_MS = 1000;

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
  /** The connection options of the waiting requests. */
  readonly #waitingOptions = new WeakMap<ClientRequest, RequestOptions>();

  constructor(options: AgentOptions = {}) {
    super();
    this.options = { noDelay: true, ...options };
    this.keepAlive = options.keepAlive === true;
    this.keepAliveMsecs = options.keepAliveMsecs ?? 1000;
    this.maxSockets = options.maxSockets ?? Infinity;
    this.maxFreeSockets = options.maxFreeSockets ?? 256;
    this.on("free", (socket: HttpSocket, requestOptions: RequestOptions) => this.#onFree(socket, requestOptions));
  }

  /** Opens a connection. The callback is for subclasses, which may call it with a socket in place of returning the socket. */
  createConnection(...[options]: [options: RequestOptions, callback?: CreateCallback]): HttpSocket | undefined {
    // These options are not for node:net. Its `path` is that of a Unix domain socket, not that of the request.
    const { createConnection: _createConnection, agent: _agent, path: _path, ...connectionOptions } = options;
    const { socketPath, port, host, ...netOptions } = connectionOptions;
    return net.connect({ ...netOptions, host, port: port ?? 80, path: socketPath });
  }

  /** Returns the name of the connections that a request can use, such as "localhost:80:". */
  getName({ host, port, socketPath }: RequestOptions): string {
    return `${host ?? "localhost"}:${port ?? ""}:${socketPath === undefined ? "" : `:${socketPath}`}`;
  }

  /** Gives the request an idle connection or a new one, or lets it wait until another request no longer needs its connection. */
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
      this.#waitingOptions.set(request, options);
      (this.requests[name] ??= []).push(request);
    }
  }

  /**
   * Takes an idle connection, and destroys those that the server has ended. In one turn of the event loop, poll(2) may report
   * what leads to the request before it reports an end that came earlier. Node.js would then send the request, and lose it.
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
    // A socket has the timeout of its agent, unless the request has a different one.
    if (request.timeout !== undefined && request.timeout !== (this.options.timeout ?? 0)) {
      socket.setTimeout?.(request.timeout);
    }
  }

  #createSocket(request: ClientRequest, options: RequestOptions, callback: CreateCallback): void {
    const name = this.getName(options);
    const timeout = request.timeout ?? this.options.timeout;
    let hasResult = false;
    // A subclass may both return a socket and call back. The first result is used.
    const useResult: CreateCallback = (error, socket) => {
      if (hasResult) return;
      hasResult = true;
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
    const socket = this.createConnection(connectionOptions, useResult);
    if (socket !== undefined) useResult(null, socket);
  }

  /** Listens for the events that change the lists. @param options the options of the request for which the socket was opened */
  #listenTo(socket: HttpSocket, options: RequestOptions): void {
    const onFree = (): void => void this.emit("free", socket, options);
    const onClose = (): void => this.removeSocket(socket, options);
    const onTimeout = (): void => {
      const isFree = Object.values(this.freeSockets).some((sockets) => sockets.includes(socket));
      if (isFree) socket.destroy();
    };
    // The connection has left HTTP for another protocol, or has failed while it was idle.
    const onAgentRemove = (): void => {
      this.removeSocket(socket, options);
      socket.off("close", onClose).off("free", onFree).off("timeout", onTimeout).off("agentRemove", onAgentRemove);
    };
    socket.on("free", onFree).on("close", onClose).on("timeout", onTimeout).on("agentRemove", onAgentRemove);
  }

  /** Gives a connection that is no longer needed to a waiting request, keeps it idle, or ends it. */
  #onFree(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    const waitingRequests = this.requests[name];
    // The server may have ended the connection, as in `#takeFreeSocket`. When it is closed, `removeSocket` opens a new one.
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
    // Bytes that no request has asked for must not be taken for the response to the next one.
    if (socket.readableLength > 0) socket.destroy();
    freeSockets.push(socket);
  }

  /** Returns true if the last request allows that its connection is kept, and the limits allow one more idle connection. */
  #mayKeep(socket: HttpSocket, name: string): boolean {
    const lastMessage = socket.httpMessage;
    const allowsKeeping =
      lastMessage != null && "shouldKeepAlive" in lastMessage && lastMessage.shouldKeepAlive === true;
    const freeCount = this.freeSockets[name]?.length ?? 0;
    const totalCount = freeCount + (this.sockets[name]?.length ?? 0);
    return this.keepAlive && allowsKeeping && totalCount <= this.maxSockets && freeCount < this.maxFreeSockets;
  }

  /** Removes a connection from the lists, and opens a new connection for a waiting request. */
  removeSocket(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    // A socket that is still writable is only moved from `sockets` to `freeSockets`, or has left HTTP.
    for (const socketsByName of socket.writable ? [this.sockets] : [this.sockets, this.freeSockets]) {
      const sockets = socketsByName[name] ?? [];
      const index = sockets.indexOf(socket);
      if (index !== -1) sockets.splice(index, 1);
      if (sockets.length === 0) delete socketsByName[name];
    }
    this.#openForWaitingRequest(name);
  }

  /** Opens a connection for the first request that waits for this name, or else for any other name. */
  #openForWaitingRequest(name: string): void {
    let waitingRequests = this.requests[name];
    for (const otherName in this.requests) waitingRequests ??= this.requests[otherName];
    const request = waitingRequests?.[0];
    const options = request === undefined ? undefined : this.#waitingOptions.get(request);
    // Without options, a connection is already being opened for this request.
    if (request === undefined || options === undefined) return;
    this.#waitingOptions.delete(request);
    this.#createSocket(request, options, (error, socket) => {
      if (error !== null || socket === undefined) request.onSocket(null, error);
      // The listener for 'free' gives the connection to the request that has waited longest.
      else socket.emit("free");
    });
  }

  /** Prepares a connection for being idle. @returns false if the server is about to end the connection */
  keepSocketAlive(socket: HttpSocket): boolean {
    socket.setKeepAlive?.(true, this.keepAliveMsecs);
    socket.unref?.();
    let timeout = this.options.timeout ?? 0;
    const lastMessage = socket.httpMessage;
    const keepAliveField = lastMessage != null && "res" in lastMessage ? findKeepAlive(lastMessage.res) : undefined;
    const announcedSeconds = keepAliveField === undefined ? undefined : /^timeout=(\d+)/.exec(keepAliveField)?.[1];
    if (announcedSeconds !== undefined) {
      const idleMs = Number(announcedSeconds) * 1000 - KEEP_ALIVE_MARGIN_MS;
      if (idleMs <= 0) return false;
      if (idleMs < timeout) timeout = idleMs;
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

  destroy(): void {
    for (const socketsByName of [this.freeSockets, this.sockets]) {
      for (const sockets of Object.values(socketsByName)) for (const socket of sockets) socket.destroy();
    }
  }
}

/** Returns the value of the field `Keep-Alive` of a response, such as "timeout=5, max=100". */
function findKeepAlive(response: unknown): string | undefined {
  // Most responses have no such field, and `headers` must be joined before it can be read.
  if (!(response instanceof IncomingMessage) || !response.hasField("keep-alive")) return undefined;
  const value = response.headers["keep-alive"];
  return typeof value === "string" ? value : undefined;
}
