import { codedError, invalidValue, systemFailure } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import { addImmediate, nextTick, POLLIN, runCallback, watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { isIP, validPort } from "./address.ts";
import { addressFailure, EAGAIN } from "./errors.ts";
import { DescriptorHandle, type Family, type Name } from "./handle.ts";
import { Socket } from "./socket.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly openSocket: (family: Family) => number;
  readonly bindSocket: (descriptor: number, family: Family, address: string, port: number) => number;
  readonly listenSocket: (descriptor: number, backlog: number) => number;
  readonly acceptSocket: (descriptor: number) => number;
  readonly nameOfSocket: (descriptor: number) => Name | undefined;
  readonly removeFile: (path: string) => void;
}

const native = natives<Natives>();

const BACKLOG = 511;
/** Connections accepted in a turn of the loop: a flood of them must leave turns to those that are there. */
const ACCEPTED_AT_ONCE = 16;

export interface ServerOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly highWaterMark?: number | undefined;
}

/** Removes the file of a socket, as libuv does. */
function removeSocket(path: string): void {
  try {
    native.removeFile(path);
  } catch {
    // It is gone, or was never a file.
  }
}

export class Server extends EventEmitter {
  /** Further clients are disconnected. */
  maxConnections?: number;
  readonly #options: ServerOptions;
  #connections = 0;
  #descriptor = -1;
  #watch: ReturnType<typeof watch> | undefined;
  #isReferenced = true;
  #path: string | undefined;

  constructor(options: ServerOptions = {}, listener?: (socket: Socket) => void) {
    super();
    this.#options = options;
    if (listener !== undefined) this.on("connection", listener);
  }

  /** Listens on a port of an address of this machine, or on a path. Names of hosts are not looked up. */
  listen(
    port: number | string | { readonly port?: number; readonly host?: string; readonly path?: string },
    ...more: unknown[]
  ): this {
    if (this.listening)
      throw codedError("ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.");
    const callback = more.findLast((one) => typeof one === "function");
    if (typeof callback === "function") this.once("listening", () => void Reflect.apply(callback, this, []));
    const options = typeof port === "object" ? port : typeof port === "string" ? { path: port } : { port };
    const host = typeof more[0] === "string" ? more[0] : "host" in options ? options.host : undefined;
    if ("path" in options && options.path !== undefined) this.#listenOn(0, options.path, 0);
    else {
      const number = validPort("port" in options ? options.port : 0);
      const family = host === undefined ? 6 : isIP(host);
      if (family === 0) throw invalidValue("options.host", host, "must be an address");
      this.#listenOn(family, host ?? "::", number);
    }
    return this;
  }

  #listenOn(family: Family, address: string, port: number): void {
    const descriptor = native.openSocket(family);
    let error = Math.min(0, descriptor);
    if (error === 0) error = native.bindSocket(descriptor, family, address, port);
    if (error === 0) error = native.listenSocket(descriptor, BACKLOG);
    if (error !== 0) {
      if (descriptor >= 0) native.close(descriptor);
      const failure = addressFailure(error, "listen", address, family === 0 ? undefined : port);
      return nextTick(() => this.emit("error", failure));
    }
    this.#descriptor = descriptor;
    this.#path = family === 0 ? address : undefined;
    this.#watch = watch(descriptor, POLLIN, () => this.#accept());
    if (!this.#isReferenced) this.#watch.unref();
    nextTick(() => {
      if (this.listening) this.emit("listening");
    });
  }

  #accept(): void {
    // poll(2) says again that others wait.
    for (let count = 0; count < ACCEPTED_AT_ONCE && this.listening; count += 1) {
      const descriptor = native.acceptSocket(this.#descriptor);
      if (descriptor === EAGAIN) return;
      runCallback(() => this.#admit(descriptor));
      if (descriptor < 0) return;
    }
  }

  #admit(descriptor: number): void {
    if (descriptor < 0) return void this.emit("error", systemFailure(descriptor, "accept"));
    const handle = new DescriptorHandle(descriptor);
    if (this.maxConnections !== undefined && this.#connections >= this.maxConnections) {
      handle.close(() => {});
      this.emit("drop");
      return;
    }
    const { allowHalfOpen, noDelay, highWaterMark } = this.#options;
    if (noDelay === true) handle.setNoDelay(true);
    const socket = new Socket({ handle, allowHalfOpen, noDelay, highWaterMark });
    this.#connections += 1;
    socket.server = this;
    socket.owner = {
      lost: () => {
        this.#connections -= 1;
        this.#closeIfDone();
      },
    };
    this.emit("connection", socket);
  }

  /** Takes no further connections. 'close' follows when all have ended. */
  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      const error = codedError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
      this.once("close", this.listening ? () => callback() : () => callback(error));
    }
    if (this.listening) {
      this.#watch?.close();
      native.close(this.#descriptor);
      this.#descriptor = -1;
      if (this.#path !== undefined) removeSocket(this.#path);
    }
    this.#closeIfDone();
    return this;
  }

  #closeIfDone(): void {
    if (!this.listening && this.#connections === 0) addImmediate(() => this.emit("close"));
  }

  get listening(): boolean {
    return this.#descriptor !== -1;
  }

  address(): { readonly address: string; readonly family: string; readonly port: number } | string | null {
    if (!this.listening) return null;
    const name = native.nameOfSocket(this.#descriptor);
    return name === undefined ? (this.#path ?? null) : { address: name[0], family: `IPv${name[1]}`, port: name[2] };
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
