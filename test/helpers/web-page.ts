/**
 * The requests that a web page of an attacker, `http://evil.test:9000`, can make Chromium 156 send to a server on loopback. They were
 * recorded by such a server. Headers without a meaning for the tests are left out (`User-Agent`, `sec-ch-ua`, `Accept`).
 *
 * Each request has `Origin`, `Sec-Fetch-Site` or another `Host`. None has `Authorization`, which the server would have to allow
 * before.
 */

/** A request of the page. */
export interface PageRequest {
  readonly name: string;
  readonly method: string;
  /** `HOST` stands for the server's address, and `PORT` for its port. */
  readonly host: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const ORIGIN = "Origin: http://evil.test:9000";
const REFERER = "Referer: http://evil.test:9000/";
const TEXT = "Content-Type: text/plain;charset=UTF-8";

/** Returns the headers by which the browser describes the request. */
function fetchMetadata(mode: string, target: string, site = "cross-site"): string {
  return `Sec-Fetch-Site: ${site}\nSec-Fetch-Mode: ${mode}\nSec-Fetch-Dest: ${target}`;
}

const FORM = `${ORIGIN}\n${fetchMetadata("navigate", "iframe")}\nUpgrade-Insecure-Requests: 1\nCache-Control: max-age=0\n${REFERER}`;
const WEBSOCKET = `
  Connection: Upgrade
  Pragma: no-cache
  Cache-Control: no-cache
  Upgrade: websocket
  ${ORIGIN}
  Sec-WebSocket-Version: 13
  Sec-WebSocket-Key: aq29u5gRTjS/53t6xGxlIg==`;
/** A field of a form in text/plain that contains a whole request. */
const HIDDEN_REQUEST = "\r\n\r\nGET PATH HTTP/1.1\r\nHost: HOST\r\nAuthorization: CREDENTIALS\r\n\r\n=y\r\n";

function createRequest(name: string, method: string, host: string, headers: string, body = ""): PageRequest {
  const lines = headers.split("\n").map((line) => line.trim());
  return { name, method, host, headers: lines.filter((line) => line !== ""), body };
}

/** `PATH` stands for the path of the request, `CREDENTIALS` for the value of its `Authorization`, and `KEY` for a key in it. */
export const PAGE_REQUESTS: readonly PageRequest[] = [
  createRequest("fetch without CORS", "GET", "HOST", `${fetchMetadata("no-cors", "empty")}\n${REFERER}`),
  createRequest("fetch without CORS and Referer", "GET", "HOST", fetchMetadata("no-cors", "empty")),
  createRequest(
    "a POST without CORS",
    "POST",
    "HOST",
    `${TEXT}\n${ORIGIN}\n${fetchMetadata("no-cors", "empty")}\n${REFERER}`,
    "x",
  ),
  createRequest(
    "a POST behind a redirect",
    "POST",
    "HOST",
    `${TEXT}\nOrigin: null\n${fetchMetadata("no-cors", "empty")}`,
    "x",
  ),
  createRequest("fetch", "GET", "HOST", `${ORIGIN}\n${fetchMetadata("cors", "empty")}\n${REFERER}`),
  createRequest(
    "the preflight of a request with Authorization",
    "OPTIONS",
    "HOST",
    `Access-Control-Request-Method: GET
    Access-Control-Request-Headers: authorization
    ${ORIGIN}
    ${fetchMetadata("cors", "empty")}
    ${REFERER}`,
  ),
  createRequest("a form", "POST", "HOST", `Content-Type: application/x-www-form-urlencoded\n${FORM}`, "a=b"),
  createRequest(
    "a form of text that looks like JSON",
    "POST",
    "HOST",
    `Content-Type: text/plain\n${FORM}`,
    '{"model":"x","a":"="}\r\n',
  ),
  createRequest(
    "a form of text that looks like a request",
    "POST",
    "HOST",
    `Content-Type: text/plain\n${FORM}`,
    HIDDEN_REQUEST,
  ),
  createRequest("a frame", "GET", "HOST", `${fetchMetadata("navigate", "iframe")}\n${REFERER}`),
  createRequest("a window", "GET", "HOST", `${fetchMetadata("navigate", "document")}\n${REFERER}`),
  createRequest("an address that is typed", "GET", "HOST", fetchMetadata("navigate", "document", "none")),
  createRequest("a page of another port", "GET", "localhost:PORT", fetchMetadata("cors", "empty", "same-site")),
  createRequest("an image", "GET", "HOST", `${fetchMetadata("no-cors", "image")}\n${REFERER}`),
  createRequest("a script", "GET", "HOST", `${fetchMetadata("no-cors", "script")}\n${REFERER}`),
  createRequest("prefetch", "GET", "HOST", `Sec-Purpose: prefetch\n${fetchMetadata("no-cors", "empty")}\n${REFERER}`),
  createRequest(
    "an event stream",
    "GET",
    "HOST",
    `Accept: text/event-stream\n${ORIGIN}\n${fetchMetadata("cors", "empty")}\n${REFERER}`,
  ),
  createRequest(
    "a beacon",
    "POST",
    "HOST",
    `${TEXT}\n${ORIGIN}\n${fetchMetadata("no-cors", "empty")}\n${REFERER}`,
    "x",
  ),
  createRequest(
    "a ping",
    "POST",
    "HOST",
    `Ping-To: http://evil.test:9000/#x
    Ping-From: http://evil.test:9000/
    Content-Type: text/ping
    ${ORIGIN}
    ${fetchMetadata("no-cors", "empty")}`,
    "PING",
  ),
  createRequest(
    "the report of a policy",
    "POST",
    "HOST",
    `Content-Type: application/csp-report\n${ORIGIN}\n${fetchMetadata("no-cors", "report")}\n${REFERER}`,
    '{"csp-report":{}}',
  ),
  createRequest("a WebSocket", "GET", "HOST", WEBSOCKET),
  createRequest(
    "a WebSocket with a key in its protocol",
    "GET",
    "HOST",
    `${WEBSOCKET}\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key.KEY`,
  ),
  // Chromium sends no Sec-Fetch-Site to an address that is neither https nor one of loopback.
  createRequest("0.0.0.0", "GET", "0.0.0.0:PORT", REFERER),
  createRequest("an IPv4 address in IPv6", "GET", "[::ffff:7f00:1]:PORT", REFERER),
  createRequest("localhost with a dot", "GET", "localhost.:PORT", fetchMetadata("no-cors", "empty")),
  createRequest("a name below localhost", "GET", "x.localhost:PORT", fetchMetadata("no-cors", "empty")),
  // DNS rebinding: the page's own name leads to loopback by now. It may send any header.
  createRequest("a name that leads here", "GET", "rebind.test:PORT", ""),
  createRequest(
    "a POST to a name that leads here",
    "POST",
    "rebind.test:PORT",
    "Content-Type: application/json\nOrigin: http://rebind.test:PORT",
    "{}",
  ),
  createRequest(
    "a name that leads here, and headers for a proxy",
    "GET",
    "rebind.test:PORT",
    "X-Forwarded-Host: HOST\nForwarded: host=HOST",
  ),
];

/** Returns the bytes of a request. It has valid credentials, although a page has none. */
export function pageRequest(
  { method, host, headers, body }: Omit<PageRequest, "name">,
  { origin, path, authorization }: { readonly origin: string; readonly path: string; readonly authorization: string },
): string {
  const server = new URL(origin);
  const filled = (text: string): string =>
    text
      .replaceAll("HOST", server.host)
      .replaceAll("PORT", server.port)
      .replaceAll("PATH", path)
      .replaceAll("CREDENTIALS", authorization)
      .replaceAll("KEY", authorization.replace(/^\S+ /, ""));
  const content = filled(body);
  const length = content === "" ? [] : [`Content-Length: ${content.length}`];
  const lines = [`${method} PATH HTTP/1.1`, `Host: ${host}`, ...headers, "Authorization: CREDENTIALS"].map(filled);
  return [...lines, ...length, "", content].join("\r\n");
}
