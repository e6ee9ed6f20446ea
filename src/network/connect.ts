/**
 * Opens one connection to the origin of a URL, directly or through a proxy. An https origin gets TLS:
 *
 *     https://api.pulumi.com                     TCP, then TLS
 *     the same with HTTPS_PROXY=http://proxy     TCP to the proxy, CONNECT (proxy.ts), then TLS to the target
 *     http://127.0.0.1:8080                      TCP
 */
import { once } from "node:events";
import * as net from "node:net";
import { isLoopback, isLoopbackAddress } from "../core/url.ts";
import { systemErrorCode } from "../system/errors.ts";
import { NetworkError, type NetworkFault, NOT_LOOPBACK } from "./network-fault.ts";
import { hostAndPortOf, bareHost, type NetworkSettings, portOf } from "./network-settings.ts";

export interface ConnectOptions {
  /** The caller aborts it to end the attempt with an error. */
  readonly signal: AbortSignal;
  /** The time in milliseconds for each address of a host with several addresses. */
  readonly addressMs: number;
  /** True if no connection to this origin has ever succeeded. A failure then says that the host is unreachable. */
  readonly unreached: boolean;
  /** Called with each warning, such as of a certificate file that cannot be used. */
  readonly warn: (text: string) => void;
}

/** The way to a host. `bad-proxy`: the value of `variable` is not the URL of a proxy, so that nothing can be sent. */
export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "proxy"; readonly proxy: URL }
  | { readonly kind: "bad-proxy"; readonly variable: string };

/** Connects to a URL's origin, as described above. For https the server's certificate is verified. @throws NetworkError */
export async function connectTo(target: URL, network: NetworkSettings, options: ConnectOptions): Promise<net.Socket> {
  const isSecure = target.protocol === "https:";
  // Without a proxy this function connects before its first `await`, so that the caller can load modules meanwhile.
  const hasProxySetting = configuredProxy(target, network) !== undefined;
  const route = hasProxySetting ? await findRoute(target, network) : undefined;
  if (route?.kind === "bad-proxy") throw new NetworkError(route);
  if (route?.kind !== "proxy") {
    const tcp = openTcp(target, options);
    return isSecure ? startTls(tcp, target, network, options) : tcp;
  }
  const { proxy } = route;
  const tcp = openTcp(proxy, options);
  const proxyConnection = proxy.protocol === "https:" ? await startTls(tcp, proxy, network, options) : await tcp;
  if (!isSecure) return proxyConnection;
  const { openTunnel } = await import("./proxy.ts");
  const tunnel = openTunnel(proxyConnection, proxy, target, options.signal);
  return startTls(tunnel, target, network, options);
}

/** Opens a TCP connection. @throws NetworkError also if the host is `localhost`, but its address is that of another machine */
async function openTcp(url: URL, { signal, addressMs, unreached }: ConnectOptions): Promise<net.Socket> {
  const fault = (code: string): NetworkFault => ({ kind: "connect", host: hostAndPortOf(url), code, unreached });
  const connectingSocket = net.connect({
    host: bareHost(url),
    port: portOf(url),
    noDelay: true,
    autoSelectFamilyAttemptTimeout: addressMs,
  });
  const socket = await waitUntilConnected(connectingSocket, "connect", signal, fault);
  const { remoteAddress } = socket;
  // Tokens and keys may be sent to `localhost` over plain http. If /etc/hosts lacks that name, a name server decides where it
  // leads, and another machine would get the token.
  if (remoteAddress !== undefined && isLoopback(url.hostname) && !isLoopbackAddress(remoteAddress)) {
    socket.destroy();
    throw new NetworkError(fault(NOT_LOOPBACK));
  }
  return socket;
}

/** Starts TLS on a connection that may still be in progress. */
async function startTls(
  connecting: Promise<net.Socket>,
  url: URL,
  network: NetworkSettings,
  { signal, warn }: ConnectOptions,
): Promise<net.Socket> {
  // `beginTls` awaits the connection only after the import. A failure before that must not end the process.
  connecting.catch(() => {});
  const { beginTls } = await import("./tls.ts");
  // NODE_TLS_REJECT_UNAUTHORIZED is meant for the program, and must not decide here.
  const options = { ALPNProtocols: ["http/1.1"], rejectUnauthorized: true };
  const socket = await beginTls(connecting, bareHost(url), network, options, warn);
  return waitUntilConnected(socket, "secureConnect", signal, (code) => {
    return { kind: BROKEN_CONNECTION_CODES.has(code) ? "cut" : "tls", host: hostAndPortOf(url), code };
  });
}

/** The errors of a handshake that a retry may avoid. All other errors are about certificates and protocols. */
const BROKEN_CONNECTION_CODES: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"]);

/**
 * Waits until a socket is connected. Destroys the socket if that fails. @throws NetworkError with the fault that `createConnectFault`
 * returns for the code of the error
 */
async function waitUntilConnected(
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  createConnectFault: (code: string) => NetworkFault,
): Promise<net.Socket> {
  // This listener stays until a request takes the socket: an error without a listener would end the process.
  socket.on("error", () => {});
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw new NetworkError(createConnectFault(systemErrorCode(error) ?? "UNKNOWN"));
  }
}

/** Returns the proxy that the settings name for a URL; none for this machine. The caller must check `NO_PROXY`. */
function configuredProxy(target: URL, { httpsProxy, httpProxy }: NetworkSettings): string | undefined {
  if (isLoopback(target.hostname)) return undefined;
  return target.protocol === "https:" ? httpsProxy : httpProxy;
}

/**
 * Returns the route to a URL. It is direct to this machine and to hosts of `NO_PROXY`; other hosts are reached through the proxy
 * that is set for the scheme of the URL.
 */
export async function findRoute(target: URL, network: NetworkSettings): Promise<Route> {
  const proxy = configuredProxy(target, network);
  if (proxy === undefined) return { kind: "direct" };
  const { isExempt, parseProxy } = await import("./proxy.ts");
  if (isExempt(target, network.noProxy ?? "")) return { kind: "direct" };
  const proxyUrl = parseProxy(proxy);
  if (proxyUrl !== undefined) return { kind: "proxy", proxy: proxyUrl };
  return { kind: "bad-proxy", variable: target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY" };
}
