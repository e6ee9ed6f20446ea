/** Requests to the services whose keys are brokered. */
import * as http from "node:http";
import { NetworkError, reasonOf } from "../network/network-fault.ts";
import { authority } from "../network/network-settings.ts";
import { systemErrorCode } from "../system/errors.ts";
import type { Admitted } from "./admit.ts";
import { forService } from "./headers.ts";
import type { Refusal } from "./refusals.ts";
import { addressIn } from "./route.ts";

/** The keys and connections for the services. */
export interface Services {
  /** The value of a variable now. */
  readonly keyOf: (name: string) => string;
  /** The connections to an origin, always the same ones: see `network/pool.ts`. */
  readonly agentFor: (origin: string) => http.Agent;
  /** Called after a 401 of a service. Resolves when ESC was asked whether the key has changed. */
  readonly onUnauthorized: (name: string) => Promise<void>;
}

const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Begins a request with the key in place of the dummy.
 *
 * @param added headers of this connection
 */
export function requestOf(
  admitted: Admitted,
  method: string,
  rawHeaders: readonly string[],
  { services, added }: { readonly services: Services; readonly added: Readonly<Record<string, string>> },
): { readonly request: http.ClientRequest; readonly key: string } {
  const { route, origin, target } = admitted;
  const { bare, port } = addressIn(origin);
  const key = services.keyOf(route.name);
  // The agent's connections to an https origin are TLS already.
  const request = http.request({
    agent: services.agentFor(origin),
    method,
    host: bare,
    port,
    path: target,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  // Their bytes are limited; by default Node.js drops those behind the thousandth in silence.
  request.maxHeadersCount = 0;
  // Not as options of the request: under NODE_DEBUG=http, which is meant for the program, Node.js prints the options.
  const headers = forService(rawHeaders, admitted, key);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    request.appendHeader(headers[index] ?? "", headers[index + 1] ?? "");
  }
  for (const [name, value] of Object.entries(added)) request.setHeader(name, value);
  return { request, key };
}

const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const ENDED: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Returns true for a request that met the end of an idle connection, and may be sent again: the service has answered nothing,
 * and the rest of the request was not sent, or nothing is done twice by it (RFC 9110, 9.2.2).
 *
 * @param body `unsent`: nothing of it was read from the client
 */
export function maySendAgain(request: http.ClientRequest, error: unknown, body: "none" | "unsent" | "sent"): boolean {
  if (!request.reusedSocket || !ENDED.has(systemErrorCode(error))) return false;
  return body === "unsent" || (body === "none" && IDEMPOTENT.has(request.method));
}

/** Returns the refusal for a request that got no answer. */
export function failureOf(error: unknown, { route: { name }, origin }: Admitted): Refusal {
  const host = authority(new URL(origin));
  if (!(error instanceof NetworkError)) {
    const message = `${host} did not answer (${systemErrorCode(error) ?? "UNKNOWN"})`;
    return { name, code: "broker-upstream", message };
  }
  const { fault } = error;
  if (fault.kind !== "tls") {
    // The connection that failed may be that to the proxy.
    const by = "host" in fault && fault.host !== host ? `the proxy ${fault.host}: ` : "";
    return { name, code: "broker-upstream", message: `${host} cannot be reached (${by}${reasonOf(fault)})` };
  }
  const message = `no secure connection to ${fault.host} (${fault.code}); the key was not sent`;
  return { name, code: "broker-tls", message };
}
