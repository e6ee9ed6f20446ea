/**
 * Connects through an HTTP proxy, and decides by `NO_PROXY` which hosts are reached without it. The file is loaded only if a proxy
 * is set, by variables such as these:
 *
 *     HTTPS_PROXY=http://user:password@proxy.example.com:3128
 *     NO_PROXY=localhost,.example.com,10.0.0.0/8,api.example.org:8443
 */
import * as http from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { parseUrl } from "../core/url.ts";
import { systemErrorCode } from "../system/errors.ts";
import { NetworkError, type NetworkFault } from "./network-fault.ts";
import { hostAndPortOf, bareHost, portOf } from "./network-settings.ts";

/**
 * Opens a tunnel to the target by CONNECT (RFC 9110, 9.3.6) on an open connection to the proxy. On failure that connection is
 * destroyed. @throws NetworkError
 */
export function openTunnel(proxyConnection: Socket, proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const request = http.request({
    method: "CONNECT",
    path: hostAndPortOf(target),
    setHost: false,
    signal,
    // An agent would open a second connection.
    createConnection: () => proxyConnection,
  });
  // `http.request` does not get the headers as an option: Node.js would print the options under NODE_DEBUG=http.
  request.setHeader("Host", hostAndPortOf(target));
  const authorization = createProxyAuthorization(proxy);
  if (authorization !== undefined) request.setHeader("Proxy-Authorization", authorization);
  return new Promise((resolve, reject) => {
    const host = hostAndPortOf(proxy);
    const fail = (fault: NetworkFault): void => {
      proxyConnection.destroy();
      reject(new NetworkError(fault));
    };
    const refuse = (response: http.IncomingMessage): void =>
      fail({ kind: "proxy-refused", proxy: host, status: response.statusCode ?? 0 });
    request.once("connect", (response, socket: Socket, head) => {
      const { statusCode: status = 0 } = response;
      if (status < 200 || status > 299) return refuse(response);
      // The proxy may have sent the first bytes of the target together with its answer.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once("response", refuse);
    request.on("error", (error) => {
      const code = systemErrorCode(error) ?? "UNKNOWN";
      fail(code.startsWith("HPE_") ? { kind: "not-http", host } : { kind: "cut", host, code });
    });
    request.end();
  });
}

/**
 * Returns the value of `Proxy-Authorization` for the user name and password in a proxy's URL; undefined if it has neither.
 */
export function createProxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  const pair = `${decodeIfEncoded(proxy.username)}:${decodeIfEncoded(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Decodes a percent-encoded text. If a `%` in it encodes nothing, the user has not encoded the text, and it is returned as it is. */
function decodeIfEncoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Parses the URL of an HTTP proxy, such as `proxy:3128`. As in curl, a URL without a scheme is a plain HTTP proxy. */
export function parseProxy(text: string): URL | undefined {
  const url = parseUrl(text.includes("://") ? text.trim() : `http://${text.trim()}`);
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.hostname !== "" ? url : undefined;
}

/**
 * Returns true if an entry of `NO_PROXY` matches the target. An entry is `*`, a domain, which also matches all domains below,
 * an address, or a block such as `10.0.0.0/8`. It may end with a port.
 */
export function isExempt(target: URL, noProxy: string): boolean {
  const host = bareHost(target).replace(/\.$/, "");
  const port = portOf(target);
  const entries = noProxy.toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => matchesEntry(entry, host, port));
}

/** Returns true if an entry of `NO_PROXY`, in lower case, matches a host and its port. */
function matchesEntry(entry: string, host: string, port: number): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  // An IPv6 address with a port is in brackets: `[::1]:8080`.
  const withPort = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+):(\d+)$/.exec(entry);
  // A dot in front of a domain makes no difference, as in curl, and nor does `*.`.
  const entryHost = (withPort?.[1] ?? entry).replace(/^\*?\./, "").replace(/\.$/, "");
  const entryPort = withPort?.[2];
  if (entryPort !== undefined && Number(entryPort) !== port) return false;
  if (isIP(host) !== 0) return isInAddressBlock(host, entryHost);
  return host === entryHost || host.endsWith(`.${entryHost}`);
}

/** Returns true if a block contains an address. @param block an address, or a block of addresses such as `10.0.0.0/8` */
function isInAddressBlock(address: string, block: string): boolean {
  const [network = "", prefix] = block.split("/");
  const family = isIP(network);
  if (family === 0) return false;
  const addressBits = family === 4 ? 32 : 128;
  const prefixText = prefix ?? String(addressBits);
  const prefixBits = /^\d+$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  // A prefix that is not a number is NaN, for which every comparison is false.
  if (!(prefixBits <= addressBits)) return false;
  const blocks = new BlockList();
  blocks.addSubnet(network, prefixBits, family === 4 ? "ipv4" : "ipv6");
  return blocks.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}
