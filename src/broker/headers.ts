/** Changes the headers of requests and answers on their way through the broker. The functions are pure. */
import type { AdmittedRequest } from "./admit.ts";
import { type Headers, parseConnectionOptions, valuesOf, withoutHeader } from "./header-fields.ts";
import type { Slot } from "../contract/broker/broker-model.ts";
import { containsKey, type ReplaceableKeys, replaceKeys } from "./replace-keys.ts";
import { hostOf } from "./route.ts";

/** Headers that concern one connection only, which a proxy does not pass on (RFC 9110, 7.6.1). */
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

/**
 * Headers that are passed on even if `Connection` names them. Without them, the request would go to another host, or the service
 * would read its body as a second request.
 */
const ALWAYS_PASSED: ReadonlySet<string> = new Set(["host", "content-length"]);

/** The headers with credentials, which are removed from a request that is sent without the key. */
const CREDENTIAL_HEADERS = ["authorization", "cookie"] as const;

/** Returns the headers for the service: with the service's host, and with the key in place of the dummy. */
export function createServiceHeaders(
  rawHeaders: Headers,
  { origin, slot, isWithoutCredentials = false }: AdmittedRequest,
  key: string,
): Headers {
  const host = hostOf(origin);
  const headersToSend = isWithoutCredentials
    ? CREDENTIAL_HEADERS.reduce((headers, name) => withoutHeader(headers, name), rawHeaders)
    : rawHeaders;
  return rewriteHeaders(headersToSend, (name, value) => {
    if (name === "host") return host;
    return name === slot.header && !isWithoutCredentials ? insertKey(slot, value, key) : value;
  });
}

/** Puts the key into the value of its header. The scheme and the user name stay as the client wrote them. */
function insertKey({ scheme, isPassword }: Slot, value: string, key: string): string {
  if (scheme === undefined) return key;
  const writtenScheme = value.slice(0, scheme.length);
  if (isPassword !== true) return `${writtenScheme} ${key}`;
  const [user] = Buffer.from(value.slice(scheme.length).trim(), "base64").toString("latin1").split(":");
  return `${writtenScheme} ${Buffer.from(`${user}:${key}`, "latin1").toString("base64")}`;
}

/** Matches the name of a header (RFC 9110, 5.6.2). */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Returns the headers for the client, without keys. Redirects to the service itself lead to the address that the client used, so
 * that the client stays with the broker.
 */
export function createClientHeaders(
  rawHeaders: Headers,
  { origin, clientAddress }: AdmittedRequest,
  replaceableKeys: ReplaceableKeys,
): Headers {
  const rewrittenHeaders = rewriteHeaders(rawHeaders, (name, value) =>
    replaceOrigin(name, value, origin, clientAddress),
  );
  // One search in the joined text is enough, since no key has a line break.
  if (!containsKey(rewrittenHeaders.join("\n"), replaceableKeys)) return rewrittenHeaders;
  const texts = rewrittenHeaders.map((text) => replaceKeys(text, replaceableKeys));
  // If a key in a name was replaced by a dummy with other characters, the name may be invalid now. Such a header is left out.
  return texts.filter((_, index) => {
    const nameIndex = index - (index % 2);
    return HEADER_NAME.test(texts[nameIndex] ?? "");
  });
}

/**
 * Replaces the service's origin where an address begins. (The address of another host may contain the origin, such as in a query.)
 */
function replaceOrigin(name: string, value: string, origin: string, clientAddress: string): string {
  if (name === "link") return value.replaceAll(createOriginPattern("<", origin), `$1${clientAddress}`);
  if (name !== "location" && name !== "content-location") return value;
  return value.replace(createOriginPattern("^", origin), `$1${clientAddress}`);
}

/**
 * Returns a pattern that matches an origin, if the host ends there: not in `https://api.example.com.evil.test`. The case does not
 * matter.
 *
 * @param before the character in front of the origin; `^` for the beginning of the text
 */
function createOriginPattern(before: "^" | "<", origin: string): RegExp {
  const { protocol, hostname, port } = new URL(origin);
  const quote = (text: string): string => text.replaceAll(/[^\w]/g, String.raw`\$&`);
  const defaultPort = protocol === "https:" ? "443" : "80";
  const ports = port === "" ? `(?::${defaultPort})?` : quote(`:${port}`);
  return new RegExp(`(${before}\\s*)(?:${protocol})?//${quote(hostname)}${ports}(?![\\w.:@-])`, "gi");
}

/**
 * Drops the headers that concern one connection, and changes the values of the others.
 *
 * @param change returns the new value for a name in lower case and a value
 */
function rewriteHeaders(rawHeaders: Headers, change: (name: string, value: string) => string): Headers {
  const connectionOptions = new Set(valuesOf(rawHeaders, "connection").flatMap(parseConnectionOptions));
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const writtenName = rawHeaders[index] ?? "";
    const name = writtenName.toLowerCase();
    if (HOP_BY_HOP.has(name) || (connectionOptions.has(name) && !ALWAYS_PASSED.has(name))) continue;
    headers.push(writtenName, change(name, rawHeaders[index + 1] ?? ""));
  }
  return headers;
}
