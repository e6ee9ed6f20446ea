import * as net from "node:net";
import type { ConnectionOptions } from "node:tls";
import { EscFault } from "../faults/fault.ts";
import { authority, bareHost, type NetworkSettings, portOf, routeTo } from "../settings/network.ts";

/**
 * Connects to the host of a URL: directly or through a proxy, with TLS where the URL says https. Names faults as
 * {@link EscFault}s.
 */
export class Connector {
  readonly #target: URL;
  readonly #network: NetworkSettings;
  readonly #signal: AbortSignal;
  readonly #remark: (text: string) => void;
  #early: Promise<net.Socket> | undefined;
  #failures = 0;

  constructor(target: URL, network: NetworkSettings, signal: AbortSignal, remark: (text: string) => void) {
    this.#target = target;
    this.#network = network;
    this.#signal = signal;
    this.#remark = remark;
  }

  /** Begins with the first connection, which the first {@link connect} then gets. */
  start(): void {
    this.#early = this.#open();
    // Whoever takes it sees the failure; nobody may come to take it.
    this.#early.catch(() => {});
  }

  async connect(): Promise<net.Socket> {
    const early = this.#early;
    this.#early = undefined;
    return early ?? this.#open();
  }

  /** Ends a connection that nobody took. */
  close(): void {
    this.#early?.then(
      (socket) => socket.destroy(),
      () => {},
    );
    this.#early = undefined;
  }

  /** Where requests of the plain http kind go through a proxy, they name the whole URL. */
  get absoluteForm(): { readonly authorization?: string } | undefined {
    if (this.#target.protocol === "https:") return undefined;
    const route = routeTo(this.#target, this.#network);
    return route.kind === "proxy" ? proxyAuthorization(route.proxy) : undefined;
  }

  async #open(): Promise<net.Socket> {
    try {
      return await this.#openRoute();
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  async #openRoute(): Promise<net.Socket> {
    const target = this.#target;
    const route = routeTo(target, this.#network);
    if (route.kind === "bad-proxy") throw new EscFault(route);
    if (route.kind === "direct") {
      const tcp = this.#tcp(target);
      return target.protocol === "https:" ? this.#secure(tcp, target) : tcp;
    }
    const tcp = this.#tcp(route.proxy);
    const link = route.proxy.protocol === "https:" ? await this.#secure(tcp, route.proxy) : await tcp;
    if (target.protocol !== "https:") return link;
    const { openTunnel } = await import("./tunnel.ts");
    const tunnel = openTunnel(link, route.proxy, target, proxyAuthorization(route.proxy).authorization, this.#signal);
    return this.#secure(tunnel, target);
  }

  #tcp(url: URL): Promise<net.Socket> {
    const socket = net.connect({
      host: bareHost(url),
      port: portOf(url),
      noDelay: true,
      // Of several addresses each but the last gets this long. The default of 250 ms fails for good on slow links, so
      // that later attempts are more patient.
      autoSelectFamilyAttemptTimeout: 250 * 4 ** Math.min(this.#failures, 3),
    });
    return settle(socket, "connect", this.#signal, (code) => ({ kind: "connect", host: authority(url), code }));
  }

  /** Loads TLS and the certificates while the connection is still being made. */
  async #secure(connecting: Promise<net.Socket>, url: URL): Promise<net.Socket> {
    connecting.catch(() => {});
    const [tls, { loadTrust }] = await Promise.all([import("node:tls"), import("./certificates.ts")]);
    const { context, remarks } = loadTrust(this.#network);
    if (this.#failures === 0) remarks.forEach(this.#remark);
    const host = bareHost(url);
    const options: ConnectionOptions = {
      socket: await connecting,
      host,
      // Names only: RFC 6066 allows no address here.
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
      ALPNProtocols: ["http/1.1"],
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: it is meant for the program, and this connection carries the token.
      rejectUnauthorized: true,
    };
    const secure = withoutWarning(() => tls.connect(options));
    return settle(secure, "secureConnect", this.#signal, (code) => {
      const kind = BROKEN_CONNECTION.has(code) ? "cut" : "tls";
      return { kind, host: authority(url), code };
    });
  }
}

/**
 * Under NODE_TLS_REJECT_UNAUTHORIZED=0 Node warns at the first TLS connection that certificates are not verified. Of
 * ours that is not true, and the warning would stand in the output of a program that itself may never get one.
 */
function withoutWarning<T>(connect: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back, not called
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return connect();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Everything else that a handshake can report is about certificates and protocols, and stays so. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "CLOSED"]);

type ConnectionFault = { readonly kind: "connect" | "cut" | "tls"; readonly host: string; readonly code: string };

/** Waits for an event of a socket that is being connected. An abort destroys it; the deadline then has the word. */
function settle(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  fault: (code: string) => ConnectionFault,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const onReady = (): void => {
      release();
      resolve(socket);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      release();
      socket.on("error", () => {});
      reject(new EscFault(fault(error.code ?? "UNKNOWN")));
    };
    const onClose = (): void => onError(Object.assign(new Error("closed"), { code: "CLOSED" }));
    const onAbort = (): void => {
      socket.destroy();
    };
    const release = (): void => {
      socket.off(event, onReady).off("error", onError).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
    };
    socket.once(event, onReady).once("error", onError).once("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function proxyAuthorization(proxy: URL): { readonly authorization?: string } {
  if (proxy.username === "" && proxy.password === "") return {};
  const pair = `${decode(proxy.username)}:${decode(proxy.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
