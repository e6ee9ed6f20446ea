/**
 * Redirects to other hosts, such as those of GitHub's release assets. gh asks for them on the socket, too, and so for hosts
 * that are none of a key's. One is served if an answer of this run has named exactly that URL, and without credentials.
 */
import type { Admitted, RequestHead } from "./admit.ts";
import { parseUrl } from "../core/url.ts";
import { valuesOf } from "./fields.ts";
import { originsOf, type Route } from "./route.ts";

const MOST = 100;

export class Redirects {
  /** By URL, the oldest first. */
  readonly #known = new Map<string, Admitted>();

  /** Notes where an answer leads. @returns the origin if it is that of another service */
  note({ route, slot }: Admitted, location: string | undefined, routes: readonly Route[]): string | undefined {
    const url = parseUrl(location ?? "");
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined;
    const { origin } = url;
    if (routes.some((each) => originsOf(each).includes(origin))) return undefined;
    const target = url.pathname + url.search;
    this.#known.delete(origin + target);
    this.#known.set(origin + target, { route, slot, origin, address: origin, target, isBare: true });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return origin;
  }

  /** Admits a request for a noted URL. @returns undefined for any other: the rules decide over it */
  admit({ method, version, target, rawHeaders, isUpgrade }: RequestHead): Admitted | undefined {
    if (version !== "1.1" || isUpgrade || (method !== "GET" && method !== "HEAD")) return undefined;
    const hosts = valuesOf(rawHeaders, "host");
    const hasBody = ["content-length", "transfer-encoding"].some((name) => valuesOf(rawHeaders, name).length > 0);
    const [host = ""] = hosts;
    if (hosts.length !== 1 || hasBody) return undefined;
    return this.#known.get(`https://${host.toLowerCase()}${target}`);
  }
}
