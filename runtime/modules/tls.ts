/**
 * The parts of node:tls that the bundle uses: contexts with trusted certificates, and clients over a socket that is connected.
 *
 * The server is verified twice. C refuses a wrong server before any data is exchanged (runtime/native/verify.c), and `TLSSocket`
 * compares the host again and makes an error with the name and the message of Node.js.
 */
import { readFileSync, statSync, writeSync } from "./fs.ts";
import { Buffer } from "./buffer.ts";
import { codedError, invalidType } from "../errors.ts";
import { Socket } from "./net/socket.ts";
import { process } from "./process.ts";
import { checkServerIdentity } from "./tls/identity.ts";
import { type HandshakeResult, type NativeContext, TlsHandle, type TlsListener } from "./tls/session.ts";
import { nextTick } from "../loop.ts";
import { natives } from "../native.ts";

interface Natives {
  /** @param texts PEM, as text or as bytes */
  readonly newContext: (trustsMozilla: boolean, texts: readonly (string | Uint8Array)[]) => NativeContext;
  /** @returns undefined if the first certificate can be parsed, or a reason such as PEM_NO_START_LINE */
  readonly problemOfCertificate: (bytes: Uint8Array) => string | undefined;
}

const native = natives<Natives>();

interface ContextOptions {
  /** The only trusted certificates, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
}

export interface SecureContext {
  readonly context: NativeContext;
}

interface ConnectOptions {
  /** A connected socket, which the TLSSocket closes. */
  readonly socket: Socket;
  readonly host?: string;
  readonly servername?: string;
  readonly secureContext?: SecureContext;
  readonly ALPNProtocols?: readonly string[];
  readonly rejectUnauthorized?: boolean;
}

/** Reading Mozilla's certificates takes time, so all connections without `ca` share a context. */
let defaultContext: SecureContext | undefined;

/** Trusts Mozilla's authorities and those of NODE_EXTRA_CA_CERTS, or only those of `ca`. */
export function createSecureContext({ ca }: ContextOptions = {}): SecureContext {
  if (ca === undefined) return (defaultContext ??= { context: native.newContext(true, readExtraCertificates()) });
  const texts = typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
  for (const text of texts) {
    if (typeof text === "string" || text instanceof Uint8Array) continue;
    throw invalidType("options.ca", "of type string or an instance of Buffer, TypedArray, or DataView", text);
  }
  return { context: native.newContext(false, texts) };
}

/** Trusts Mozilla's authorities and those of PEM texts. */
export function contextTrusting(texts: readonly string[]): SecureContext {
  return { context: native.newContext(true, texts) };
}

/** Reads the file of NODE_EXTRA_CA_CERTS. As in Node.js, a file that cannot be used leads to a warning only. */
function readExtraCertificates(): readonly (string | Uint8Array)[] {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (file === undefined || file === "") return [];
  try {
    const stats = statSync(file);
    // Node.js finds no certificate in a folder or a device, and reports nothing. A device may have no end.
    if (stats?.isFile() !== true && stats?.isFIFO() !== true) return [];
    const bytes = Buffer.from(readFileSync(file));
    const problem = native.problemOfCertificate(bytes);
    if (problem === undefined || problem === "PEM_NO_START_LINE") return [bytes];
    throw new Error(problem);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    writeSync(2, Buffer.from(`Warning: Ignoring extra certs from \`${file}\`, load failed: ${reason}\n`));
    return [];
  }
}

/** A client. It emits 'secureConnect' when it has accepted the server, and may be written before that. */
class TLSSocket extends Socket implements TlsListener {
  authorized = false;
  authorizationError: string | null = null;
  alpnProtocol: string | false | null = null;
  secureConnecting = true;
  readonly servername: string | undefined;
  readonly #host: string;
  readonly #rejectsUnauthorized: boolean;
  readonly #rawSocket: Socket;

  constructor(options: ConnectOptions) {
    const { socket, servername, secureContext = createSecureContext(), ALPNProtocols: protocols } = options;
    if (socket.connecting) throw new TypeError("a socket that is not connected yet");
    const host = servername ?? options.host ?? "localhost";
    const alpnProtocols = protocols === undefined ? undefined : encodeProtocols(protocols);
    const acceptsAnyServer = options.rejectUnauthorized === false;
    const sessionOptions = { host, serverName: servername, alpnProtocols, acceptsAnyServer };
    const tlsHandle =
      socket.handle === null ? undefined : new TlsHandle(socket, socket.handle, secureContext.context, sessionOptions);
    super({ handle: tlsHandle });
    this.servername = servername;
    this.#host = host;
    this.#rejectsUnauthorized = !acceptsAnyServer;
    this.#rawSocket = socket;
    this.prependListener("end", this.#onEarlyEnd);
    if (tlsHandle === undefined) {
      // The socket is destroyed already.
      nextTick(() => this.#onEarlyEnd());
      return;
    }
    socket.on("close", () => this.destroy());
    tlsHandle.listener = this;
    tlsHandle.start();
  }

  /** Handles the end of the connection before the handshake has ended. */
  readonly #onEarlyEnd = (): void => {
    if (this.hadError || this.destroyed) return;
    this.hadError = true;
    const message = "Client network socket disconnected before secure TLS connection was established";
    const { remoteAddress: host, remotePort: port, localAddress } = this.#rawSocket;
    this.destroy(Object.assign(codedError("ECONNRESET", message), { host, port, localAddress }));
  };

  /** Accepts the server, or closes the connection with an error of Node.js. C has closed its session for a wrong server already. */
  secured([verificationError, verificationMessage, protocol, certificateNames, matchesHost]: HandshakeResult): void {
    this.alpnProtocol = protocol;
    const error =
      verificationError === undefined
        ? checkServerIdentity(this.#host, certificateNames, matchesHost)
        : codedError(verificationError, verificationMessage ?? verificationError);
    this.authorized = error === undefined;
    if (error !== undefined) {
      this.authorizationError = error.code;
      if (this.#rejectsUnauthorized) return void this.destroy(error);
    }
    this.secureConnecting = false;
    this.off("end", this.#onEarlyEnd);
    this.emit("secureConnect");
  }

  failed(error: Error): void {
    if (this.hadError) return;
    this.hadError = true;
    this.destroy(error);
  }
}

export function connect(options: ConnectOptions): TLSSocket {
  return new TLSSocket(options);
}

/** Encodes a list of protocols as RFC 7301, 3.1 does: each name follows its length, such as `\x02h2\x08http/1.1`. */
function encodeProtocols(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.flatMap((name) => [Buffer.from([Buffer.byteLength(name)]), Buffer.from(name)]));
}
