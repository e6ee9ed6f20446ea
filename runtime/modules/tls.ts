/** The parts of node:tls that the bundle uses: clients over a socket that is connected. */
import { readFileSync, statSync, writeSync } from "./fs.ts";
import { Buffer } from "./buffer.ts";
import { codedError, invalidType } from "../errors.ts";
import { Socket } from "./net/socket.ts";
import { process } from "./process.ts";
import { problemOfIdentity } from "./tls/identity.ts";
import { type NativeContext, type Outcome, type Owner, TlsHandle } from "./tls/session.ts";
import { nextTick } from "../loop.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly newContext: (trustsRoots: boolean, texts: readonly (string | Uint8Array)[]) => NativeContext;
  /** @returns undefined if the first certificate can be parsed, else such as PEM_NO_START_LINE */
  readonly problemOfCertificate: (bytes: Uint8Array) => string | undefined;
}

const native = natives<Natives>();

interface ContextOptions {
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
}

export interface SecureContext {
  readonly context: NativeContext;
}

interface ConnectOptions {
  readonly socket: Socket;
  readonly host?: string;
  readonly servername?: string;
  readonly secureContext?: SecureContext;
  readonly ALPNProtocols?: readonly string[];
  readonly rejectUnauthorized?: boolean;
}

let shared: SecureContext | undefined;

/** Trusts Mozilla's authorities and those of NODE_EXTRA_CA_CERTS, or only those of `ca`. */
export function createSecureContext({ ca }: ContextOptions = {}): SecureContext {
  if (ca === undefined) return (shared ??= { context: native.newContext(true, extraCertificates()) });
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

function extraCertificates(): readonly (string | Uint8Array)[] {
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
    // As Node.js at its start.
    const reason = error instanceof Error ? error.message : "";
    writeSync(2, Buffer.from(`Warning: Ignoring extra certs from \`${file}\`, load failed: ${reason}\n`));
    return [];
  }
}

class TLSSocket extends Socket implements Owner {
  authorized = false;
  authorizationError: string | null = null;
  alpnProtocol: string | false | null = null;
  secureConnecting = true;
  readonly servername: string | undefined;
  readonly #host: string;
  readonly #isVerified: boolean;
  readonly #below: Socket;

  constructor(options: ConnectOptions) {
    const { socket, servername, secureContext = createSecureContext(), ALPNProtocols: protocols } = options;
    if (socket.connecting) throw new TypeError("a socket that is not connected yet");
    const below = socket.handle;
    const wire = protocols === undefined ? undefined : asWire(protocols);
    const host = servername ?? options.host ?? "localhost";
    const acceptsAll = options.rejectUnauthorized === false;
    const request = { host, name: servername, protocols: wire, acceptsAll };
    const handle = below === null ? undefined : new TlsHandle(socket, below, secureContext.context, request);
    super({ handle });
    this.servername = servername;
    this.#host = host;
    this.#isVerified = !acceptsAll;
    this.#below = socket;
    this.prependListener("end", this.#endedEarly);
    if (handle === undefined) {
      nextTick(() => this.#endedEarly());
      return;
    }
    socket.on("close", () => this.destroy());
    handle.owner = this;
    handle.start();
  }

  readonly #endedEarly = (): void => {
    if (this.hadError || this.destroyed) return;
    this.hadError = true;
    const message = "Client network socket disconnected before secure TLS connection was established";
    const { remoteAddress: host, remotePort: port, localAddress } = this.#below;
    this.destroy(Object.assign(codedError("ECONNRESET", message), { host, port, localAddress }));
  };

  /** Reports what C has refused already, by the names of Node.js, and compares the host again. */
  secured([problem, message, protocol, names, isForHost]: Outcome): void {
    this.alpnProtocol = protocol;
    const error =
      problem === undefined ? problemOfIdentity(this.#host, names, isForHost) : codedError(problem, message ?? problem);
    this.authorized = error === undefined;
    if (error !== undefined) {
      this.authorizationError = error.code;
      if (this.#isVerified) return void this.destroy(error);
    }
    this.secureConnecting = false;
    this.off("end", this.#endedEarly);
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

/** Returns the list of protocols of RFC 7301, 3.1. */
function asWire(protocols: readonly string[]): Uint8Array {
  return Buffer.concat(protocols.flatMap((name) => [Buffer.from([Buffer.byteLength(name)]), Buffer.from(name)]));
}
