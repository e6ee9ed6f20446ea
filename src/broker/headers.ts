/** Headers on their way through the broker; pure. Names and values in turn, as Node.js has them in `rawHeaders`. */
import type { Admitted } from "./admit.ts";
import type { Slot } from "../contract/broker/model.ts";

type Headers = readonly string[];

/** For one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers in which a service names addresses of its own. */
const ADDRESSES: ReadonlySet<string> = new Set(["location", "content-location", "link"]);

/** @returns the headers for the service: its host, and the key in place of the dummy */
export function forService(rawHeaders: Headers, { route, slot }: Admitted, key: string): Headers {
  const host = hostOf(route.origin);
  return rewrite(rawHeaders, (name, value) => {
    if (name === "host") return host;
    return name === slot.header ? withKey(slot, value, key) : value;
  });
}

const hosts = new Map<string, string>();

/** @returns host and port of an origin, each of which is read once: a URL costs 2 µs */
export function hostOf(origin: string): string {
  const host = hosts.get(origin) ?? new URL(origin).host;
  hosts.set(origin, host);
  return host;
}

/** The scheme stays as the client has written it. */
function withKey({ scheme }: Slot, value: string, key: string): string {
  return scheme === undefined ? key : `${value.slice(0, scheme.length)} ${key}`;
}

/** @returns the headers for the client: the service's own addresses lead to the broker, and no key is in them */
export function forClient(rawHeaders: Headers, { route }: Admitted, key: string, broker: string): Headers {
  return rewrite(rawHeaders, (name, value) => {
    const address = ADDRESSES.has(name) ? value.replaceAll(originIn(route.origin), broker) : value;
    return address.includes(key) ? address.replaceAll(key, route.dummy) : address;
  });
}

/** Matches the origin, in any case, where it ends there: not that of `https://api.example.com.evil.test`. */
function originIn(origin: string): RegExp {
  const quoted = origin.replaceAll(/[^\w]/g, String.raw`\$&`);
  return new RegExp(`(?<![\\w.])${quoted}(?![\\w.:@-])`, "gi");
}

export function valuesOf(rawHeaders: Headers, name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

/**
 * Drops the headers of the connection.
 *
 * @param change gets the name in lower case
 */
function rewrite(rawHeaders: Headers, change: (name: string, value: string) => string): Headers {
  const named = new Set(valuesOf(rawHeaders, "connection").flatMap((value) => value.toLowerCase().split(/[\s,]+/)));
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const written = rawHeaders[index] ?? "";
    const name = written.toLowerCase();
    if (HOP_BY_HOP.has(name) || named.has(name)) continue;
    headers.push(written, change(name, rawHeaders[index + 1] ?? ""));
  }
  return headers;
}
