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

/** Makes connections to one host, direct or through a proxy. The first one begins at once, while modules are loaded. */
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
      // A request on a connection that has ended meanwhile would never end.
      if (socket === undefined || socket.destroyed) socket = await this.#open();
    } catch (error) {
      // Node ignores the stream if there is an error; the type requires one.
      return callback(error instanceof Error ? error : new TypeError("no error"), new Duplex());
    }
    callback(null, socket);
  }

  /** Ends all connections, also one that no request took. */
  override destroy(): void {
    super.destroy();
    this.#early?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  /** Defined if requests must contain the whole URL: plain http through a proxy. */
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
      throw step.fault(`connecting to ${authority(this.#target)}`, !this.#reached) ?? error;
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
      // The time for each of several addresses. The default of 250 ms always fails on slow links, so it grows.
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
      // RFC 6066 allows no address.
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
      ALPNProtocols: ["http/1.1"],
      // NODE_TLS_REJECT_UNAUTHORIZED is meant for the program; this connection carries the token.
      rejectUnauthorized: true,
    };
    const secure = withoutWarning(() => tls.connect(options));
    return connected(secure, "secureConnect", signal, (code) => {
      const kind = BROKEN_CONNECTION.has(code) ? "cut" : "tls";
      return { kind, host: authority(url), code };
    });
  }
}

/** Suppresses Node's warning under NODE_TLS_REJECT_UNAUTHORIZED=0: this connection is verified. */
function withoutWarning<T>(connect: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- restored, not called
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return connect();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** All other errors of a handshake concern certificates and protocols: a retry does not help. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"]);

/** Waits until a socket is connected. @throws EscFault, after which the socket is destroyed */
async function connected(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  fault: (code: string) => Fault,
): Promise<net.Socket> {
  // Also until a request takes it: an error without a listener would end the process.
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
