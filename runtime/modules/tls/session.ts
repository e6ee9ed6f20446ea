/**
 * The client side of TLS over a connected socket. `TlsHandle` stands between two sockets of node:net, and moves bytes between
 * them and a session in C, which encrypts, decrypts and verifies the server (runtime/native/tls.c) but knows no descriptor:
 *
 *   TLSSocket (../tls.ts)    reads and writes decrypted bytes through this StreamHandle, and is its `listener`
 *   TlsHandle                passes bytes on, and holds writes back until the handshake has ended
 *   socket and its handle    read and write the encrypted bytes
 *
 * This file never closes a connection by itself. It reports a failure to the listener, which closes the handle, and `close`
 * closes the socket below.
 */
import type { Buffer } from "../buffer.ts";
import { addImmediate, nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { ECANCELED } from "../net/errors.ts";
import type { SocketAddress, StatusCallback, StreamHandle } from "../net/handle.ts";
import type { Socket } from "../net/socket.ts";

/** A TLS session in C. */
interface NativeSession {
  readonly session: unique symbol;
}

/** A set of trusted certificates in C, which several sessions share. */
export interface NativeContext {
  readonly context: unique symbol;
}

/** The result of a handshake in which the server has sent its certificates, whether C has accepted them or not. */
export type HandshakeResult = readonly [
  /** The code of the verification error, such as CERT_HAS_EXPIRED; undefined if the chain of certificates is valid. */
  verificationError: string | undefined,
  verificationMessage: string | undefined,
  /** The protocol that the server chose by ALPN; false if it chose none. */
  protocol: string | false,
  /** The names in the server's certificate as a flat list of types and names: "DNS", "a.example", "IP Address", "::1". */
  certificateNames: readonly string[],
  /** C has found `SessionOptions.host` among the names. */
  matchesHost: boolean,
];

export interface SessionOptions {
  /** The name or address that the server's certificate must be for. */
  readonly host: string;
  /** The name that is sent by SNI (RFC 6066, 3), so that the server can choose a certificate. */
  readonly serverName: string | undefined;
  /** The list of protocols that is sent by ALPN, encoded as in RFC 7301, 3.1. */
  readonly alpnProtocols: Uint8Array | undefined;
  /** Accepts any server, even one whose certificate fails verification (`rejectUnauthorized: false`). */
  readonly acceptsAnyServer: boolean;
}

/** Functions that throw an error of TLS have an alert for the server ready in `takeEncrypted`. */
interface Natives {
  readonly newSession: (
    context: NativeContext,
    serverName: string | undefined,
    alpnProtocols: Uint8Array | undefined,
    host: string,
    acceptsAnyServer: boolean,
  ) => NativeSession;
  /** Gives bytes from the server to the session. */
  readonly putEncrypted: (session: NativeSession, bytes: Uint8Array) => void;
  /** Returns the bytes that the session has for the server; undefined if there are none. */
  readonly takeEncrypted: (session: NativeSession) => Buffer | undefined;
  /**
   * Continues the handshake.
   *
   * @returns true if `outcomeOf` has a result, because the handshake has ended or because the session has refused the server's
   *   certificate; false if the session needs more bytes of the server; null if the server ended TLS by a close_notify
   * @throws an error of TLS
   */
  readonly shakeHands: (session: NativeSession) => boolean | null;
  /**
   * @returns undefined if the session needs more bytes of the server, null after the server's close_notify
   * @throws an error of TLS, or a TypeError if the session has not accepted the server
   */
  readonly readDecrypted: (session: NativeSession) => Buffer | undefined | null;
  /**
   * Packs the chunks into as few TLS records as possible.
   *
   * @throws an error of TLS, or a TypeError if the session has not accepted the server
   */
  readonly writeDecrypted: (session: NativeSession, chunks: readonly Uint8Array[]) => void;
  /** Makes the close_notify that tells the server that no further data will come (RFC 8446, 6.1). */
  readonly closeSession: (session: NativeSession) => void;
  readonly outcomeOf: (session: NativeSession) => HandshakeResult;
}

const native = natives<Natives>();

/** The socket that reads and writes the decrypted bytes. It must close the handle when it learns of a failure. */
export interface TlsListener {
  /** The handshake has a result. The listener decides whether it accepts the server, and may close the handle at once. */
  secured(result: HandshakeResult): void;
  /** TLS has failed. The alert is already on its way to the server, and the handle reads and writes no more. */
  failed(error: Error): void;
}

/** A write that waits for the end of the handshake. */
interface PendingWrite {
  readonly chunks: readonly Uint8Array[];
  readonly callback: StatusCallback;
}

export class TlsHandle implements StreamHandle {
  isReading = false;
  onRead: StreamHandle["onRead"] = () => {};
  /** Must be set before `start`. */
  listener: TlsListener | undefined;
  readonly #socket: Socket;
  readonly #socketHandle: StreamHandle;
  readonly #session: NativeSession;
  #state: "handshake" | "open" | "failed" | "closed" = "handshake";
  #pendingWrites: PendingWrite[] = [];
  /** The server sends no more: it has sent a close_notify, or the connection ended or broke. */
  #hasInputEnded = false;

  /** @param socket a connected socket, which this handle closes @param socketHandle the handle of that socket */
  constructor(socket: Socket, socketHandle: StreamHandle, context: NativeContext, options: SessionOptions) {
    this.#socket = socket;
    this.#socketHandle = socketHandle;
    const { host, serverName, alpnProtocols, acceptsAnyServer } = options;
    this.#session = native.newSession(context, serverName, alpnProtocols, host, acceptsAnyServer);
  }

  /** Begins the handshake. */
  start(): void {
    this.#socketHandle.onRead = (chunk) => this.#receive(chunk);
    this.#advance();
    nextTick(() => this.#receiveBufferedInput());
  }

  /** Takes what the socket has read before this handle replaced its `onRead`, then lets it read on. */
  #receiveBufferedInput(): void {
    for (let chunk: unknown = this.#socket.read(); chunk !== null; chunk = this.#socket.read()) {
      if (chunk instanceof Uint8Array) this.#receive(chunk);
    }
    if (this.#socket.readableEnded) this.#receive(null);
    else if (this.#isActive()) this.#socketHandle.startReading();
  }

  #isActive(): boolean {
    return this.#state === "handshake" || this.#state === "open";
  }

  /** Takes what `StreamHandle.onRead` gets: encrypted bytes, null at the end of the connection, or an error number. */
  #receive(chunk: Uint8Array | null | number): void {
    if (!this.#isActive() || this.#hasInputEnded) return;
    if (chunk !== null && typeof chunk !== "number") {
      native.putEncrypted(this.#session, chunk);
      return this.#advance();
    }
    this.#hasInputEnded = true;
    this.onRead(chunk);
  }

  /** Lets the session process the bytes that it has: first the handshake, then the data. */
  #advance(): void {
    if (this.#state === "handshake" && !this.#continueHandshake()) return;
    while (this.isReading && this.#state === "open" && !this.#hasInputEnded) {
      const bytes = this.#callSession(() => native.readDecrypted(this.#session));
      if (bytes === undefined) break;
      this.#hasInputEnded = bytes === null;
      this.onRead(bytes);
    }
    // Reading may have made an answer for the server, such as a new key (RFC 8446, 4.6.3).
    if (this.#state === "open") this.#sendEncrypted();
  }

  /** @returns true if the handshake has a result; the listener has got it and may have closed this handle */
  #continueHandshake(): boolean {
    const hasResult = this.#callSession(() => native.shakeHands(this.#session));
    this.#sendEncrypted();
    if (hasResult === null) this.#receive(null);
    if (hasResult !== true) return false;
    this.#state = "open";
    this.listener?.secured(native.outcomeOf(this.#session));
    // If the listener has closed this handle, `close` has taken the pending writes.
    for (const { chunks, callback } of this.#pendingWrites.splice(0)) {
      const result = this.write(chunks, callback);
      if (result !== undefined) callback(result === true ? 0 : result);
    }
    return true;
  }

  /** Calls a function of the session. An error of TLS ends this handle: the listener gets it, and undefined is returned. */
  #callSession<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#state = "failed";
      // The session may have made an alert that tells the server why.
      this.#sendEncrypted();
      this.listener?.failed(error);
      return undefined;
    }
  }

  /** Sends what the session has for the server. Returns as `write` does. */
  #sendEncrypted(callback: StatusCallback = () => {}): ReturnType<StreamHandle["write"]> {
    const bytes = native.takeEncrypted(this.#session);
    return bytes === undefined ? true : this.#socketHandle.write([bytes], callback);
  }

  write(chunks: readonly Uint8Array[], callback: StatusCallback): ReturnType<StreamHandle["write"]> {
    if (this.#state === "handshake") {
      this.#pendingWrites.push({ chunks, callback });
      return undefined;
    }
    if (this.#state !== "open") return ECANCELED;
    const isEncrypted = this.#callSession(() => {
      // As in Node.js, a head and its body go into one record if they are written together.
      native.writeDecrypted(this.#session, chunks);
      return true;
    });
    return isEncrypted === true ? this.#sendEncrypted(callback) : ECANCELED;
  }

  startReading(): void {
    this.isReading = true;
    // During the handshake the socket is read anyway.
    if (this.#state !== "open") return;
    this.#socketHandle.startReading();
    // The session may have decrypted bytes already, of which the socket will report nothing.
    nextTick(() => this.#advance());
  }

  stopReading(): void {
    this.isReading = false;
    if (this.#state === "open") this.#socketHandle.stopReading();
  }

  hasInput(): boolean {
    return this.#socketHandle.hasInput();
  }

  shutDown(callback: StatusCallback): void {
    if (this.#state === "open") native.closeSession(this.#session);
    if (this.#state !== "closed") this.#sendEncrypted();
    this.#socketHandle.shutDown(callback);
  }

  /** Closes the socket below, too. Pending writes fail with ECANCELED before the callback is called. */
  close(callback: () => void): void {
    this.#state = "closed";
    this.isReading = false;
    this.#socketHandle.onRead = () => {};
    const canceledWrites = this.#pendingWrites.splice(0);
    this.#socket.destroy();
    addImmediate(() => {
      for (const write of canceledWrites) write.callback(ECANCELED);
      callback();
    });
  }

  ref(): void {
    this.#socketHandle.ref();
  }

  unref(): void {
    this.#socketHandle.unref();
  }

  setNoDelay(on: boolean): void {
    this.#socketHandle.setNoDelay(on);
  }

  setKeepAlive(on: boolean, seconds: number): void {
    this.#socketHandle.setKeepAlive(on, seconds);
  }

  localAddress(): SocketAddress | undefined {
    return this.#socketHandle.localAddress();
  }

  remoteAddress(): SocketAddress | undefined {
    return this.#socketHandle.remoteAddress();
  }

  /** Counts encrypted bytes, as `bytesWritten` does. */
  get bytesRead(): number {
    return this.#socketHandle.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socketHandle.bytesWritten;
  }
}
