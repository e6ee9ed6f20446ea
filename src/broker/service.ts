/** Requests to the services whose keys are brokered. */
import * as http from "node:http";
import * as https from "node:https";
import { authority, bareHost, portOf } from "../esc/settings/network.ts";
import { systemErrorCode } from "../system/errors.ts";
import type { Admitted } from "./admit.ts";
import { forService } from "./headers.ts";
import type { Refusal } from "./refusals.ts";

/** The keys and connections for the services. */
export interface Services {
  /** The value of a variable now. */
  readonly keyOf: (name: string) => string;
  /** The connections to an origin, through the caller's proxies, verified by the caller's certificate authorities. */
  readonly agentFor: (origin: string) => http.Agent;
  /** A service has answered 401. Resolves when it was looked whether the key is a different one now. */
  readonly onUnauthorized: (name: string) => Promise<void>;
}

const CONNECT_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Begins a request with the key in place of the dummy. It is destroyed if there is no connection within 10 s.
 *
 * @param added headers of this connection
 */
export function requestOf(
  admitted: Admitted,
  method: string,
  rawHeaders: readonly string[],
  { services, added }: { readonly services: Services; readonly added: Readonly<Record<string, string>> },
): { readonly request: http.ClientRequest; readonly key: string } {
  const { route, target } = admitted;
  const url = new URL(route.origin);
  const key = services.keyOf(route.name);
  const { request: begin } = url.protocol === "https:" ? https : http;
  const request = begin({
    agent: services.agentFor(route.origin),
    method,
    host: bareHost(url),
    port: portOf(url),
    path: target,
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  // Not as options of the request: under NODE_DEBUG=http, which is meant for the program, Node.js prints the options.
  const headers = forService(rawHeaders, admitted, key);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    request.appendHeader(headers[index] ?? "", headers[index + 1] ?? "");
  }
  for (const [name, value] of Object.entries(added)) request.setHeader(name, value);
  limitConnecting(request);
  return { request, key };
}

function limitConnecting(request: http.ClientRequest): void {
  const timer = setTimeout(() => {
    request.destroy(Object.assign(new Error("no connection"), { code: "ETIMEDOUT" }));
  }, CONNECT_MS);
  const done = (): void => clearTimeout(timer);
  request.once("close", done).once("socket", (socket) => {
    if (!socket.connecting) done();
    else socket.once("secureConnect", done).once("connect", () => "encrypted" in socket || done());
  });
}

/** @returns the refusal for a request that got no answer */
export function failureOf(error: unknown, { route }: Admitted): Refusal {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  const host = authority(new URL(route.origin));
  const name = route.name;
  if (CERTIFICATE.test(code)) {
    return {
      name,
      code: "broker-tls",
      message: `the certificate of ${host} is not valid (${code}); the key was not sent`,
    };
  }
  return { name, code: "broker-upstream", message: `${host} did not answer (${code})` };
}

/** OpenSSL's names for what is wrong with a certificate, and Node.js's for a wrong name. */
const CERTIFICATE = /CERT|^UNABLE_TO_|^ERR_(?:TLS|SSL)|^EPROTO$|^HOSTNAME_MISMATCH$|^INVALID_(?:CA|PURPOSE)$/;
