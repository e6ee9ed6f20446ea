/** Proxies; loaded only if one is set. */
import * as http from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { parseUrl } from "../core/url.ts";
import { systemErrorCode } from "../system/errors.ts";
import { NetworkError, type NetworkFault } from "./network-fault.ts";
import { authority, bareHost, portOf } from "./network-settings.ts";

/** Connects `link` to the target through an HTTP proxy (CONNECT, RFC 9110, 9.3.6). @throws NetworkError */
export function openTunnel(link: Socket, proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const request = http.request({
    method: "CONNECT",
    path: authority(target),
    setHost: false,
    signal,
    // An agent would make its own connection.
    createConnection: () => link,
  });
  // Not as an option of the request: Node.js prints options under NODE_DEBUG=http.
  request.setHeader("Host", authority(target));
  const authorization = authorizationFor(proxy);
  if (authorization !== undefined) request.setHeader("Proxy-Authorization", authorization);
  return new Promise((resolve, reject) => {
    const host = authority(proxy);
    const fail = (fault: NetworkFault): void => {
      link.destroy();
      reject(new NetworkError(fault));
    };
    const refuse = (response: http.IncomingMessage): void =>
      fail({ kind: "proxy-refused", proxy: host, status: response.statusCode ?? 0 });
    request.once("connect", (response, socket: Socket, head) => {
      const { statusCode: status = 0 } = response;
      if (status < 200 || status > 299) return refuse(response);
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

/** Returns the value of `Proxy-Authorization` for the user and password of a proxy's URL. */
export function authorizationFor(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  const pair = `${decode(proxy.username)}:${decode(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the URL of an HTTP proxy; as in curl, one without a scheme is a plain HTTP one. */
export function proxyIn(text: string): URL | undefined {
  const url = parseUrl(text.includes("://") ? text.trim() : `http://${text.trim()}`);
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.hostname !== "" ? url : undefined;
}

/** Returns true if an entry names the host: `*`, a domain or one above it, an address or a block such as `10.0.0.0/8`. */
export function isExempt(target: URL, noProxy: string): boolean {
  const host = bareHost(target).replace(/\.$/, "");
  const port = portOf(target);
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "") return false;
      if (entry === "*") return true;
      const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+):(\d+)$/.exec(entry);
      const name = (match?.[1] ?? entry).replace(/^\*?\./, "").replace(/\.$/, "");
      if (match?.[2] !== undefined && Number(match[2]) !== port) return false;
      if (isIP(host) !== 0) return isInBlock(host, name);
      return host === name || host.endsWith(`.${name}`);
    });
}

function isInBlock(address: string, entry: string): boolean {
  const [network = "", prefix] = entry.split("/");
  const family = isIP(network);
  if (family === 0) return false;
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : /^\d+$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(length <= bits)) return false;
  const blocks = new BlockList();
  blocks.addSubnet(network, length, family === 4 ? "ipv4" : "ipv6");
  return blocks.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}
