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

/** Meant for the receiver in any case: without one of them a request is another one, or its body a second request. */
const KEPT: ReadonlySet<string> = new Set(["host", "content-length"]);

/** @returns the headers that go on: without those of the connection, and those that `Connection` names */
export function endToEnd(rawHeaders: Headers): Headers {
  const named = new Set(
    valuesOf(rawHeaders, "connection")
      .flatMap((value) => value.split(",").map((name) => name.trim().toLowerCase()))
      .filter((name) => !KEPT.has(name)),
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

/** Each key that is brokered now, or that the request has used, with its dummy. */
export type Replaced = readonly (readonly [key: string, dummy: string])[];

/** @returns the headers for the client: the service's own addresses lead to the broker, and no key is in them */
export function forClient(rawHeaders: Headers, origin: string, broker: string, replaced: Replaced): Headers {
  const address = new URL(origin);
  const changed = rewrite(endToEnd(rawHeaders), (name, value) => ownAddresses(name, value, address, broker));
  return changed.map((text) => withoutKeys(text, replaced));
}

export function withoutKeys(text: string, replaced: Replaced): string {
  return replaced.reduce((rest, [key, dummy]) => (rest.includes(key) ? rest.split(key).join(dummy) : rest), text);
}

/** Replaces the service's origin at the beginning of an address; one of another host may hold it further behind. */
function ownAddresses(name: string, value: string, origin: URL, broker: string): string {
  if (name === "link") return value.replaceAll(ownOrigin("<", origin), `$1${broker}`);
  if (name === "location" || name === "content-location") return value.replace(ownOrigin("^", origin), `$1${broker}`);
  return value;
}

/** Matches the origin, in any case, where it ends there: not that of `https://api.example.com.evil.test`. */
function ownOrigin(before: "^" | "<", { protocol, hostname, port }: URL): RegExp {
  const quote = (text: string): string => text.replaceAll(/[^\w]/g, String.raw`\$&`);
  const usual = protocol === "https:" ? "443" : "80";
  const ports = port === "" ? `(?::${usual})?` : quote(`:${port}`);
  return new RegExp(`(${before}\\s*)(?:${protocol})?//${quote(hostname)}${ports}(?![\\w.:@-])`, "gi");
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
