/**
 * Admits the requests that follow a redirect to a host that belongs to no key, such as the host of GitHub's release assets. gh
 * sends all its requests to the broker's socket, so it sends these there, too. The broker passes such a request on, without any
 * credentials, if an answer of this run has redirected to exactly that URL.
 */
import type { AdmittedRequest, RequestHead } from "./admit.ts";
import { parseUrl } from "../core/url.ts";
import { valuesOf } from "./header-fields.ts";
import { originsOf, type Route } from "./route.ts";

/** Limits the memory. Beyond it, the oldest redirect is forgotten. */
const MAX_REDIRECTS = 100;

export class Redirects {
  /** The requests that are admitted, by URL, the oldest first. */
  readonly #admittedByUrl = new Map<string, AdmittedRequest>();

  /**
   * Notes the `Location` of an answer, so that later requests may go there.
   *
   * @param location undefined if the answer has none
   * @returns the origin of the location; undefined if it is no https URL, has a user name or password, or belongs to a key
   */
  noteLocation(
    { route, slot }: AdmittedRequest,
    location: string | undefined,
    routes: readonly Route[],
  ): string | undefined {
    const url = parseUrl(location ?? "");
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined;
    const { origin } = url;
    if (routes.some((each) => originsOf(each).includes(origin))) return undefined;
    const target = url.pathname + url.search;
    this.#admittedByUrl.delete(origin + target);
    this.#admittedByUrl.set(origin + target, {
      route,
      slot,
      origin,
      clientAddress: origin,
      target,
      isWithoutCredentials: true,
    });
    const [oldestUrl] = this.#admittedByUrl.keys();
    if (this.#admittedByUrl.size > MAX_REDIRECTS && oldestUrl !== undefined) this.#admittedByUrl.delete(oldestUrl);
    return origin;
  }

  /** Admits a request for a noted URL. @returns undefined for any other request, which needs a key */
  admit({ method, version, target, rawHeaders, isUpgrade }: RequestHead): AdmittedRequest | undefined {
    if (version !== "1.1" || isUpgrade || (method !== "GET" && method !== "HEAD")) return undefined;
    const hosts = valuesOf(rawHeaders, "host");
    const hasBody = ["content-length", "transfer-encoding"].some((name) => valuesOf(rawHeaders, name).length > 0);
    const [host = ""] = hosts;
    if (hosts.length !== 1 || hasBody) return undefined;
    return this.#admittedByUrl.get(`https://${host.toLowerCase()}${target}`);
  }
}
