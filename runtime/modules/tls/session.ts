/** TLS over the handle of a connected socket. */
import type { Buffer } from "../buffer.ts";
import { addImmediate, nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { ECANCELED } from "../net/errors.ts";
import type { Done, Name, StreamHandle } from "../net/handle.ts";
import type { Socket } from "../net/socket.ts";

export interface Session {
  readonly session: unique symbol;
}

/** The object of a context in C. */
export interface NativeContext {
  readonly context: unique symbol;
}

export type Outcome = readonly [
  problem: string | undefined,
  message: string | undefined,
  /** The protocol by ALPN. */
  protocol: string | false,
  /** The names of the server's certificate: type and name in turns. */
  names: readonly string[],
  /** The certificate is for the host. */
  isForHost: boolean,
];

/** Options of a session. */
export interface Request {
  /** The name or address that the server's certificate must be for. */
  readonly host: string;
  /** For SNI (RFC 6066, 3). */
  readonly name: string | undefined;
  /** For ALPN, as on the wire. */
  readonly protocols: Uint8Array | undefined;
  /** Also a server that is not the right one is accepted. */
  readonly acceptsAll: boolean;
}

interface Natives {
  readonly newSession: (
    context: NativeContext,
    name: string | undefined,
    protocols: Uint8Array | undefined,
    host: string,
    acceptsAll: boolean,
  ) => Session;
  readonly putEncrypted: (session: Session, bytes: Uint8Array) => void;
  readonly takeEncrypted: (session: Session) => Buffer | undefined;
  /**
   * @returns true if the handshake is over, or ended by a refusal of the server, null if the server ended it
   * @throws errors of TLS, as the next two, which throw for a server that is refused
   */
  readonly shakeHands: (session: Session) => boolean | null;
  /** @returns undefined if there is nothing yet, null after the end */
  readonly readDecrypted: (session: Session) => Buffer | undefined | null;
  /** As few records as possible have all of the chunks. */
  readonly writeDecrypted: (session: Session, chunks: readonly Uint8Array[]) => void;
  readonly closeSession: (session: Session) => void;
  readonly outcomeOf: (session: Session) => Outcome;
}

const native = natives<Natives>();

/** The socket that reads and writes decrypted bytes. */
export interface Owner {
  secured(outcome: Outcome): void;
  failed(error: Error): void;
}

interface Write {
  readonly chunks: readonly Uint8Array[];
  readonly done: Done;
}

export class TlsHandle implements StreamHandle {
  isReading = false;
  onRead: StreamHandle["onRead"] = () => {};
  owner: Owner | undefined;
  readonly #socket: Socket;
  readonly #below: StreamHandle;
  readonly #session: Session;
  #state: "handshake" | "open" | "failed" | "closed" = "handshake";
  /** Writes of the socket during the handshake. */
  #waiting: Write[] = [];
  /** The server ended its side, by a close_notify or without. */
  #isEnded = false;

  constructor(socket: Socket, below: StreamHandle, context: NativeContext, request: Request) {
    this.#socket = socket;
    this.#below = below;
    const { host, name, protocols, acceptsAll } = request;
    this.#session = native.newSession(context, name, protocols, host, acceptsAll);
  }

  /** Begins the handshake. */
  start(): void {
    this.#below.onRead = (chunk) => this.#take(chunk);
    this.#advance();
    // Bytes that the socket has read already.
    nextTick(() => {
      for (let chunk: unknown = this.#socket.read(); chunk !== null; chunk = this.#socket.read()) {
        if (chunk instanceof Uint8Array) this.#take(chunk);
      }
      if (this.#socket.readableEnded) this.#take(null);
      else if (this.#isActive()) this.#below.startReading();
    });
  }

  #isActive(): boolean {
    return this.#state === "handshake" || this.#state === "open";
  }

  #take(chunk: Uint8Array | null | number): void {
    if (!this.#isActive() || this.#isEnded) return;
    if (chunk !== null && typeof chunk !== "number") {
      native.putEncrypted(this.#session, chunk);
      return this.#advance();
    }
    this.#isEnded = true;
    this.onRead(chunk);
  }

  /** Goes on with what the server sent. */
  #advance(): void {
    if (this.#state === "handshake") {
      const isOver = this.#attempt(() => native.shakeHands(this.#session));
      this.#flush();
      if (isOver === null) this.#take(null);
      if (isOver !== true) return;
      this.#state = "open";
      // May close this.
      this.owner?.secured(native.outcomeOf(this.#session));
      for (const { chunks, done } of this.#waiting.splice(0)) this.#settle(this.write(chunks, done), done);
    }
    while (this.isReading && this.#state === "open" && !this.#isEnded) {
      const bytes = this.#attempt(() => native.readDecrypted(this.#session));
      if (bytes === undefined) break;
      this.#isEnded = bytes === null;
      this.onRead(bytes);
    }
    // Answers to the server, such as a new key.
    if (this.#state === "open") this.#flush();
  }

  /** Returns undefined if TLS fails; the owner knows it then. */
  #attempt<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#state = "failed";
      // An alert.
      this.#flush();
      this.owner?.failed(error);
      return undefined;
    }
  }

  #flush(done: Done = () => {}): ReturnType<StreamHandle["write"]> {
    const bytes = native.takeEncrypted(this.#session);
    return bytes === undefined ? true : this.#below.write([bytes], done);
  }

  #settle(result: ReturnType<StreamHandle["write"]>, done: Done): void {
    if (result !== undefined) done(result === true ? 0 : result);
  }

  write(chunks: readonly Uint8Array[], done: Done): ReturnType<StreamHandle["write"]> {
    if (this.#state === "handshake") {
      this.#waiting.push({ chunks, done });
      return undefined;
    }
    if (this.#state !== "open") return ECANCELED;
    const isDone = this.#attempt(() => {
      // As in Node.js: a head and its body go in one record if they were written together.
      native.writeDecrypted(this.#session, chunks);
      return true;
    });
    return isDone === true ? this.#flush(done) : ECANCELED;
  }

  startReading(): void {
    this.isReading = true;
    if (this.#state !== "open") return;
    this.#below.startReading();
    // There may be decrypted bytes.
    nextTick(() => this.#advance());
  }

  stopReading(): void {
    this.isReading = false;
    if (this.#state === "open") this.#below.stopReading();
  }

  hasInput(): boolean {
    return this.#below.hasInput();
  }

  shutDown(done: Done): void {
    if (this.#state === "open") native.closeSession(this.#session);
    if (this.#state !== "closed") this.#flush();
    this.#below.shutDown(done);
  }

  close(done: () => void): void {
    this.#state = "closed";
    this.isReading = false;
    this.#below.onRead = () => {};
    const writes = this.#waiting.splice(0);
    this.#socket.destroy();
    addImmediate(() => {
      for (const write of writes) write.done(ECANCELED);
      done();
    });
  }

  ref(): void {
    this.#below.ref();
  }

  unref(): void {
    this.#below.unref();
  }

  setNoDelay(on: boolean): void {
    this.#below.setNoDelay(on);
  }

  setKeepAlive(on: boolean, seconds: number): void {
    this.#below.setKeepAlive(on, seconds);
  }

  nameOfSocket(): Name | undefined {
    return this.#below.nameOfSocket();
  }

  nameOfPeer(): Name | undefined {
    return this.#below.nameOfPeer();
  }

  get bytesRead(): number {
    return this.#below.bytesRead;
  }

  get bytesWritten(): number {
    return this.#below.bytesWritten;
  }
}
