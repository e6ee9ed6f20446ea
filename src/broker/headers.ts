/** Headers on their way through the broker; pure. Names and values in turn, as Node.js has them in `rawHeaders`. */
import type { Admitted } from "./admit.ts";
import { type Headers, optionsOf, valuesOf, without } from "./fields.ts";
import type { Slot } from "../contract/broker/broker-model.ts";
import { holdsKey, type Replaced, withoutKeys } from "./replaced.ts";
import { hostOf } from "./route.ts";

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

/** Kept even if `Connection` names them: without them the request is for another host, or its body a second request. */
const KEPT: ReadonlySet<string> = new Set(["host", "content-length"]);

const CREDENTIALS = ["authorization", "cookie"] as const;

/** Returns the headers for the service: its host, and the key in place of the dummy. */
export function forService(rawHeaders: Headers, { origin, slot, isBare = false }: Admitted, key: string): Headers {
  const host = hostOf(origin);
  const passed = isBare ? CREDENTIALS.reduce((headers, name) => without(headers, name), rawHeaders) : rawHeaders;
  return rewrite(passed, (name, value) => {
    if (name === "host") return host;
    return name === slot.header && !isBare ? withKey(slot, value, key) : value;
  });
}

/** The scheme stays as the client has written it, and so does the user name. */
function withKey({ scheme, isPassword }: Slot, value: string, key: string): string {
  if (scheme === undefined) return key;
  const written = value.slice(0, scheme.length);
  if (isPassword !== true) return `${written} ${key}`;
  const [user] = Buffer.from(value.slice(scheme.length).trim(), "base64").toString("latin1").split(":");
  return `${written} ${Buffer.from(`${user}:${key}`, "latin1").toString("base64")}`;
}

/** A name of a header (RFC 9110, 5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Returns the headers for the client: no key is in them, and in the service's own addresses stands the one that the client
 * has used.
 */
export function forClient(rawHeaders: Headers, { origin, address }: Admitted, replaced: Replaced): Headers {
  const changed = rewrite(rawHeaders, (name, value) => ownAddresses(name, value, origin, address));
  // No key has a line break.
  if (!holdsKey(changed.join("\n"), replaced)) return changed;
  const texts = changed.map((text) => withoutKeys(text, replaced));
  // A dummy may have characters that no name has.
  return texts.filter((_, index) => TOKEN.test(texts[index - (index % 2)] ?? ""));
}

/** Replaces the service's origin at the beginning of an address; that of another host may contain it further behind. */
function ownAddresses(name: string, value: string, origin: string, address: string): string {
  if (name === "link") return value.replaceAll(ownOrigin("<", origin), `$1${address}`);
  if (name === "location" || name === "content-location") return value.replace(ownOrigin("^", origin), `$1${address}`);
  return value;
}

/** Matches the origin, in any case, where it ends there: not that of `https://api.example.com.evil.test`. */
function ownOrigin(before: "^" | "<", origin: string): RegExp {
  const { protocol, hostname, port } = new URL(origin);
  const quote = (text: string): string => text.replaceAll(/[^\w]/g, String.raw`\$&`);
  const usual = protocol === "https:" ? "443" : "80";
  const ports = port === "" ? `(?::${usual})?` : quote(`:${port}`);
  return new RegExp(`(${before}\\s*)(?:${protocol})?//${quote(hostname)}${ports}(?![\\w.:@-])`, "gi");
}

/**
 * Drops the headers of the connection.
 *
 * @param change gets the name in lower case
 */
function rewrite(rawHeaders: Headers, change: (name: string, value: string) => string): Headers {
  const named = new Set(valuesOf(rawHeaders, "connection").flatMap(optionsOf));
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const written = rawHeaders[index] ?? "";
    const name = written.toLowerCase();
    if (HOP_BY_HOP.has(name) || (named.has(name) && !KEPT.has(name))) continue;
    headers.push(written, change(name, rawHeaders[index + 1] ?? ""));
  }
  return headers;
}
