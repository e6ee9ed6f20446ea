import { once } from "node:events";
import * as net from "node:net";
import { isLoopback, isLoopbackAddress } from "../core/url.ts";
import { systemErrorCode } from "../system/errors.ts";
import { NetworkError, type NetworkFault, NOT_LOOPBACK } from "./network-fault.ts";
import { authority, bareHost, type NetworkSettings, portOf } from "./network-settings.ts";

export interface Attempt {
  readonly signal: AbortSignal;
  /** The time for each of several addresses of a host, in milliseconds. */
  readonly addressMs: number;
  /** No connection has ever succeeded. */
  readonly unreached: boolean;
  /** Gets warnings, such as of a certificate file that cannot be used. */
  readonly remark: (text: string) => void;
}

export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "proxy"; readonly proxy: URL }
  | { readonly kind: "bad-proxy"; readonly variable: string };

/** Connects to a URL's origin, direct or through a proxy; for https the certificate is verified. @throws NetworkError */
export async function connectTo(target: URL, network: NetworkSettings, attempt: Attempt): Promise<net.Socket> {
  const isSecure = target.protocol === "https:";
  // Without a proxy nothing is awaited, so that the connection begins before modules are loaded.
  const route = proxyFor(target, network) === undefined ? undefined : await routeTo(target, network);
  if (route?.kind === "bad-proxy") throw new NetworkError(route);
  if (route?.kind !== "proxy") {
    const tcp = openTcp(target, attempt);
    return isSecure ? secure(tcp, target, network, attempt) : tcp;
  }
  const { proxy } = route;
  const tcp = openTcp(proxy, attempt);
  const link = proxy.protocol === "https:" ? await secure(tcp, proxy, network, attempt) : await tcp;
  if (!isSecure) return link;
  const { openTunnel } = await import("./proxy.ts");
  const tunnel = openTunnel(link, proxy, target, attempt.signal);
  return secure(tunnel, target, network, attempt);
}

async function openTcp(url: URL, { signal, addressMs, unreached }: Attempt): Promise<net.Socket> {
  const fault = (code: string): NetworkFault => ({ kind: "connect", host: authority(url), code, unreached });
  const connecting = net.connect({
    host: bareHost(url),
    port: portOf(url),
    noDelay: true,
    autoSelectFamilyAttemptTimeout: addressMs,
  });
  const socket = await connected(connecting, "connect", signal, fault);
  const { remoteAddress } = socket;
  // Tokens and keys go to `localhost` over http, too; where /etc/hosts lacks it, a name server says where that is.
  if (remoteAddress !== undefined && isLoopback(url.hostname) && !isLoopbackAddress(remoteAddress)) {
    socket.destroy();
    throw new NetworkError(fault(NOT_LOOPBACK));
  }
  return socket;
}

async function secure(
  connecting: Promise<net.Socket>,
  url: URL,
  network: NetworkSettings,
  { signal, remark }: Attempt,
): Promise<net.Socket> {
  connecting.catch(() => {});
  const { beginTls } = await import("./tls.ts");
  const options = { ALPNProtocols: ["http/1.1"], rejectUnauthorized: true };
  const socket = await beginTls(connecting, bareHost(url), network, options, remark);
  return connected(socket, "secureConnect", signal, (code) => {
    return { kind: BROKEN_CONNECTION.has(code) ? "cut" : "tls", host: authority(url), code };
  });
}

/** All other errors of a handshake concern certificates and protocols: a retry does not help. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"]);

/** Waits until a socket is connected. @throws NetworkError, after which the socket is destroyed */
async function connected(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  fault: (code: string) => NetworkFault,
): Promise<net.Socket> {
  // Also until a request takes it: an error without a listener would end the process.
  socket.on("error", () => {});
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw new NetworkError(fault(systemErrorCode(error) ?? "UNKNOWN"));
  }
}

/** Returns the proxy of a URL's scheme; none for this machine. Hosts of `NO_PROXY` do not use it. */
function proxyFor(target: URL, { httpsProxy, httpProxy }: NetworkSettings): string | undefined {
  if (isLoopback(target.hostname)) return undefined;
  return target.protocol === "https:" ? httpsProxy : httpProxy;
}

/** Returns the route to a URL: direct to this machine and to hosts of `NO_PROXY`, else through the proxy of its scheme. */
export async function routeTo(target: URL, network: NetworkSettings): Promise<Route> {
  const proxy = proxyFor(target, network);
  if (proxy === undefined) return { kind: "direct" };
  const { isExempt, proxyIn } = await import("./proxy.ts");
  if (isExempt(target, network.noProxy ?? "")) return { kind: "direct" };
  const url = proxyIn(proxy);
  if (url === undefined)
    return { kind: "bad-proxy", variable: target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY" };
  return { kind: "proxy", proxy: url };
}
