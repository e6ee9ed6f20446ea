/**
 * Decides whether the broker passes a request on, with which key, and to which service. receive.ts asks for each request. The
 * functions are pure.
 *
 * Any process of this machine can connect to the broker's port, and so can a web page in a browser. A request is admitted if
 * - its head is well-formed, and it is addressed to the broker or to a service of a key (`request-address.ts`);
 * - it carries exactly one dummy, in a header in which clients send that key (`request-key.ts`);
 * - the rules of the key allow its method and its path.
 * All other requests are refused before the broker opens a connection to a service.
 */
import { listReadings } from "../contract/broker/path-forms.ts";
import { isCovered, isDenied } from "../contract/broker/path-rules.ts";
import type { Slot } from "../contract/broker/broker-model.ts";
import type { Site } from "../contract/broker/github-keys.ts";
import { HeaderFields } from "./header-fields.ts";
import type { BrokerAddress } from "./broker-listen.ts";
import { createRefusal, type Refusal } from "./refusals.ts";
import { findRequestAddress, type RequestAddress, type RequestLine } from "./request-address.ts";
import { createKeyFinder, type RequestKey } from "./request-key.ts";
import { pathBelow, type Route, routeSites, withoutQuery } from "./route.ts";

/** The head of a request, as the HTTP parser reports it. */
export interface RequestHead extends RequestLine {
  /** Alternately a name and its value, as the client sent them. (`headers` of Node.js drops or joins repeated headers.) */
  readonly rawHeaders: readonly string[];
  /** True if the client asks for another protocol on this connection. */
  readonly isUpgrade: boolean;
}

/** The decision for a request that the broker passes on: the key for it, and its address at the service. */
export interface AdmittedRequest {
  readonly route: Route;
  /** The header that holds the dummy. */
  readonly slot: Slot;
  /** The origin that gets the request. It is one of the route's origins, except for a redirect (redirects.ts). */
  readonly origin: string;
  /** The address that the client used for this origin. It replaces the origin in the headers of the answer. */
  readonly clientAddress: string;
  /** Path and query for the service. */
  readonly target: string;
  /** True if the request is sent without the key, and without other credentials. */
  readonly isWithoutCredentials?: boolean;
}

/** Decides whether one request is passed on. */
export type Admission = (request: RequestHead) => AdmittedRequest | Refusal;

/**
 * Headers by which a client can replace the method or the path in some frameworks. No rule would see what the service then uses.
 */
const OVERRIDE_HEADERS = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
] as const;

/** The headers of a request have a limit of 16 KiB. That alone would admit thousands of short headers, each of which costs time. */
const MAX_HEADER_FIELDS = 1000;

/**
 * Returns the function that decides whether each request at one address of the broker is passed on. The first check
 * that fails decides which refusal the client gets.
 *
 * @param brokerAddress the address at which these requests arrive
 */
export function createAdmission(routes: readonly Route[], brokerAddress: BrokerAddress): Admission {
  const findKey = createKeyFinder(routes);
  const sites = routes.flatMap(routeSites);
  return (request) => {
    if (request.rawHeaders.length > 2 * MAX_HEADER_FIELDS) {
      return createRefusal("broker-request", `the request has more than ${MAX_HEADER_FIELDS} headers`);
    }
    const headers = new HeaderFields(request.rawHeaders);
    const address = findRequestAddress(request, headers, sites, brokerAddress);
    if ("code" in address) return address;
    const headFault =
      refuseTransferCoding(headers) ?? (request.isUpgrade ? refuseUpgrade(request.method, headers) : undefined);
    if (headFault !== undefined) return headFault;
    const key = findKey(request.target, headers);
    if ("code" in key) return key;
    const service = findService(key.route, address, brokerAddress);
    return "code" in service ? service : admitPath(key, service, request.method, headers);
  };
}

/**
 * Refuses transfer codings other than `chunked`. Servers read other codings differently, and would disagree about where the body
 * ends.
 */
function refuseTransferCoding(headers: HeaderFields): Refusal | undefined {
  const [coding, ...furtherCodings] = headers.valuesOf("transfer-encoding");
  if (coding === undefined) return undefined;
  if (furtherCodings.length === 0 && coding.trim().toLowerCase() === "chunked") return undefined;
  return createRefusal("broker-request", "chunked is the only transfer coding");
}

/** Refuses upgrades other than the handshake of a WebSocket. */
function refuseUpgrade(method: string, headers: HeaderFields): Refusal | undefined {
  const [protocol, ...furtherProtocols] = headers.valuesOf("upgrade");
  const isWebSocket = protocol?.toLowerCase() === "websocket" && furtherProtocols.length === 0;
  const hasBody = headers.has("content-length") || headers.has("transfer-encoding");
  if (isWebSocket && method === "GET" && !hasBody) return undefined;
  return createRefusal("broker-request", "only a GET without a body can be upgraded, and to websocket alone");
}

/** The service to which a request goes. */
interface RequestedService {
  readonly site: Site;
  /** The address that the client used for the service. */
  readonly clientAddress: string;
  /** The path and the query at the service. */
  readonly target: string;
}

/**
 * Returns the service of the key that a request names, by its host or, at the broker's own address, by its path. If a key has
 * several hosts, the first segment of such a path is the host: `/api.github.com/user`.
 */
function findService(
  route: Route,
  { host, isProxied, target }: RequestAddress,
  brokerAddress: BrokerAddress,
): RequestedService | Refusal {
  const { name } = route;
  const sites = routeSites(route);
  if (host !== undefined) {
    const site = sites.find((each) => each.host === host && (each.hasGit || !isProxied));
    if (site === undefined) return createRefusal("broker-denied", `${name} is not for ${host}`, name);
    return { site, clientAddress: isProxied ? `http://${host}` : site.origin, target };
  }
  const [firstSite] = sites;
  if (route.sites === undefined && firstSite !== undefined) {
    return { site: firstSite, clientAddress: brokerAddress.origin, target };
  }
  const path = withoutQuery(target);
  for (const site of sites) {
    const root = `/${site.host}`;
    const pathBelowRoot = pathBelow(root, path);
    if (pathBelowRoot === undefined) continue;
    const query = target.slice(path.length);
    return {
      site,
      clientAddress: brokerAddress.origin + root,
      target: (pathBelowRoot === "" ? "/" : pathBelowRoot) + query,
    };
  }
  const roots = sites.map((site) => `/${site.host}`).join(" or ");
  return createRefusal("broker-denied", `${name} is accepted for paths below ${roots} alone`, name);
}

/**
 * Applies the rules of the key, and returns the request for the service. The rules see the path that the service itself would
 * see, also if a gateway stands in front of it.
 */
function admitPath(
  { route, slot }: RequestKey,
  { site, clientAddress, target }: RequestedService,
  method: string,
  headers: HeaderFields,
): AdmittedRequest | Refusal {
  const { name, allow, deny } = route;
  const requestPath = withoutQuery(target);
  const hasRules = allow.length + deny.length > 0;
  const pathBelowGateway = pathBelow(route.path, requestPath);
  // Only what follows the gateway's path is examined: the user wrote that path, perhaps with escapes and empty segments.
  const readings = hasRules || route.path !== "" ? listReadings(pathBelowGateway ?? requestPath) : [requestPath];
  if (readings === undefined) return refuseAmbiguousPath(name);
  const override = hasRules ? OVERRIDE_HEADERS.find((header) => headers.has(header)) : undefined;
  if (override !== undefined) {
    return createRefusal("broker-denied", `the header ${override} is not accepted`, name);
  }
  if (pathBelowGateway === undefined) {
    return createRefusal("broker-denied", `${name} is accepted for paths below ${route.path} alone`, name);
  }
  const prefixes = readings.map((reading) => findMissingPrefix(route, reading));
  const paths = readings.map((reading, index) => `${prefixes[index] ?? ""}${route.servicePath}${reading}`);
  // `isDenied` itself considers all readings of a path.
  const [firstPath = ""] = paths;
  if (isDenied(deny, { host: site.host, method, path: firstPath })) {
    const problem = `${method} ${firstPath} is denied for ${name}; call it outside the broker`;
    return createRefusal("broker-denied", problem, name);
  }
  // A path with %2F has several readings, and must be allowed in each of them.
  const forbiddenPath =
    allow.length === 0 ? undefined : paths.find((path) => !isCovered(allow, { host: site.host, method, path }));
  if (forbiddenPath !== undefined) {
    const problem = `${method} ${forbiddenPath} is not in the allowed paths of ${name}`;
    return createRefusal("broker-denied", problem, name);
  }
  const [prefix = ""] = prefixes;
  if (prefixes.some((otherPrefix) => otherPrefix !== prefix)) return refuseAmbiguousPath(name);
  // The address of a gateway may end with the prefix already.
  const base = route.path.endsWith(prefix) ? route.path : route.path + prefix;
  const query = target.slice(requestPath.length);
  return { route, slot, origin: site.origin, clientAddress, target: base + pathBelowGateway + query };
}

/** Returns the prefix that the broker must put in front of a path; empty if the path has it. */
function findMissingPrefix({ prefix, servicePath }: Route, reading: string): string {
  return pathBelow(prefix, servicePath + reading) === undefined ? prefix : "";
}

function refuseAmbiguousPath(name: string): Refusal {
  const parts = "//, dot segments, or escapes such as %2E";
  return createRefusal("broker-request", `the path has ${parts}; send it without, or call it outside the broker`, name);
}
