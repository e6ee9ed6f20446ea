/**
 * The decision over each request that reaches the broker: which key it may use, where, and how; pure.
 *
 * Any process of this machine can connect to the broker's port, a web page in a browser included. A request is admitted
 * if it is addressed to the broker by name, and asks for a path that the rules of the key allow. It must carry exactly one
 * dummy, in a header in which clients send that key. All else is refused before a connection to the service is looked for.
 */
import { hash, randomBytes } from "node:crypto";
import type { Site } from "../contract/broker/github-keys.ts";
import type { Slot } from "../contract/broker/broker-model.ts";
import type { OwnAddress } from "./own-address.ts";
import type { Refusal, RefusalCode } from "./refusals.ts";
import { optionsOf } from "./fields.ts";
import { below, hostOf, type Route, withoutQuery } from "./route.ts";
import { readingsOf } from "../contract/broker/path-forms.ts";
import { isCovered, isDenied } from "../contract/broker/path-rules.ts";

export interface RequestHead {
  readonly method: string;
  /** The version of HTTP, such as `1.1`. Parsers take a line without one for `0.9`. */
  readonly version: string;
  /** The request's target as it was sent. */
  readonly target: string;
  /** Names and values in turn, as they were sent. Node.js drops or joins repeated ones in `headers`. */
  readonly rawHeaders: readonly string[];
  /** The client asks for another protocol on this connection. */
  readonly isUpgrade: boolean;
}

export interface Admitted {
  readonly route: Route;
  /** The header in which the dummy stands. */
  readonly slot: Slot;
  /** The origin that gets the request, one of the route's. */
  readonly origin: string;
  /** The address that stands for this origin in answers: that which the client has used. */
  readonly address: string;
  /** Path and query for the service. */
  readonly target: string;
  /** The request is sent without the key, and without other credentials. */
  readonly isBare?: boolean;
}

export type Admission = (asked: RequestHead) => Admitted | Refusal;

/** Headers by which frameworks let a client replace the method or the path that the rules have seen. */
const OVERRIDES = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
] as const;

/** The limit of bytes has room for 16,000 empty ones, each of which takes as long as another. */
const MOST_FIELDS = 1000;

/** Returns the function that decides over each request at an address of the broker. */
export function admission(routes: readonly Route[], own: OwnAddress): Admission {
  const findKey = keyFinder(routes);
  const sites = routes.flatMap(sitesOf);
  return (asked) => {
    if (asked.rawHeaders.length > 2 * MOST_FIELDS) {
      return refuse("broker-request", `the request has more than ${MOST_FIELDS} headers`);
    }
    const headers = new Fields(asked.rawHeaders);
    const address = addressOf(asked, headers, sites, own);
    if ("code" in address) return address;
    const malformed = bodyFault(headers) ?? (asked.isUpgrade ? upgradeFault(asked.method, headers) : undefined);
    if (malformed !== undefined) return malformed;
    const key = findKey(asked.target, headers);
    if ("code" in key) return key;
    const called = siteAt(key.route, address, own);
    return "code" in called ? called : admitPath(key, called, asked, headers);
  };
}

/** The hosts of a key's service; mostly one. */
function sitesOf({ origin, sites }: Route): readonly Site[] {
  return sites ?? [{ host: hostOf(origin), origin, hasGit: false }];
}

const NONE: readonly string[] = [];

/** The header fields of a request. */
class Fields {
  /** Names and values in turn, as they were sent. */
  readonly raw: readonly string[];
  readonly values: readonly string[];
  /** In lower case. */
  readonly names: readonly string[];

  constructor(rawHeaders: readonly string[]) {
    this.raw = rawHeaders;
    const names: string[] = [];
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      names.push((rawHeaders[index] ?? "").toLowerCase());
      values.push(rawHeaders[index + 1] ?? "");
    }
    this.names = names;
    this.values = values;
  }

  of(name: string): readonly string[] {
    return this.has(name) ? this.values.filter((_, index) => this.names[index] === name) : NONE;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** Returns true if `Connection` makes it a header of this connection alone (RFC 9110, 7.6.1). */
  isDropped(name: string): boolean {
    return this.of("connection").some((value) => optionsOf(value).includes(name));
  }
}

const ABSOLUTE = /^http:\/\/([\w.:-]+)(\/.*)$/i;
const PATH = /^\/[\u0021-\u007e]*$/;

/** The host and the path that a request names. */
interface RequestAddress {
  /** The name of a service; undefined for the broker itself. */
  readonly host: string | undefined;
  /** In absolute form, as to a proxy. */
  readonly isProxied: boolean;
  readonly target: string;
}

/**
 * Returns what a request is addressed to: the broker itself, or a service by its name: in absolute form, which git alone uses,
 * or in `Host`, on a socket. Requests of web pages are refused.
 */
function addressOf(
  { method, version, target }: RequestHead,
  headers: Fields,
  sites: readonly Site[],
  { hosts, isSocket = false }: OwnAddress,
): RequestAddress | Refusal {
  // A request of another version has other rules for what belongs to it.
  if (version !== "1.1" && version !== "1.0") return refuse("broker-request", "the request must be one of HTTP/1.1");
  if (method === "TRACE" || method === "CONNECT") return refuse("broker-method", `${method} is not supported`);
  // Most targets are paths.
  const [, authority, path = target] = (target.startsWith("/") ? null : ABSOLUTE.exec(target)) ?? [];
  const proxied = authority?.toLowerCase();
  const isGit = proxied !== undefined && sites.some(({ host, hasGit }) => hasGit && host === proxied);
  if (!PATH.test(path) || path.includes("#") || (proxied !== undefined && !isGit)) {
    return refuse("broker-request", "the target of the request must be a path (RFC 9112, origin-form)");
  }
  const [written, ...others] = headers.of("host");
  if (written === undefined || others.length > 0) {
    return refuse("broker-request", "the request must have one Host header");
  }
  const host = written.toLowerCase();
  if (headers.has("origin") || headers.has("sec-fetch-site")) {
    return refuse("broker-denied", "requests of web pages are not accepted (Origin, Sec-Fetch-Site)");
  }
  if (proxied !== undefined) {
    if (host === proxied) return { host, isProxied: true, target: path };
    return refuse("broker-request", "the Host header must be that of the request's target");
  }
  if (hosts.includes(host)) return { host: undefined, isProxied: false, target };
  if (isSocket && sites.some((site) => site.host === host)) return { host, isProxied: false, target };
  return refuse("broker-denied", `the Host header must be ${hosts.join(" or ")}`);
}

function bodyFault(headers: Fields): Refusal | undefined {
  const [coding, ...codings] = headers.of("transfer-encoding");
  if (coding === undefined || (codings.length === 0 && coding.trim().toLowerCase() === "chunked")) return undefined;
  return refuse("broker-request", "chunked is the only transfer coding");
}

function upgradeFault(method: string, headers: Fields): Refusal | undefined {
  const [protocol, ...more] = headers.of("upgrade");
  const hasBody = headers.has("content-length") || headers.has("transfer-encoding");
  return protocol?.toLowerCase() === "websocket" && more.length === 0 && method === "GET" && !hasBody
    ? undefined
    : refuse("broker-request", "only a GET without a body can be upgraded, and to websocket alone");
}

/** A scheme and what follows it. */
const CREDENTIALS = /^([\w-]+) +(\S+)$/;

interface FoundKey {
  readonly route: Route;
  readonly slot: Slot;
}

/** Returns a function that finds the one dummy of a request, which must be whole, and in a header of its route. */
function keyFinder(routes: readonly Route[]): (target: string, headers: Fields) => FoundKey | Refusal {
  // Looked up by a keyed hash: how long a comparison takes says nothing about a dummy. An HMAC object costs 30 µs on
  // Node.js 24 and memory outside the heap, which a collection frees late; this 1 µs.
  const secret = randomBytes(32).toString("base64");
  const keyed = (text: string): string => hash("sha256", secret + text, "base64");
  const byHash = new Map(routes.map((route) => [keyed(route.dummy), route]));
  const slotHeaders = new Set(routes.flatMap(({ slots }) => slots.map(({ header }) => header)));

  return (target, headers) => {
    const uses: KeyUse[] = [];
    for (let index = 0; index < headers.names.length; index++) {
      const header = headers.names[index] ?? "";
      if (!slotHeaders.has(header)) continue;
      const value = headers.values[index] ?? "";
      const [, written, credentials = value] = CREDENTIALS.exec(value) ?? [];
      const scheme = written?.toLowerCase();
      const route = byHash.get(keyed(credentials));
      if (route !== undefined) uses.push({ header, scheme, route, isPassword: false });
      const basic = scheme === "basic" ? basicCredentials(credentials) : undefined;
      const owner = basic === undefined ? undefined : byHash.get(keyed(basic.password));
      if (basic === undefined || owner?.slots.some(({ isPassword }) => isPassword === true) !== true) continue;
      const use = { header, scheme, route: owner, isPassword: true };
      uses.push(use);
      if (routes.some(({ dummy }) => basic.user.includes(dummy))) uses.push(use);
    }
    const [use, ...others] = uses;
    const count = countDummies(routes, target, headers);
    if (use === undefined) {
      if (count > 0) return refuse("broker-denied", "a key stands where it is not accepted");
      const route = findInBasic(routes, headers);
      if (route === undefined) {
        const problem = "the request has no key of this run; send the value of the key's variable";
        const isGuess = headers.names.some((header) => slotHeaders.has(header));
        return { ...refuse("broker-key", problem), isGuess };
      }
      const problem = `${route.name} is not replaced in Basic credentials (base64)`;
      return refuse("broker-denied", `${problem}; send it as it is, in ${accepted(route)}`, route.name);
    }
    const { name, slots } = use.route;
    // A password in base64 is not counted.
    const most = use.isPassword ? 0 : 1;
    if (others.length > 0 || count > most) {
      return refuse("broker-denied", "the request has two keys, or one twice", name);
    }
    const slot = slots.find(
      ({ header, scheme, isPassword = false }) =>
        header === use.header && scheme === use.scheme && isPassword === use.isPassword,
    );
    if (slot !== undefined && headers.isDropped(slot.header)) {
      return refuse("broker-request", `the Connection header names ${slot.header}, which is then not passed on`, name);
    }
    if (slot !== undefined && headers.of(slot.header).length === 1) return { route: use.route, slot };
    return refuse("broker-denied", `${name} is accepted in one header alone: ${accepted(use.route)}`, name);
  };
}

interface KeyUse {
  readonly header: string;
  readonly scheme: string | undefined;
  readonly route: Route;
  readonly isPassword: boolean;
}

/** Decodes Basic credentials (RFC 7617). @returns undefined if servers may decode the text differently */
function basicCredentials(text: string): { readonly user: string; readonly password: string } | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) return undefined;
  const [, user, password] = /^([^:]*):(.*)$/s.exec(bytes.toString("latin1")) ?? [];
  return user === undefined || password === undefined ? undefined : { user, password };
}

function accepted({ slots }: Route): string {
  const texts = slots.map(({ header, scheme, isPassword }) => {
    return scheme === undefined ? header : `${header}: ${scheme}${isPassword === true ? " (as the password)" : ""}`;
  });
  return texts.join(" or ");
}

/** Counts dummies in all headers and in the target, also behind its escapes. */
function countDummies(routes: readonly Route[], target: string, { raw }: Fields): number {
  // One text, since a search costs more to begin than to go on. No dummy has a line break.
  const text = `${raw.join("\n")}\n${target}\n${target.includes("%") ? unescape(target) : ""}`;
  let count = 0;
  for (const { dummy } of routes) {
    for (let at = text.indexOf(dummy); at !== -1; at = text.indexOf(dummy, at + dummy.length)) count += 1;
  }
  return count;
}

/** Returns the route whose dummy is the user or the password of Basic credentials (RFC 7617). */
function findInBasic(routes: readonly Route[], { values }: Fields): Route | undefined {
  const encoded = values.flatMap((value) => /^basic +(\S+)$/i.exec(value)?.[1] ?? []);
  const texts = encoded.map((text) => Buffer.from(text, "base64").toString("latin1"));
  return routes.find(({ dummy }) => texts.some((text) => text.includes(dummy)));
}

/** Decodes byte by byte: dummies are ASCII, and malformed escapes of other bytes do not matter here. */
function unescape(target: string): string {
  return target.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** A service that a request is for, by the address that its client has used. */
interface Called {
  readonly site: Site;
  readonly address: string;
  /** Path and query there. */
  readonly target: string;
}

/** Returns the service of the key that a request names. Where there are several, the first part of a path is the host. */
function siteAt(route: Route, { host, isProxied, target }: RequestAddress, own: OwnAddress): Called | Refusal {
  const { name } = route;
  const sites = sitesOf(route);
  if (host !== undefined) {
    const site = sites.find((one) => one.host === host && (one.hasGit || !isProxied));
    if (site === undefined) return refuse("broker-denied", `${name} is not for ${host}`, name);
    return { site, address: isProxied ? `http://${host}` : site.origin, target };
  }
  const [first] = sites;
  if (route.sites === undefined && first !== undefined) return { site: first, address: own.origin, target };
  for (const site of sites) {
    const root = `/${site.host}`;
    const rest = below(root, target.replace(/\?.*$/s, ""));
    if (rest === undefined) continue;
    const query = target.slice(root.length + rest.length);
    return { site, address: own.origin + root, target: (rest === "" ? "/" : rest) + query };
  }
  const roots = sites.map((site) => `/${site.host}`).join(" or ");
  return refuse("broker-denied", `${name} is accepted for paths below ${roots} alone`, name);
}

/** Applies the rules to the path that the service itself would see behind a gateway. */
function admitPath(
  { route, slot }: FoundKey,
  { site, address, target }: Called,
  { method }: RequestHead,
  headers: Fields,
): Admitted | Refusal {
  const { name, allow, deny } = route;
  const path = withoutQuery(target);
  const hasRules = allow.length + deny.length > 0;
  const rest = below(route.path, path);
  // The address of a gateway is as its user has written it, escapes and empty segments included.
  const readings = hasRules || route.path !== "" ? readingsOf(rest ?? path) : [path];
  if (readings === undefined) return ambiguous(name);
  const override = hasRules ? OVERRIDES.find((header) => headers.has(header)) : undefined;
  if (override !== undefined) return refuse("broker-denied", `the header ${override} is not accepted`, name);
  if (rest === undefined) {
    return refuse("broker-denied", `${name} is accepted for paths below ${route.path} alone`, name);
  }
  let prefix: string | undefined;
  let hasTwoPrefixes = false;
  // A path with %2F must be allowed in all of its readings. Rules that deny look at all of them.
  for (const reading of readings) {
    const written = route.servicePath + reading;
    const missing = below(route.prefix, written) === undefined ? route.prefix : "";
    const isFirst = prefix === undefined;
    hasTwoPrefixes ||= !isFirst && prefix !== missing;
    prefix = missing;
    const seen = { host: site.host, method, path: missing + written };
    if (isFirst && isDenied(deny, seen)) {
      return refuse("broker-denied", `${method} ${seen.path} is denied for ${name}; call it outside the broker`, name);
    }
    if (allow.length > 0 && !isCovered(allow, seen)) {
      return refuse("broker-denied", `${method} ${seen.path} is not in the allowed paths of ${name}`, name);
    }
  }
  if (hasTwoPrefixes) return ambiguous(name);
  // The address of a gateway may end with the prefix already.
  const base = prefix === undefined || prefix === "" || route.path.endsWith(prefix) ? route.path : route.path + prefix;
  return { route, slot, origin: site.origin, address, target: base + rest + target.slice(path.length) };
}

function ambiguous(name: string): Refusal {
  const parts = "//, dot segments, or escapes such as %2E";
  return refuse("broker-request", `the path has ${parts}; send it without, or call it outside the broker`, name);
}

function refuse(code: RefusalCode, message: string, name?: string): Refusal {
  return { code, message, ...(name === undefined ? {} : { name }) };
}
