/** Sends requests to the ESC server without the client of sophia-run, for the tests of the server itself. */
import * as http from "node:http";
import * as https from "node:https";

/** One HTTP exchange as it was, whatever its status. */
export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface ApiRequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: http.Agent;
  readonly ca?: string;
}

/** The headers that the API asks for. */
export function apiHeaders(token: string): Record<string, string> {
  return {
    Authorization: `token ${token}`,
    Accept: "application/vnd.pulumi+8",
    "User-Agent": "esc-server-test/1",
  };
}

/**
 * A request by node:http, which sends the target as it is given: `fetch` would normalize it and add headers.
 * Rejects with the socket's own error, `ECONNRESET` for an answer that stops too early.
 */
export function sendApiRequest(
  url: string,
  { method = "GET", headers = {}, body, agent, ca }: ApiRequestOptions = {},
): Promise<Reply> {
  const { protocol, hostname, port } = new URL(url);
  const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const send = protocol === "https:" ? https.request : http.request;
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = send(
      {
        host: hostname.replace(/^\[|\]$/g, ""),
        port,
        path,
        method,
        headers: { ...length, ...headers },
        ...(agent === undefined ? {} : { agent }),
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
