import { BlockList, isIP } from "node:net";
import { isLoopback } from "../core/loopback.ts";
import { parseUrl } from "../core/url.ts";

export interface NetworkSettings {
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  readonly noProxy: string | undefined;
  /** `SSL_CERT_FILE`: PEM certificates to trust besides the runtime's own. */
  readonly certificateFile: string | undefined;
  /** `NODE_EXTRA_CA_CERTS`: the same, by Node's variable. */
  readonly extraCertificateFile: string | undefined;
  readonly extraCertificatesLoaded: boolean;
  /** Only the caller decided what the runtime trusts; else only its built-in certificates are used. */
  readonly isRuntimeTrusted: boolean;
}

export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "proxy"; readonly proxy: URL }
  | { readonly kind: "bad-proxy"; readonly variable: string };

/** Returns the route to a URL: direct to this machine and to hosts of `NO_PROXY`, else through the proxy of its scheme. */
export function routeTo(target: URL, network: NetworkSettings): Route {
  const secure = target.protocol === "https:";
  const proxy = secure ? network.httpsProxy : network.httpProxy;
  if (proxy === undefined || isLoopback(target.hostname) || isExempt(target, network.noProxy ?? "")) {
    return { kind: "direct" };
  }
  // As in curl, a proxy without a scheme is a plain HTTP one.
  const url = parseUrl(proxy.includes("://") ? proxy.trim() : `http://${proxy.trim()}`);
  const isProxy = (url?.protocol === "http:" || url?.protocol === "https:") && url.hostname !== "";
  if (!isProxy) return { kind: "bad-proxy", variable: secure ? "HTTPS_PROXY" : "HTTP_PROXY" };
  return { kind: "proxy", proxy: url };
}

/** Returns true if an entry names the host: `*`, a domain or one above it, an address or a block such as `10.0.0.0/8`. */
function isExempt(target: URL, noProxy: string): boolean {
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

export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

export function authority(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
