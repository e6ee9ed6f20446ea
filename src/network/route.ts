import { isLoopback } from "../core/url.ts";
import type { NetworkSettings } from "./settings.ts";

export type Route =
  | { readonly kind: "direct" }
  | { readonly kind: "proxy"; readonly proxy: URL }
  | { readonly kind: "bad-proxy"; readonly variable: string };

/** Returns the proxy of a URL's scheme; none for this machine. Hosts of `NO_PROXY` do not use it. */
export function proxyFor(target: URL, { httpsProxy, httpProxy }: NetworkSettings): string | undefined {
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
