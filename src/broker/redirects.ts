/**
 * Admits redirects to hosts that belong to no key, such as those of GitHub's release assets. gh sends all its requests to the
 * broker's socket, so also the one that follows such a redirect. The broker passes it on, without any credentials, if an answer
 * of this run has named exactly that URL.
 */
import type { Admitted, RequestHead } from "./admit.ts";
import { parseUrl } from "../core/url.ts";
import { valuesOf } from "./fields.ts";
import { originsOf, type Route } from "./route.ts";

const MAX_REDIRECTS = 100;

export class Redirects {
  /** By URL, the oldest first. */
  readonly #admittedByUrl = new Map<string, Admitted>();

  /** Notes the `Location` of an answer. @returns its origin if that belongs to no key, so that requests to it are admitted now */
  note({ route, slot }: Admitted, location: string | undefined, routes: readonly Route[]): string | undefined {
    const url = parseUrl(location ?? "");
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined;
    const { origin } = url;
    if (routes.some((each) => originsOf(each).includes(origin))) return undefined;
    const target = url.pathname + url.search;
    this.#admittedByUrl.delete(origin + target);
    this.#admittedByUrl.set(origin + target, { route, slot, origin, address: origin, target, isBare: true });
    const [oldest] = this.#admittedByUrl.keys();
    if (this.#admittedByUrl.size > MAX_REDIRECTS && oldest !== undefined) this.#admittedByUrl.delete(oldest);
    return origin;
  }

  /** Admits a request for a noted URL. @returns undefined for any other request, over which the rules of the keys decide */
  admit({ method, version, target, rawHeaders, isUpgrade }: RequestHead): Admitted | undefined {
    if (version !== "1.1" || isUpgrade || (method !== "GET" && method !== "HEAD")) return undefined;
    const hosts = valuesOf(rawHeaders, "host");
    const hasBody = ["content-length", "transfer-encoding"].some((name) => valuesOf(rawHeaders, name).length > 0);
    const [host = ""] = hosts;
    if (hosts.length !== 1 || hasBody) return undefined;
    return this.#admittedByUrl.get(`https://${host.toLowerCase()}${target}`);
  }
}
