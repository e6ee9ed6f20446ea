/** The class Server of node:net: listens on an address or on a local path, and emits 'connection' with a Socket for each client. */
import { codedError, invalidValue, systemFailure } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import { addImmediate, nextTick, POLLIN, runCallback, watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { isIP, parsePort } from "./address.ts";
import { addressFailure, EAGAIN } from "./errors.ts";
import { DescriptorHandle, NO_DESCRIPTOR, type SocketAddress, type SocketFamily } from "./handle.ts";
import { Socket } from "./socket.ts";

/** The functions that return a number return a negative errno if they fail. */
interface Natives {
  readonly close: (descriptor: number) => void;
  readonly openSocket: (family: SocketFamily) => number;
  readonly bindSocket: (descriptor: number, family: SocketFamily, address: string, port: number) => number;
  readonly listenSocket: (descriptor: number, backlog: number) => number;
  readonly acceptSocket: (descriptor: number) => number;
  readonly nameOfSocket: (descriptor: number) => SocketAddress | undefined;
  readonly removeFile: (path: string) => void;
}

const native = natives<Natives>();

/** The number of clients that may wait in the kernel until they are accepted, as in Node.js. */
const BACKLOG = 511;
/** The number of clients that one turn of the event loop accepts, so that a flood of clients leaves time for the others. */
const MAX_ACCEPTED_PER_TURN = 16;
/** All addresses of this machine, of IPv6 and IPv4. */
const ANY_ADDRESS = "::";

export interface ServerOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly highWaterMark?: number | undefined;
}

interface ListenOptions {
  /** Without a port, the kernel chooses one. */
  readonly port?: number | undefined;
  readonly host?: string;
  /** The path of a Unix domain socket, in place of a host and a port. */
  readonly path?: string;
}

export class Server extends EventEmitter {
  /** The number of clients that may be connected at a time. The server disconnects further clients. */
  maxConnections?: number;
  readonly #options: ServerOptions;
  #connectionCount = 0;
  #descriptor = NO_DESCRIPTOR;
  #watch: ReturnType<typeof watch> | undefined;
  #isReferenced = true;
  /** The path of a Unix domain socket, whose file `close` removes. */
  #path: string | undefined;

  constructor(options: ServerOptions = {}, listener?: (socket: Socket) => void) {
    super();
    this.#options = options;
    if (listener !== undefined) this.on("connection", listener);
  }

  /**
   * Takes (options), (path) or (port, host), and a listener for 'listening' as the last argument. Unlike in Node.js, the host
   * must be an IP address. Errors of system calls are emitted as 'error'.
   *
   * @throws an error such as Node.js throws for an invalid port or address, or if the server listens already
   */
  listen(target?: number | string | ListenOptions, ...furtherArguments: unknown[]): this {
    if (this.listening) {
      const message = "Listen method has been called more than once without closing.";
      throw codedError("ERR_SERVER_ALREADY_LISTEN", message);
    }
    const callback = furtherArguments.findLast((value) => typeof value === "function");
    if (typeof callback === "function") this.once("listening", () => void Reflect.apply(callback, this, []));
    const options = parseListenArguments(target, furtherArguments[0]);
    // 0 is the family of Unix domain sockets.
    if (options.path !== undefined) this.#listenOn(0, options.path, 0);
    else {
      const port = parsePort(options.port ?? 0);
      const family = options.host === undefined ? 6 : isIP(options.host);
      if (family === 0) throw invalidValue("options.host", options.host, "must be an address");
      this.#listenOn(family, options.host ?? ANY_ADDRESS, port);
    }
    return this;
  }

  #listenOn(family: SocketFamily, address: string, port: number): void {
    const descriptor = native.openSocket(family);
    let errno = Math.min(0, descriptor);
    if (errno === 0) errno = native.bindSocket(descriptor, family, address, port);
    if (errno === 0) errno = native.listenSocket(descriptor, BACKLOG);
    const isLocal = family === 0;
    if (errno !== 0) {
      if (descriptor >= 0) native.close(descriptor);
      const failure = addressFailure(errno, "listen", address, isLocal ? undefined : port);
      return nextTick(() => this.emit("error", failure));
    }
    this.#descriptor = descriptor;
    this.#path = isLocal ? address : undefined;
    this.#watch = watch(descriptor, POLLIN, () => this.#acceptClients());
    if (!this.#isReferenced) this.#watch.unref();
    nextTick(() => {
      if (this.listening) this.emit("listening");
    });
  }

  /** Accepts waiting clients. If there are more than one turn may accept, poll(2) reports them again in the next turn. */
  #acceptClients(): void {
    for (let count = 0; count < MAX_ACCEPTED_PER_TURN && this.listening; count += 1) {
      const result = native.acceptSocket(this.#descriptor);
      if (result === EAGAIN) return;
      if (result < 0) return runCallback(() => this.emit("error", systemFailure(result, "accept")));
      runCallback(() => this.#addConnection(result));
    }
  }

  #addConnection(descriptor: number): void {
    const handle = new DescriptorHandle(descriptor);
    if (this.maxConnections !== undefined && this.#connectionCount >= this.maxConnections) {
      handle.close(() => {});
      this.emit("drop");
      return;
    }
    const { allowHalfOpen, noDelay, highWaterMark } = this.#options;
    if (noDelay === true) handle.setNoDelay(true);
    const socket = new Socket({ handle, allowHalfOpen, noDelay, highWaterMark });
    this.#connectionCount += 1;
    socket.server = this;
    socket.onDestroyed = () => {
      this.#connectionCount -= 1;
      this.#emitCloseAtEnd();
    };
    this.emit("connection", socket);
  }

  /** Accepts no further connections. The server emits 'close' when the existing connections have ended. */
  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      const error = codedError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
      this.once("close", this.listening ? () => callback() : () => callback(error));
    }
    if (this.listening) {
      this.#watch?.close();
      native.close(this.#descriptor);
      this.#descriptor = NO_DESCRIPTOR;
      if (this.#path !== undefined) removeSocketFile(this.#path);
    }
    this.#emitCloseAtEnd();
    return this;
  }

  #emitCloseAtEnd(): void {
    if (!this.listening && this.#connectionCount === 0) addImmediate(() => this.emit("close"));
  }

  get listening(): boolean {
    return this.#descriptor !== NO_DESCRIPTOR;
  }

  /** Returns the address on which the server listens, or the path of a Unix domain socket. */
  address(): { readonly address: string; readonly family: string; readonly port: number } | string | null {
    if (!this.listening) return null;
    const socketAddress = native.nameOfSocket(this.#descriptor);
    if (socketAddress === undefined) return this.#path ?? null;
    const [address, family, port] = socketAddress;
    return { address, family: `IPv${family}`, port };
  }

  ref(): this {
    this.#isReferenced = true;
    this.#watch?.ref();
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.#watch?.unref();
    return this;
  }
}

/** @param host the second argument of `listen`, which may also be the listener or missing */
function parseListenArguments(target: number | string | ListenOptions | undefined, host: unknown): ListenOptions {
  if (typeof target === "string") return { path: target };
  const options = typeof target === "object" ? target : { port: target };
  return typeof host === "string" ? { ...options, host } : options;
}

/** Removes the file of a Unix domain socket, as libuv does. */
function removeSocketFile(path: string): void {
  try {
    native.removeFile(path);
  } catch {
    // The file was already removed, or the socket has no file: the path of an abstract socket begins with a null byte.
  }
}
