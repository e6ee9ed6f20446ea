import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { EscFault, type Fault } from "../faults/fault.ts";
import { authority, bareHost, type NetworkSettings, portOf, routeTo } from "../settings/network.ts";
import { systemErrorCode } from "../../system/errors.ts";
import type { Deadline } from "./deadline.ts";

type Callback = (error: Error | null, stream: Duplex) => void;

/**
 * The connections of an HTTP client to one host: direct or through a proxy, with TLS where the URL says https. It begins
 * with the first one when it is made, while others load what the first request needs.
 */
export class Connector extends http.Agent {
  readonly #target: URL;
  readonly #network: NetworkSettings;
  readonly #deadline: Deadline;
  readonly #remark: (text: string) => void;
  #early: Promise<net.Socket> | undefined;
  #failures = 0;
  #reached = false;

  constructor(target: URL, network: NetworkSettings, deadline: Deadline, remark: (text: string) => void) {
    super({ keepAlive: true, scheduling: "lifo" });
    this.#target = target;
    this.#network = network;
    this.#deadline = deadline;
    this.#remark = remark;
    this.#early = this.#open();
    // The request that takes it sees the failure; perhaps none does.
    this.#early.catch(() => {});
  }

  override createConnection(_: http.ClientRequestArgs, callback: Callback = () => {}): undefined {
    void this.#supply(callback);
  }

  async #supply(callback: Callback): Promise<void> {
    const early = this.#early;
    this.#early = undefined;
    let socket: net.Socket | undefined;
    try {
      socket = await early;
      // It may have ended since: a request on it would never end.
      if (socket === undefined || socket.destroyed) socket = await this.#open();
    } catch (error) {
      // With an error Node does not look at the stream; the type asks for one.
      callback(error instanceof Error ? error : new TypeError("no error"), new Duplex());
      return;
    }
    callback(null, socket);
  }

  /** Ends all connections, one that no request took included. */
  override destroy(): void {
    super.destroy();
    this.#early?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  /** Present where requests must name the whole URL: plain http through a proxy. */
  get absoluteForm(): { readonly authorization?: string } | undefined {
    if (this.#target.protocol === "https:") return undefined;
    const route = routeTo(this.#target, this.#network);
    return route.kind === "proxy" ? proxyAuthorization(route.proxy) : undefined;
  }

  async #open(): Promise<net.Socket> {
    const step = this.#deadline.step();
    try {
      const socket = await this.#openRoute(step.signal);
      this.#reached = true;
      return socket;
    } catch (error) {
      this.#failures += 1;
      if (!step.wasSlow()) throw error;
      const phase = `connecting to ${authority(this.#target)}`;
      throw new EscFault({ kind: "slow", limitMs: step.limitMs, phase, unreached: !this.#reached });
    } finally {
      step.done();
    }
  }

  async #openRoute(signal: AbortSignal): Promise<net.Socket> {
    const target = this.#target;
    const route = routeTo(target, this.#network);
    if (route.kind === "bad-proxy") throw new EscFault(route);
    if (route.kind === "direct") {
      const tcp = this.#tcp(target, signal);
      return target.protocol === "https:" ? this.#secure(tcp, target, signal) : tcp;
    }
    const tcp = this.#tcp(route.proxy, signal);
    const link = route.proxy.protocol === "https:" ? await this.#secure(tcp, route.proxy, signal) : await tcp;
    if (target.protocol !== "https:") return link;
    const { openTunnel } = await import("./tunnel.ts");
    const tunnel = openTunnel(link, route.proxy, target, proxyAuthorization(route.proxy).authorization, signal);
    return this.#secure(tunnel, target, signal);
  }

  #tcp(url: URL, signal: AbortSignal): Promise<net.Socket> {
    const socket = net.connect({
      host: bareHost(url),
      port: portOf(url),
      noDelay: true,
      // Of several addresses each but the last gets this long. The default of 250 ms fails for good on slow links, so
      // that later attempts are more patient.
      autoSelectFamilyAttemptTimeout: 250 * 4 ** Math.min(this.#failures, 3),
    });
    return connected(socket, "connect", signal, (code) => ({
      kind: "connect",
      host: authority(url),
      code,
      unreached: !this.#reached,
    }));
  }

  async #secure(connecting: Promise<net.Socket>, url: URL, signal: AbortSignal): Promise<net.Socket> {
    connecting.catch(() => {});
    const [tls, { loadTrust }] = await Promise.all([import("node:tls"), import("./certificates.ts")]);
    const { context, remarks } = await loadTrust(this.#network);
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
    return connected(secure, "secureConnect", signal, (code) => {
      const kind = BROKEN_CONNECTION.has(code) ? "cut" : "tls";
      return { kind, host: authority(url), code };
    });
  }
}

/** Under NODE_TLS_REJECT_UNAUTHORIZED=0 Node warns that certificates are not verified, which is not true of ours. */
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

/** All other errors of a handshake are about certificates and protocols, and stay so. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"]);

/** Waits until a socket is connected. @throws EscFault, after which the socket is destroyed */
async function connected(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  fault: (code: string) => Fault,
): Promise<net.Socket> {
  // Also for the time until a request takes it: an error that nobody listens to would end the process.
  socket.on("error", () => {});
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw new EscFault(fault(systemErrorCode(error) ?? "UNKNOWN"));
  }
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
