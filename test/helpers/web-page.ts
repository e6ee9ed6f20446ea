/**
 * Requests that a page at `http://evil.test:9000` has Chromium 156 send to a server on loopback, as a server there has read
 * them, but for headers without a meaning here (`User-Agent`, `sec-ch-ua`, `Accept`). They have `Origin`, `Sec-Fetch-Site` or
 * another `Host`; and no `Authorization`, unless the server has allowed it before.
 */

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

function fetched(mode: string, target: string, site = "cross-site"): string {
  return `Sec-Fetch-Site: ${site}\nSec-Fetch-Mode: ${mode}\nSec-Fetch-Dest: ${target}`;
}

const FORM = `${ORIGIN}\n${fetched("navigate", "iframe")}\nUpgrade-Insecure-Requests: 1\nCache-Control: max-age=0\n${REFERER}`;
const WEBSOCKET = `
  Connection: Upgrade
  Pragma: no-cache
  Cache-Control: no-cache
  Upgrade: websocket
  ${ORIGIN}
  Sec-WebSocket-Version: 13
  Sec-WebSocket-Key: aq29u5gRTjS/53t6xGxlIg==`;
/** A field of a form in text/plain. */
const SECOND = "\r\n\r\nGET PATH HTTP/1.1\r\nHost: HOST\r\nAuthorization: CREDENTIALS\r\n\r\n=y\r\n";

function request(name: string, method: string, host: string, headers: string, body = ""): PageRequest {
  const lines = headers.split("\n").map((line) => line.trim());
  return { name, method, host, headers: lines.filter((line) => line !== ""), body };
}

/** `PATH` stands for the path of the request, `CREDENTIALS` for the value of its `Authorization`, and `KEY` for a key in it. */
export const PAGE_REQUESTS: readonly PageRequest[] = [
  request("fetch without CORS", "GET", "HOST", `${fetched("no-cors", "empty")}\n${REFERER}`),
  request("fetch without CORS and Referer", "GET", "HOST", fetched("no-cors", "empty")),
  request("a POST without CORS", "POST", "HOST", `${TEXT}\n${ORIGIN}\n${fetched("no-cors", "empty")}\n${REFERER}`, "x"),
  request("a POST behind a redirect", "POST", "HOST", `${TEXT}\nOrigin: null\n${fetched("no-cors", "empty")}`, "x"),
  request("fetch", "GET", "HOST", `${ORIGIN}\n${fetched("cors", "empty")}\n${REFERER}`),
  request(
    "the preflight of a request with Authorization",
    "OPTIONS",
    "HOST",
    `Access-Control-Request-Method: GET
    Access-Control-Request-Headers: authorization
    ${ORIGIN}
    ${fetched("cors", "empty")}
    ${REFERER}`,
  ),
  request("a form", "POST", "HOST", `Content-Type: application/x-www-form-urlencoded\n${FORM}`, "a=b"),
  request(
    "a form of text that looks like JSON",
    "POST",
    "HOST",
    `Content-Type: text/plain\n${FORM}`,
    '{"model":"x","a":"="}\r\n',
  ),
  request("a form of text that looks like a request", "POST", "HOST", `Content-Type: text/plain\n${FORM}`, SECOND),
  request("a frame", "GET", "HOST", `${fetched("navigate", "iframe")}\n${REFERER}`),
  request("a window", "GET", "HOST", `${fetched("navigate", "document")}\n${REFERER}`),
  request("an address that is typed", "GET", "HOST", fetched("navigate", "document", "none")),
  request("a page of another port", "GET", "localhost:PORT", fetched("cors", "empty", "same-site")),
  request("an image", "GET", "HOST", `${fetched("no-cors", "image")}\n${REFERER}`),
  request("a script", "GET", "HOST", `${fetched("no-cors", "script")}\n${REFERER}`),
  request("prefetch", "GET", "HOST", `Sec-Purpose: prefetch\n${fetched("no-cors", "empty")}\n${REFERER}`),
  request(
    "an event stream",
    "GET",
    "HOST",
    `Accept: text/event-stream\n${ORIGIN}\n${fetched("cors", "empty")}\n${REFERER}`,
  ),
  request("a beacon", "POST", "HOST", `${TEXT}\n${ORIGIN}\n${fetched("no-cors", "empty")}\n${REFERER}`, "x"),
  request(
    "a ping",
    "POST",
    "HOST",
    `Ping-To: http://evil.test:9000/#x
    Ping-From: http://evil.test:9000/
    Content-Type: text/ping
    ${ORIGIN}
    ${fetched("no-cors", "empty")}`,
    "PING",
  ),
  request(
    "the report of a policy",
    "POST",
    "HOST",
    `Content-Type: application/csp-report\n${ORIGIN}\n${fetched("no-cors", "report")}\n${REFERER}`,
    '{"csp-report":{}}',
  ),
  request("a WebSocket", "GET", "HOST", WEBSOCKET),
  request(
    "a WebSocket with a key in its protocol",
    "GET",
    "HOST",
    `${WEBSOCKET}\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key.KEY`,
  ),
  // Chromium sends no Sec-Fetch-Site to an address that is neither https nor one of loopback.
  request("0.0.0.0", "GET", "0.0.0.0:PORT", REFERER),
  request("an IPv4 address in IPv6", "GET", "[::ffff:7f00:1]:PORT", REFERER),
  request("localhost with a dot", "GET", "localhost.:PORT", fetched("no-cors", "empty")),
  request("a name below localhost", "GET", "x.localhost:PORT", fetched("no-cors", "empty")),
  // DNS rebinding: the page's own name leads to loopback by now. It may send any header.
  request("a name that leads here", "GET", "rebind.test:PORT", ""),
  request(
    "a POST to a name that leads here",
    "POST",
    "rebind.test:PORT",
    "Content-Type: application/json\nOrigin: http://rebind.test:PORT",
    "{}",
  ),
  request(
    "a name that leads here, and headers for a proxy",
    "GET",
    "rebind.test:PORT",
    "X-Forwarded-Host: HOST\nForwarded: host=HOST",
  ),
];

/** Returns the bytes of a request, with credentials, which are more than a page has. */
export function pageRequest(
  { method, host, headers, body }: Omit<PageRequest, "name">,
  { origin, path, authorization }: { readonly origin: string; readonly path: string; readonly authorization: string },
): string {
  const own = new URL(origin);
  const filled = (text: string): string =>
    text
      .replaceAll("HOST", own.host)
      .replaceAll("PORT", own.port)
      .replaceAll("PATH", path)
      .replaceAll("CREDENTIALS", authorization)
      .replaceAll("KEY", authorization.replace(/^\S+ /, ""));
  const content = filled(body);
  const length = content === "" ? [] : [`Content-Length: ${content.length}`];
  const lines = [`${method} PATH HTTP/1.1`, `Host: ${host}`, ...headers, "Authorization: CREDENTIALS"].map(filled);
  return [...lines, ...length, "", content].join("\r\n");
}
