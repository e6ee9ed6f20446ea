import { EventEmitter } from "../events.ts";
import * as net from "../net.ts";
import { setIdle } from "./exchange.ts";
import type { ClientRequest, RequestAgent, RequestOptions } from "./client.ts";
import { IncomingMessage } from "./incoming.ts";
import type { HttpSocket } from "./socket.ts";

export interface AgentOptions {
  readonly keepAlive?: boolean | undefined;
  /** The delay of the first probe of an idle connection, in milliseconds. */
  readonly keepAliveMsecs?: number | undefined;
  readonly maxSockets?: number | undefined;
  readonly maxFreeSockets?: number | undefined;
  /** Milliseconds without a byte, also of an idle connection. */
  readonly timeout?: number | undefined;
  readonly noDelay?: boolean | undefined;
}

type CreateCallback = (error: Error | null, socket?: HttpSocket) => void;

/** Idle connections end by this before the time that the server announces. */
const HINT_MARGIN_MS = 1000;

/** Makes connections for requests, and keeps them for further ones. */
export class Agent extends EventEmitter implements RequestAgent {
  readonly protocol = "http:";
  readonly defaultPort = 80;
  readonly options: AgentOptions;
  readonly keepAlive: boolean;
  readonly keepAliveMsecs: number;
  readonly maxSockets: number;
  readonly maxFreeSockets: number;
  /** By name, as `getName` returns it. */
  readonly sockets: Record<string, HttpSocket[]> = {};
  readonly freeSockets: Record<string, HttpSocket[]> = {};
  readonly requests: Record<string, ClientRequest[]> = {};
  readonly #optionsOf = new WeakMap<ClientRequest, RequestOptions>();

  constructor(options: AgentOptions = {}) {
    super();
    this.options = { noDelay: true, ...options };
    this.keepAlive = options.keepAlive === true;
    this.keepAliveMsecs = options.keepAliveMsecs ?? 1000;
    this.maxSockets = options.maxSockets ?? Infinity;
    this.maxFreeSockets = options.maxFreeSockets ?? 256;
    this.on("free", (socket: HttpSocket, given: RequestOptions) => this.#free(socket, given));
  }

  createConnection(...[options]: [options: RequestOptions, callback?: CreateCallback]): HttpSocket | undefined {
    const { createConnection: __, agent: ___, path: ____, socketPath, port, host, ...rest } = options;
    return net.connect({ ...rest, host, port: port ?? 80, path: socketPath });
  }

  getName({ host, port, socketPath }: RequestOptions): string {
    return `${host ?? "localhost"}:${port ?? ""}:${socketPath === undefined ? "" : `:${socketPath}`}`;
  }

  addRequest(request: ClientRequest, given: RequestOptions): void {
    const name = this.getName(given);
    const free = this.freeSockets[name] ?? [];
    const socket = this.#takeFree(free);
    if (free.length === 0) delete this.freeSockets[name];
    const sockets = (this.sockets[name] ??= []);
    if (socket !== undefined) {
      this.reuseSocket(socket, request);
      this.#assign(request, socket);
      sockets.push(socket);
      return;
    }
    const options = { ...given, ...this.options };
    if (free.length + sockets.length < this.maxSockets) {
      this.#create(request, options, (error, created) => {
        if (error !== null || created === undefined) request.onSocket(null, error);
        else this.#assign(request, created);
      });
    } else {
      this.#optionsOf.set(request, options);
      (this.requests[name] ??= []).push(request);
    }
  }

  /**
   * Takes an idle connection for a request. The server may have ended it: poll(2) reports descriptors in no order of time, and
   * an end that came before the request may follow it in the same turn. Node.js would send the request, and lose it.
   */
  #takeFree(free: HttpSocket[]): HttpSocket | undefined {
    let socket = free.pop();
    while (socket !== undefined && (socket.destroyed || socket.hasInput?.() === true)) {
      socket.destroy();
      socket = free.pop();
    }
    return socket;
  }

  #assign(request: ClientRequest, socket: HttpSocket): void {
    request.onSocket(socket);
    if (request.timeout !== undefined && request.timeout !== (this.options.timeout ?? 0)) {
      socket.setTimeout?.(request.timeout);
    }
  }

  #create(request: ClientRequest, options: RequestOptions, callback: CreateCallback): void {
    const name = this.getName(options);
    const timeout = request.timeout ?? this.options.timeout;
    const keepAlive = this.keepAlive ? { keepAlive: true, keepAliveInitialDelay: this.keepAliveMsecs } : {};
    let isDone = false;
    const done: CreateCallback = (error, socket) => {
      if (isDone) return;
      isDone = true;
      if (error != null || socket === undefined) return callback(error ?? new TypeError("no connection"));
      (this.sockets[name] ??= []).push(socket);
      this.#listen(socket, options);
      callback(null, socket);
    };
    const all = { ...options, ...(timeout === undefined || timeout === 0 ? {} : { timeout }), ...keepAlive };
    const socket = this.createConnection(all, done);
    if (socket !== undefined) done(null, socket);
  }

  #listen(socket: HttpSocket, options: RequestOptions): void {
    const free = (): void => void this.emit("free", socket, options);
    const close = (): void => this.removeSocket(socket, options);
    const timeout = (): void => {
      if (Object.values(this.freeSockets).some((sockets) => sockets.includes(socket))) socket.destroy();
    };
    const remove = (): void => {
      this.removeSocket(socket, options);
      socket.off("close", close).off("free", free).off("timeout", timeout).off("agentRemove", remove);
    };
    socket.on("free", free).on("close", close).on("timeout", timeout).on("agentRemove", remove);
  }

  /** A request needs its connection no more. */
  #free(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    const waiting = this.requests[name];
    // As in `#takeFree`; a request that waits gets a new connection then.
    const hasEnded = waiting !== undefined && socket.connecting !== true && socket.hasInput?.() === true;
    if (hasEnded || !socket.writable) return void socket.destroy();
    const next = waiting?.shift();
    if (waiting?.length === 0) delete this.requests[name];
    if (next !== undefined) return this.#assign(next, socket);
    const last = socket.httpMessage;
    const mayKeep = last != null && "shouldKeepAlive" in last && last.shouldKeepAlive === true && this.keepAlive;
    const free = this.freeSockets[name] ?? [];
    const count = free.length + (this.sockets[name]?.length ?? 0);
    const isTooMany = count > this.maxSockets || free.length >= this.maxFreeSockets;
    if (!mayKeep || isTooMany || !this.keepSocketAlive(socket)) return void socket.destroy();
    this.freeSockets[name] = free;
    socket.httpMessage = null;
    this.removeSocket(socket, options);
    setIdle(socket, true);
    if (socket.readableLength > 0) socket.destroy();
    free.push(socket);
  }

  removeSocket(socket: HttpSocket, options: RequestOptions): void {
    const name = this.getName(options);
    for (const set of socket.writable ? [this.sockets] : [this.sockets, this.freeSockets]) {
      const sockets = set[name] ?? [];
      const index = sockets.indexOf(socket);
      if (index !== -1) sockets.splice(index, 1);
      if (sockets.length === 0) delete set[name];
    }
    let waiting = this.requests[name];
    for (const other in this.requests) waiting ??= this.requests[other];
    const request = waiting?.[0];
    const its = request === undefined ? undefined : this.#optionsOf.get(request);
    if (request === undefined || its === undefined) return;
    this.#optionsOf.delete(request);
    this.#create(request, its, (error, created) => {
      if (error !== null || created === undefined) request.onSocket(null, error);
      else created.emit("free");
    });
  }

  /** @returns false for a connection that is about to end */
  keepSocketAlive(socket: HttpSocket): boolean {
    socket.setKeepAlive?.(true, this.keepAliveMsecs);
    socket.unref?.();
    let timeout = this.options.timeout ?? 0;
    const last = socket.httpMessage;
    const hinted = last != null && "res" in last ? hintOf(last.res) : undefined;
    const seconds = hinted === undefined ? undefined : /^timeout=(\d+)/.exec(hinted)?.[1];
    if (seconds !== undefined) {
      const hint = Number(seconds) * 1000 - HINT_MARGIN_MS;
      if (hint <= 0) return false;
      if (hint < timeout) timeout = hint;
    }
    if (socket.timeout !== timeout) socket.setTimeout?.(timeout);
    return true;
  }

  reuseSocket(socket: HttpSocket, request: ClientRequest): void {
    setIdle(socket, false);
    request.reusedSocket = true;
    socket.ref?.();
  }

  /** Ends all connections. */
  destroy(): void {
    for (const set of [this.freeSockets, this.sockets]) {
      for (const sockets of Object.values(set)) for (const socket of sockets) socket.destroy();
    }
  }
}

/** Returns `Keep-Alive` of an answer. */
function hintOf(answer: unknown): string | undefined {
  if (!(answer instanceof IncomingMessage) || !answer.hasField("keep-alive")) return undefined;
  const value = answer.headers["keep-alive"];
  return typeof value === "string" ? value : undefined;
}
