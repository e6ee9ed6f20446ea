/**
 * The client side of TLS over a connected socket. A session in C encrypts, decrypts and verifies the server
 * (runtime/native/tls.c), but reads and writes no descriptor. `TlsHandle` moves bytes between two sockets of node:net and the
 * session:
 *
 *   TLSSocket (../tls.ts)    reads and writes decrypted bytes through the TlsHandle, and is its `listener`
 *   TlsHandle                passes bytes to the session and back, and keeps writes until the handshake has ended
 *   Socket and its handle    read and write the encrypted bytes
 *
 * A TlsHandle never closes a connection by itself. It reports a failure to the listener, which calls `close`, and `close` destroys
 * the socket with the encrypted bytes.
 */
import type { Buffer } from "../buffer.ts";
import { addImmediate, nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { ECANCELED } from "../net/errors.ts";
import type { SocketAddress, StatusCallback, StreamHandle } from "../net/handle.ts";
import type { Socket } from "../net/socket.ts";

/** A TLS session in C. The property exists only in the type, so that nothing else can be taken for a session. */
interface NativeSession {
  readonly session: unique symbol;
}

/** A set of trusted certificates in C, which several sessions share. The property exists only in the type. */
export interface NativeContext {
  readonly context: unique symbol;
}

/** The result of a handshake in which the server has sent its certificates, even if C has refused them. */
export type HandshakeResult = readonly [
  /** The code of the verification error, such as CERT_HAS_EXPIRED; undefined if the certificate chain is valid. */
  errorCode: string | undefined,
  errorMessage: string | undefined,
  /** The protocol that the server chose by ALPN; false if it chose none. */
  protocol: string | false,
  /** The names in the server's certificate as a flat list of types and names: "DNS", "a.example", "IP Address", "::1". */
  certificateNames: readonly string[],
  /** True if C has found `SessionOptions.host` among the names. */
  hasMatch: boolean,
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

/** After a function has thrown an error of TLS, `takeEncrypted` returns an alert for the server. */
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
   *   certificate; false if the session needs more bytes from the server; null if the server ended TLS by a close_notify
   * @throws an error of TLS
   */
  readonly shakeHands: (session: NativeSession) => boolean | null;
  /**
   * @returns undefined if the session needs more bytes from the server; null after the server's close_notify
   * @throws an error of TLS, or a TypeError if the session has not accepted the server
   */
  readonly readDecrypted: (session: NativeSession) => Buffer | undefined | null;
  /**
   * Packs the chunks into as few TLS records as possible.
   *
   * @throws an error of TLS, or a TypeError if the session has not accepted the server
   */
  readonly writeDecrypted: (session: NativeSession, chunks: readonly Uint8Array[]) => void;
  /** Creates the close_notify by which the server learns that no further data will come (RFC 8446, 6.1). */
  readonly closeSession: (session: NativeSession) => void;
  readonly outcomeOf: (session: NativeSession) => HandshakeResult;
}

const native = natives<Natives>();

/** The socket that reads and writes the decrypted bytes. */
export interface TlsListener {
  /** Decides whether to accept the server, and closes the handle if not. */
  onHandshakeResult(result: HandshakeResult): void;
  /** Must close the handle, because TLS has failed. The handle has already sent an alert to the server. */
  onFailure(error: Error): void;
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
  /** True if the server has sent a close_notify, or the connection has ended or failed. */
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

  /** Processes the bytes that the socket read before this handle replaced its `onRead`. Then the socket continues to read. */
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

  /** @param chunk encrypted bytes, null at the end of the connection, or a negative errno, as `StreamHandle.onRead` gets them */
  #receive(chunk: Uint8Array | null | number): void {
    if (!this.#isActive() || this.#hasInputEnded) return;
    if (chunk !== null && typeof chunk !== "number") {
      native.putEncrypted(this.#session, chunk);
      return this.#advance();
    }
    this.#hasInputEnded = true;
    this.onRead(chunk);
  }

  /** Lets the session process the bytes from the server: first the handshake, then the data. */
  #advance(): void {
    if (this.#state === "handshake" && !this.#continueHandshake()) return;
    while (this.isReading && this.#state === "open" && !this.#hasInputEnded) {
      const bytes = this.#callSession(() => native.readDecrypted(this.#session));
      if (bytes === undefined) break;
      this.#hasInputEnded = bytes === null;
      this.onRead(bytes);
    }
    // The session may have an answer for the server, such as to a change of keys (RFC 8446, 4.6.3).
    if (this.#state === "open") this.#sendEncrypted();
  }

  /** @returns true if the handshake has a result. The listener has got it, and may have closed this handle. */
  #continueHandshake(): boolean {
    const hasResult = this.#callSession(() => native.shakeHands(this.#session));
    this.#sendEncrypted();
    if (hasResult === null) this.#receive(null);
    if (hasResult !== true) return false;
    this.#state = "open";
    this.listener?.onHandshakeResult(native.outcomeOf(this.#session));
    // There are no pending writes if the listener has closed this handle.
    for (const { chunks, callback } of this.#pendingWrites.splice(0)) {
      const result = this.write(chunks, callback);
      if (result !== undefined) callback(result === true ? 0 : result);
    }
    return true;
  }

  /** Calls a function of the session. If it throws, TLS has failed: the listener gets the error, and undefined is returned. */
  #callSession<Result>(sessionFunction: () => Result): Result | undefined {
    try {
      return sessionFunction();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#state = "failed";
      // The session may have an alert, by which the server learns the reason.
      this.#sendEncrypted();
      this.listener?.onFailure(error);
      return undefined;
    }
  }

  /** Sends the bytes that the session has for the server. @returns the same as `write` */
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
      // All chunks at once, so that a head and its body are in one record, as in Node.js.
      native.writeDecrypted(this.#session, chunks);
      return true;
    });
    return isEncrypted === true ? this.#sendEncrypted(callback) : ECANCELED;
  }

  startReading(): void {
    this.isReading = true;
    // The handshake reads the socket in any case.
    if (this.#state !== "open") return;
    this.#socketHandle.startReading();
    // The session may already have bytes, for which the socket will not call `#receive` again.
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

  /** Destroys the socket with the encrypted bytes, too. Pending writes fail with ECANCELED before the callback is called. */
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

  /** The number of encrypted bytes. So is `bytesWritten`. */
  get bytesRead(): number {
    return this.#socketHandle.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socketHandle.bytesWritten;
  }
}
