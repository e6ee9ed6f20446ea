/** Begins requests to the services, with the keys that the broker holds, and explains failed requests. */
import * as http from "node:http";
import { NetworkError, describeFaultReason } from "../network/network-fault.ts";
import { hostAndPortOf } from "../network/network-settings.ts";
import { systemErrorCode } from "../system/errors.ts";
import type { AdmittedRequest } from "./admit.ts";
import { createServiceHeaders } from "./headers.ts";
import type { Refusal } from "./refusals.ts";
import { parseOrigin } from "./route.ts";

/** The keys and connections for the services. */
export interface Services {
  /** Returns the present value of a key's variable. It changes if the key is rotated. */
  readonly keyOf: (name: string) => string;
  /** Returns the agent with the connections to an origin. It is always the same for one origin: see `network/pool.ts`. */
  readonly agentFor: (origin: string) => http.Agent;
  /** Asks ESC whether the key has changed, after a service has answered 401. Resolves when `keyOf` is up to date. */
  readonly onUnauthorized: (name: string) => Promise<void>;
}

/** The limit on the headers of an answer, which is more than the 16 KiB that are the default of Node.js. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Begins a request with the key in place of the dummy. The caller sends the body, or ends the request.
 *
 * @param connectionHeaders headers of the connection to the service. They replace those of the connection to the client, which are
 *   not passed on
 * @returns the request, and the key that it carries
 */
export function createServiceRequest(
  admitted: AdmittedRequest,
  method: string,
  rawHeaders: readonly string[],
  {
    services,
    connectionHeaders,
  }: { readonly services: Services; readonly connectionHeaders: Readonly<Record<string, string>> },
): { readonly request: http.ClientRequest; readonly key: string } {
  const { route, origin, target } = admitted;
  const { bareHost, port } = parseOrigin(origin);
  const key = services.keyOf(route.name);
  // `http.request` is right for https origins, too: the connections of their agent already are TLS.
  const request = http.request({
    agent: services.agentFor(origin),
    method,
    host: bareHost,
    port,
    path: target,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  // `maxHeaderSize` limits the headers instead. By default Node.js silently drops all headers after the thousandth.
  request.maxHeadersCount = 0;
  // The headers are added later, not passed as options: with NODE_DEBUG=http, which the user may set for the program, Node.js
  // prints the options, which would contain the key.
  const headers = createServiceHeaders(rawHeaders, admitted, key);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    request.appendHeader(headers[index] ?? "", headers[index + 1] ?? "");
  }
  for (const [name, value] of Object.entries(connectionHeaders)) request.setHeader(name, value);
  return { request, key };
}

/** The methods of requests that do no harm if they arrive twice (RFC 9110, 9.2.2). */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
/** The errors of a request on a connection that the service has closed. */
const CLOSED_CONNECTION: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Returns true if a failed request may be sent again: the service was just closing the idle connection on which it was sent, has
 * answered nothing, and has not got the whole request, or the request does no harm if it arrives twice.
 *
 * @param body `unsent` if no part of the body was read from the client yet
 */
export function maySendAgain(request: http.ClientRequest, error: unknown, body: "none" | "unsent" | "sent"): boolean {
  if (!request.reusedSocket || !CLOSED_CONNECTION.has(systemErrorCode(error))) return false;
  return body === "unsent" || (body === "none" && IDEMPOTENT_METHODS.has(request.method));
}

/** Returns the refusal for a request that got no answer. */
export function createUpstreamRefusal(error: unknown, { route: { name }, origin }: AdmittedRequest): Refusal {
  const host = hostAndPortOf(new URL(origin));
  if (!(error instanceof NetworkError)) {
    const message = `${host} did not answer (${systemErrorCode(error) ?? "UNKNOWN"})`;
    return { name, code: "broker-upstream", message };
  }
  const { fault } = error;
  if (fault.kind !== "tls") {
    // The connection to the proxy may have failed.
    const proxyPrefix = "host" in fault && fault.host !== host ? `the proxy ${fault.host}: ` : "";
    return {
      name,
      code: "broker-upstream",
      message: `${host} cannot be reached (${proxyPrefix}${describeFaultReason(fault)})`,
    };
  }
  const message = `no secure connection to ${fault.host} (${fault.code}); the key was not sent`;
  return { name, code: "broker-tls", message };
}
