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

/** @returns the headers that go on: without those of the connection, and those that `Connection` names */
export function endToEnd(rawHeaders: Headers): Headers {
  const named = new Set(
    valuesOf(rawHeaders, "connection").flatMap((value) => value.split(",").map((name) => name.trim().toLowerCase())),
  );
  return rewrite(rawHeaders, (name, value) => (HOP_BY_HOP.has(name) || named.has(name) ? undefined : value));
}

/** @returns the headers for the service: its host, and the key in place of the dummy */
export function forService(rawHeaders: Headers, { route, slot }: Admitted, key: string): Headers {
  const { host } = new URL(route.origin);
  return rewrite(endToEnd(rawHeaders), (name, value) => {
    if (name === "host") return host;
    return name === slot.header ? withKey(slot, value, key) : value;
  });
}

/** The scheme stays as the client has written it. */
function withKey({ scheme }: Slot, value: string, key: string): string {
  return scheme === undefined ? key : `${value.slice(0, scheme.length)} ${key}`;
}

/** @returns the headers for the client: the service's own addresses lead to the broker, and no key is in them */
export function forClient(rawHeaders: Headers, { route }: Admitted, key: string, broker: string): Headers {
  return rewrite(endToEnd(rawHeaders), (name, value) => {
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
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** @param change gets the name in lower case; a header for which it returns undefined is left out */
function rewrite(rawHeaders: Headers, change: (name: string, value: string) => string | undefined): Headers {
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = change(name.toLowerCase(), rawHeaders[index + 1] ?? "");
    if (value !== undefined) headers.push(name, value);
  }
  return headers;
}
