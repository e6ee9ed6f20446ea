/**
 * Finds out to whom a request is addressed: to the broker itself, or to a service by its name. The functions are pure.
 *
 * The forms that are accepted, for the broker at `127.0.0.1:40123`:
 *
 *     GET /v1/models HTTP/1.1                      a client that has the broker's address in place of the service's address
 *     Host: 127.0.0.1:40123
 *
 *     GET /repos/acme/app HTTP/1.1                 a client on the broker's socket, such as gh
 *     Host: api.github.com
 *
 *     GET http://github.com/acme/app/info/refs HTTP/1.1    git, for which the broker is a proxy
 *     Host: github.com
 */
import type { Site } from "../contract/broker/github-keys.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { BrokerAddress } from "./broker-listen.ts";
import { createRefusal, type Refusal } from "./refusals.ts";

/** The parts of the first line of a request. */
export interface RequestLine {
  readonly method: string;
  /** The version of HTTP, such as `1.1`. Parsers report `0.9` for a line without a version. */
  readonly version: string;
  /** The request's target as the client sent it. */
  readonly target: string;
}

/** The host and the path that a request names. */
export interface RequestAddress {
  /** The host of a service; undefined for the broker itself. */
  readonly host: string | undefined;
  /** True if the target is in absolute form, as clients send it to a proxy. */
  readonly isProxied: boolean;
  /** Path and query. */
  readonly target: string;
}

/** Matches a target such as `http://github.com/acme/app`: the host with the port, and the path with the query. */
const ABSOLUTE_TARGET = /^http:\/\/([\w.:-]+)(\/.*)$/i;
/** Matches a target that is a path, of printable ASCII characters. */
const PATH_AND_QUERY = /^\/[\u0021-\u007e]*$/;

/**
 * Returns the address of a request, or the refusal of a request that has none of the accepted forms or comes from a web page.
 *
 * @param sites the hosts of all keys
 */
export function findRequestAddress(
  { method, version, target }: RequestLine,
  headers: HeaderFields,
  sites: readonly Site[],
  { acceptedHosts, isSocket = false }: BrokerAddress,
): RequestAddress | Refusal {
  // Other versions have other rules for where a request ends. A service could read a part of one request as a second request.
  if (version !== "1.1" && version !== "1.0") {
    return createRefusal("broker-request", "the request must be one of HTTP/1.1");
  }
  if (method === "TRACE" || method === "CONNECT") {
    return createRefusal("broker-method", `${method} is not supported`);
  }
  // Nearly all targets are paths, for which the expression need not run.
  const absolute = target.startsWith("/") ? null : ABSOLUTE_TARGET.exec(target);
  const [, authority, path = target] = absolute ?? [];
  const proxiedHost = authority?.toLowerCase();
  const isGitHost = proxiedHost !== undefined && sites.some(({ host, hasGit }) => hasGit && host === proxiedHost);
  const isValidPath = PATH_AND_QUERY.test(path) && !path.includes("#");
  if (!isValidPath || (proxiedHost !== undefined && !isGitHost)) {
    return createRefusal("broker-request", "the target of the request must be a path (RFC 9112, origin-form)");
  }
  const [hostHeader, ...furtherHosts] = headers.valuesOf("host");
  if (hostHeader === undefined || furtherHosts.length > 0) {
    return createRefusal("broker-request", "the request must have one Host header");
  }
  const host = hostHeader.toLowerCase();
  if (headers.has("origin") || headers.has("sec-fetch-site")) {
    return createRefusal("broker-denied", "requests of web pages are not accepted (Origin, Sec-Fetch-Site)");
  }
  if (proxiedHost !== undefined) {
    if (host === proxiedHost) return { host, isProxied: true, target: path };
    return createRefusal("broker-request", "the Host header must be that of the request's target");
  }
  if (acceptedHosts.includes(host)) return { host: undefined, isProxied: false, target };
  if (isSocket && sites.some((site) => site.host === host)) return { host, isProxied: false, target };
  // A web page can resolve a name of its own to 127.0.0.1 (DNS rebinding); its requests have that name in `Host`.
  return createRefusal("broker-denied", `the Host header must be ${acceptedHosts.join(" or ")}`);
}
