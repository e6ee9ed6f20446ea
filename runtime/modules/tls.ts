/**
 * The module node:tls, as far as the bundle uses it: contexts with trusted certificates, and clients over a connected socket. The
 * bundle is the JavaScript of sophia-run, which this runtime executes.
 *
 * The server is verified twice. C refuses a wrong server before any data is exchanged (runtime/native/verify.c). Then `TLSSocket`
 * compares the host again, and creates the error that Node.js would create.
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
  /** @param certificates trusted certificates in PEM, as text or as bytes */
  readonly newContext: (trustsMozilla: boolean, certificates: readonly (string | Uint8Array)[]) => NativeContext;
  /** @returns the reason why the first certificate cannot be parsed, such as PEM_NO_START_LINE; undefined if it can */
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
  /** The name or address that the certificate must be for, unless there is a `servername`. */
  readonly host?: string;
  /** The name that is sent to the server by SNI, and that the certificate must be for. */
  readonly servername?: string;
  readonly secureContext?: SecureContext;
  /** The protocols that the server may choose from, such as "http/1.1". */
  readonly ALPNProtocols?: readonly string[];
  /** False to accept any server. */
  readonly rejectUnauthorized?: boolean;
}

/** The context of all connections without `ca`. They share it, because parsing Mozilla's certificates takes time. */
let defaultContext: SecureContext | undefined;

/** Creates a context that trusts the certificates in `ca` alone. Without `ca`, it trusts Mozilla's and NODE_EXTRA_CA_CERTS. */
export function createSecureContext({ ca }: ContextOptions = {}): SecureContext {
  if (ca === undefined) return (defaultContext ??= { context: native.newContext(true, readExtraCertificates()) });
  const certificates = typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
  for (const certificate of certificates) {
    if (typeof certificate === "string" || certificate instanceof Uint8Array) continue;
    throw invalidType("options.ca", "of type string or an instance of Buffer, TypedArray, or DataView", certificate);
  }
  return { context: native.newContext(false, certificates) };
}

/** Creates a context that trusts Mozilla's certificates and the given ones, which are in PEM. */
export function contextTrusting(certificates: readonly string[]): SecureContext {
  return { context: native.newContext(true, certificates) };
}

/** Reads the file of NODE_EXTRA_CA_CERTS. As in Node.js, a file that cannot be used leads to a warning only. */
function readExtraCertificates(): readonly (string | Uint8Array)[] {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (file === undefined || file === "") return [];
  try {
    const stats = statSync(file);
    // Node.js finds no certificate in a folder or a device, and does not warn. Reading a device might never end.
    if (stats?.isFile() !== true && stats?.isFIFO() !== true) return [];
    const bytes = Buffer.from(readFileSync(file));
    const problem = native.problemOfCertificate(bytes);
    // As in Node.js, there is no warning for a file without certificates.
    if (problem === undefined || problem === "PEM_NO_START_LINE") return [bytes];
    throw new Error(problem);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    writeSync(2, Buffer.from(`Warning: Ignoring extra certs from \`${file}\`, load failed: ${reason}\n`));
    return [];
  }
}

/** A client. It emits 'secureConnect' when it has accepted the server. The caller may write before that. */
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
    if (socket.connecting) throw new TypeError("the socket is not connected yet");
    const host = servername ?? options.host ?? "localhost";
    const alpnProtocols = protocols === undefined ? undefined : encodeProtocols(protocols);
    const acceptsAnyServer = options.rejectUnauthorized === false;
    const sessionOptions = { host, serverName: servername, alpnProtocols, acceptsAnyServer };
    // A socket without a handle was destroyed.
    const tlsHandle =
      socket.handle === null ? undefined : new TlsHandle(socket, socket.handle, secureContext.context, sessionOptions);
    super({ handle: tlsHandle });
    this.servername = servername;
    this.#host = host;
    this.#rejectsUnauthorized = !acceptsAnyServer;
    this.#rawSocket = socket;
    // As in Node.js, this listener precedes those of the caller.
    this.prependListener("end", this.#onEarlyEnd);
    if (tlsHandle === undefined) {
      nextTick(() => this.#onEarlyEnd());
      return;
    }
    socket.on("close", () => this.destroy());
    tlsHandle.listener = this;
    tlsHandle.start();
  }

  /** Reports that the connection has ended before the handshake. */
  readonly #onEarlyEnd = (): void => {
    if (this.hadError || this.destroyed) return;
    this.hadError = true;
    const message = "Client network socket disconnected before secure TLS connection was established";
    const { remoteAddress: host, remotePort: port, localAddress } = this.#rawSocket;
    this.destroy(Object.assign(codedError("ECONNRESET", message), { host, port, localAddress }));
  };

  /** Accepts the server, or destroys this socket with an error such as Node.js creates. C has already refused a wrong server. */
  onHandshakeResult([errorCode, errorMessage, protocol, certificateNames, hasMatch]: HandshakeResult): void {
    this.alpnProtocol = protocol;
    const error =
      errorCode === undefined
        ? checkServerIdentity(this.#host, certificateNames, hasMatch)
        : codedError(errorCode, errorMessage ?? errorCode);
    this.authorized = error === undefined;
    if (error !== undefined) {
      this.authorizationError = error.code;
      if (this.#rejectsUnauthorized) return void this.destroy(error);
    }
    this.secureConnecting = false;
    this.off("end", this.#onEarlyEnd);
    this.emit("secureConnect");
  }

  onFailure(error: Error): void {
    if (this.hadError) return;
    this.hadError = true;
    this.destroy(error);
  }
}

export function connect(options: ConnectOptions): TLSSocket {
  return new TLSSocket(options);
}

/** Encodes protocols as in RFC 7301, 3.1: the length of each name precedes the name, as in `\x02h2\x08http/1.1`. */
function encodeProtocols(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.flatMap((name) => [Buffer.from([Buffer.byteLength(name)]), Buffer.from(name)]));
}
