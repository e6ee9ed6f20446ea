/**
 * The parts that forward-request.ts and upgrade.ts share: the context of a request, and the change of the service's answer on its
 * way to the client. The functions are pure.
 */
import type { IncomingMessage } from "node:http";
import { NetworkError } from "../network/network-fault.ts";
import { hostAndPortOf } from "../network/network-settings.ts";
import type { AdmittedRequest } from "./admit.ts";
import type { Exchange } from "./exchange.ts";
import { createClientHeaders } from "./headers.ts";
import { type ReplaceableKeys, replaceKeys } from "./replace-keys.ts";
import type { Refusal } from "./refusals.ts";
import { createUpstreamRefusal, type Services } from "./service-request.ts";

/** The context in which an admitted request is passed on. */
export interface ForwardingContext {
  readonly services: Services;
  readonly exchange: Exchange;
  /** Called with the `Location` of each answer, before the answer is passed back. */
  readonly noteRedirect: (admitted: AdmittedRequest, location: string | undefined) => void;
  /** Returns the keys that the head of the answer must not contain. @param key the key with which the request was sent */
  readonly findReplaceableKeys: (admitted: AdmittedRequest, key: string) => ReplaceableKeys;
}

/**
 * Returns true if the status is valid and final. The parser accepts any three digits, but clients and the server of Node.js do not.
 */
export function isFinalAnswer({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 999;
}

/** Returns the refusal for a service whose answer is not HTTP. */
export function createNotHttpRefusal(admitted: AdmittedRequest): Refusal {
  return createUpstreamRefusal(
    new NetworkError({ kind: "not-http", host: hostAndPortOf(new URL(admitted.origin)) }),
    admitted,
  );
}

/** Matches nearly all reason phrases, which need no replacement of characters. */
const PLAIN_REASON = /^[\w ]*$/;

/**
 * Returns the reason phrase and the headers of an answer for the client: without keys, and with the address that the client used in
 * place of the service's address.
 */
export function createClientHead(
  { statusMessage = "", rawHeaders }: IncomingMessage,
  admitted: AdmittedRequest,
  replaceableKeys: ReplaceableKeys,
): { readonly reason: string; readonly headers: readonly string[] } {
  const cleanMessage = replaceKeys(statusMessage, replaceableKeys);
  // Node.js reads any characters in a service's reason phrase, but throws if it must write some of them.
  const reason = PLAIN_REASON.test(cleanMessage)
    ? cleanMessage
    : cleanMessage.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, "?");
  return { reason, headers: createClientHeaders(rawHeaders, admitted, replaceableKeys) };
}
