/**
 * Creates the broker's own answers: to requests that it does not pass on, and to requests that got no answer from their service. The
 * functions are pure.
 *
 * The body is in the form that the SDKs of the services understand, so that a program reports the message:
 *
 *     {"error":{"message":"sophia-run: the request has …","type":"sophia_run","code":"broker-key"}}
 */

export type RefusalCode =
  | "broker-request"
  | "broker-key"
  | "broker-denied"
  | "broker-limit"
  | "broker-method"
  | "broker-tls"
  | "broker-upstream";

/** The reason why the broker refuses a request, or why an admitted request got no answer from its service. */
export interface Refusal {
  readonly code: RefusalCode;
  /** The problem and the remedy, for the log of the program that sent the request. */
  readonly message: string;
  /** The variable whose dummy the request carried; absent if it carried none. */
  readonly name?: string;
  /** True if the request carried credentials, but no key of this run. */
  readonly isGuess?: boolean;
  /** For a request beyond a limit: how long to wait. `canSucceed` is false if no further request is accepted in this run. */
  readonly retry?: { readonly seconds: number; readonly canSucceed: boolean };
}

/** The status of each refusal. At 407, 421 and 503 clients would send the request to another host, or again. */
const STATUS_BY_CODE: Readonly<Record<RefusalCode, number>> = {
  "broker-request": 400,
  "broker-key": 401,
  "broker-denied": 403,
  "broker-limit": 429,
  "broker-method": 405,
  "broker-tls": 502,
  "broker-upstream": 502,
};

/** An answer that this process creates itself: a refusal, or the answer of a local service (local-service.ts). */
export interface BrokerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param name the variable whose dummy the request carried, if it carried one */
export function createRefusal(code: RefusalCode, message: string, name?: string): Refusal {
  return { code, message, ...(name === undefined ? {} : { name }) };
}

/** Returns the answer to a request that is refused. The answer closes the connection, since the rest of the request is not read. */
export function createRefusalAnswer({ code, message, retry }: Refusal): BrokerAnswer {
  const body = JSON.stringify({ error: { message: `sophia-run: ${message}`, type: "sophia_run", code } });
  return {
    status: STATUS_BY_CODE[code],
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      // The SDKs of OpenAI and Anthropic obey this header. A second try helps only if the service was not reached.
      "x-should-retry": String(retry?.canSucceed ?? code === "broker-upstream"),
      ...(retry !== undefined && { "retry-after": String(retry.seconds) }),
      connection: "close",
    },
    body,
  };
}
