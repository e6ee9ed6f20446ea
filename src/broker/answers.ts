/** The heads of answers on their way to the client; pure. */
import type { IncomingMessage } from "node:http";
import { NetworkError } from "../network/network-fault.ts";
import type { Admitted } from "./admit.ts";
import type { Exchange } from "./exchange.ts";
import { forClient } from "./headers.ts";
import { type Replaced, withoutKeys } from "./replaced.ts";
import type { Refusal } from "./refusals.ts";
import { failureOf, type Services } from "./service.ts";

/** The means by which `forward` and `upgrade` pass a request on. */
export interface Passing {
  readonly services: Services;
  readonly exchange: Exchange;
  /** Called with the address to which an answer leads. */
  readonly redirected: (admitted: Admitted, location: string | undefined) => void;
  /** Returns the keys that no answer's head may hold. @param key with which the request began */
  readonly replaced: (admitted: Admitted, key: string) => Replaced;
}

/** Returns true for a status that ends a request. The parser takes any digits; clients and Node.js do not. */
export function isFinal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 999;
}

/** Returns the refusal for an answer that is not HTTP. */
export function noAnswer(admitted: Admitted): Refusal {
  return failureOf(new NetworkError({ kind: "not-http", host: admitted.origin }), admitted);
}

const USUAL_REASON = /^[\w ]*$/;

/** Returns reason and headers of an answer for the client: no key is in them, and no address of the service itself. */
export function headFor(
  { statusMessage = "", rawHeaders }: IncomingMessage,
  admitted: Admitted,
  replaced: Replaced,
): { readonly reason: string; readonly headers: readonly string[] } {
  // Node.js takes such characters in reasons of services, and throws for its own.
  const without = withoutKeys(statusMessage, replaced);
  const reason = USUAL_REASON.test(without) ? without : without.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, "?");
  return { reason, headers: forClient(rawHeaders, admitted, replaced) };
}
