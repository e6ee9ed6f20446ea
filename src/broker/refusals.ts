/** The broker's own answers, to requests that it does not pass on or that got no answer; pure. */

export type RefusalCode =
  | "broker-request"
  | "broker-key"
  | "broker-denied"
  | "broker-limit"
  | "broker-method"
  | "broker-tls"
  | "broker-upstream";

export interface Refusal {
  readonly code: RefusalCode;
  /** The problem and the remedy, for the log of the program that asked. */
  readonly message: string;
  /** The variable whose dummy the request carried, if it did. */
  readonly name?: string;
  /** The request carried credentials, but no key of this run. */
  readonly isGuess?: boolean;
  /** For a request beyond a limit: the seconds to wait. `helps` is false if there will be no further one in this run. */
  readonly retry?: { readonly seconds: number; readonly helps: boolean };
}

/** Never 407, 421 or 503: clients would send the request to another host, or again. */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  "broker-request": 400,
  "broker-key": 401,
  "broker-denied": 403,
  "broker-limit": 429,
  "broker-method": 405,
  "broker-tls": 502,
  "broker-upstream": 502,
};

export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes the answer. Its connection is closed, since the rest of the request is not read. */
export function answerTo({ code, message, retry }: Refusal): RefusalAnswer {
  const body = JSON.stringify({ error: { message: `sophia-run: ${message}`, type: "sophia_run", code } });
  return {
    status: STATUS[code],
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      // Understood by the SDKs of OpenAI and Anthropic: a refused request would be refused again.
      "x-should-retry": String(retry?.helps ?? code === "broker-upstream"),
      ...(retry !== undefined && { "retry-after": String(retry.seconds) }),
      connection: "close",
    },
    body,
  };
}
