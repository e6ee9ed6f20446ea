/**
 * The decision over each request that reaches the broker: which key it may use, where, and how; pure.
 *
 * Any process of this machine can connect to the broker's port, a web page in a browser included. A request is admitted
 * if it is addressed to the broker by name, and asks for a path that the rules of the key allow. It must carry exactly one
 * dummy, in a header in which clients send that key. All else is refused before a connection to the service is looked for.
 */
import { hash, randomBytes } from "node:crypto";
import type { Slot } from "../contract/broker/model.ts";
import type { OwnAddress } from "./own-address.ts";
import type { Refusal, RefusalCode } from "./refusals.ts";
import { below, type Route } from "./route.ts";
import { isAmbiguous, isCovered, isDenied } from "../contract/broker/path-rules.ts";

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
  /** Path and query for the service. */
  readonly target: string;
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

/** Returns the function that decides over each request at an address of the broker. */
export function admission(routes: readonly Route[], { hosts }: Pick<OwnAddress, "hosts">): Admission {
  const findKey = keyFinder(routes);
  return (asked) => {
    const headers = new Fields(asked.rawHeaders);
    const malformed = formFault(asked, headers, hosts);
    if (malformed !== undefined) return malformed;
    const key = findKey(asked.target, headers);
    return "code" in key ? key : admitPath(key, asked, headers);
  };
}

/** The header fields of a request. */
class Fields {
  readonly values: readonly string[];
  readonly rawNames: readonly string[];
  /** In lower case. */
  readonly names: readonly string[];

  constructor(rawHeaders: readonly string[]) {
    const rawNames: string[] = [];
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      rawNames.push(rawHeaders[index] ?? "");
      values.push(rawHeaders[index + 1] ?? "");
    }
    this.rawNames = rawNames;
    this.names = rawNames.map((name) => name.toLowerCase());
    this.values = values;
  }

  of(name: string): readonly string[] {
    return this.has(name) ? this.values.filter((_, index) => this.names[index] === name) : [];
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** Returns true if `Connection` makes it a header of this connection alone (RFC 9110, 7.6.1). */
  isDropped(name: string): boolean {
    return this.of("connection").some((value) =>
      value
        .toLowerCase()
        .split(/[\s,]+/)
        .includes(name),
    );
  }
}

function formFault(
  { method, version, target, isUpgrade }: RequestHead,
  headers: Fields,
  hosts: readonly string[],
): Refusal | undefined {
  // A request of another version has other rules for what belongs to it.
  if (version !== "1.1" && version !== "1.0") return refuse("broker-request", "the request must be one of HTTP/1.1");
  if (method === "TRACE" || method === "CONNECT") return refuse("broker-method", `${method} is not supported`);
  return (
    addressFault(target, headers, hosts) ??
    bodyFault(headers) ??
    (isUpgrade ? upgradeFault(method, headers) : undefined)
  );
}

/** A request must be addressed to the broker itself, and not come from a web page. */
function addressFault(target: string, headers: Fields, hosts: readonly string[]): Refusal | undefined {
  if (!/^\/[\u0021-\u007e]*$/.test(target) || target.includes("#")) {
    return refuse("broker-request", "the target of the request must be a path (RFC 9112, origin-form)");
  }
  const [host, ...others] = headers.of("host");
  if (host === undefined || others.length > 0) return refuse("broker-request", "the request must have one Host header");
  if (!hosts.includes(host.toLowerCase())) {
    return refuse("broker-denied", `the Host header must be ${hosts.join(" or ")}`);
  }
  if (headers.has("origin") || headers.has("sec-fetch-site")) {
    return refuse("broker-denied", "requests of web pages are not accepted (Origin, Sec-Fetch-Site)");
  }
  return undefined;
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
    const uses: { readonly header: string; readonly scheme: string | undefined; readonly route: Route }[] = [];
    for (const [index, header] of headers.names.entries()) {
      if (!slotHeaders.has(header)) continue;
      const value = headers.values[index] ?? "";
      const [, scheme, credentials = value] = /^([\w-]+) +(\S+)$/.exec(value) ?? [];
      const route = byHash.get(keyed(credentials));
      if (route !== undefined) uses.push({ header, scheme: scheme?.toLowerCase(), route });
    }
    const [use, ...others] = uses;
    const count = countDummies(routes, target, headers);
    if (use === undefined) {
      if (count > 0) return refuse("broker-denied", "a key stands where it is not accepted");
      const route = findInBasic(routes, headers);
      if (route === undefined) {
        return refuse("broker-key", "the request has no key of this run; send the value of the key's variable");
      }
      const problem = `${route.name} is not replaced in Basic credentials (base64)`;
      return refuse("broker-denied", `${problem}; send it as it is, in ${accepted(route)}`, route.name);
    }
    const { name, slots } = use.route;
    if (others.length > 0 || count > 1) return refuse("broker-denied", "the request has two keys, or one twice", name);
    const slot = slots.find(({ header, scheme }) => header === use.header && scheme === use.scheme);
    if (slot !== undefined && headers.isDropped(slot.header)) {
      return refuse("broker-request", `the Connection header names ${slot.header}, which is then not passed on`, name);
    }
    if (slot !== undefined && headers.of(slot.header).length === 1) return { route: use.route, slot };
    return refuse("broker-denied", `${name} is accepted in one header alone: ${accepted(use.route)}`, name);
  };
}

function accepted({ slots }: Route): string {
  return slots.map(({ header, scheme }) => (scheme === undefined ? header : `${header}: ${scheme}`)).join(" or ");
}

/** Counts dummies in all headers and in the target, also behind its escapes. */
function countDummies(routes: readonly Route[], target: string, { values, rawNames }: Fields): number {
  // One text, since a search costs more to begin than to go on. No dummy has a line break.
  const text = [...values, ...rawNames, target, target.includes("%") ? unescape(target) : ""].join("\n");
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

/** Applies the rules to the path that the service itself would see behind a gateway. */
function admitPath({ route, slot }: FoundKey, { method, target }: RequestHead, headers: Fields): Admitted | Refusal {
  const { name, allow, deny } = route;
  const [path = "", ...query] = target.split("?");
  const hasRules = allow.length + deny.length > 0;
  const rest = below(route.path, path);
  // The address of a gateway is as its user has written it, escapes and empty segments included.
  if ((hasRules || route.path !== "") && isAmbiguous(rest ?? path)) {
    const parts = "//, dot segments, or escapes such as %2F";
    return refuse("broker-request", `the path has ${parts}; send it without, or call it outside the broker`, name);
  }
  const override = hasRules ? OVERRIDES.find((header) => headers.has(header)) : undefined;
  if (override !== undefined) return refuse("broker-denied", `the header ${override} is not accepted`, name);
  if (rest === undefined)
    return refuse("broker-denied", `${name} is accepted for paths below ${route.path} alone`, name);
  const written = route.servicePath + rest;
  const prefix = below(route.prefix, written) === undefined ? route.prefix : "";
  const seen = prefix + written;
  if (isDenied(deny, method, seen)) {
    return refuse("broker-denied", `${method} ${seen} is denied for ${name}; call it outside the broker`, name);
  }
  if (allow.length > 0 && !isCovered(allow, method, seen)) {
    return refuse("broker-denied", `${method} ${seen} is not in the allowed paths of ${name}`, name);
  }
  // The address of a gateway may end with the prefix already.
  const base = prefix !== "" && route.path.endsWith(prefix) ? route.path : route.path + prefix;
  return { route, slot, target: [base + rest, ...query].join("?") };
}

function refuse(code: RefusalCode, message: string, name?: string): Refusal {
  return { code, message, ...(name === undefined ? {} : { name }) };
}
