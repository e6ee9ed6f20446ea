/** Describes why a request to a server has failed. Callers turn the description into a message, or decide by it to retry. */

/**
 * The reason why there is no connection, or no complete answer. `host` and `proxy` have the form `api.pulumi.com:443`. No string
 * contains a secret. `unreached` is true if no connection to that host has ever succeeded.
 */
export type NetworkFault =
  /**
   * The connection was refused, the name is unknown, or there is no route. `code` is the system's, such as `ECONNREFUSED`, or
   * {@link NOT_LOOPBACK}.
   */
  | { readonly kind: "connect"; readonly host: string; readonly code: string; readonly unreached: boolean }
  /** `cut`: the connection ended before the answer was complete. `tls`: the handshake failed, so that no request was sent. */
  | { readonly kind: "cut" | "tls"; readonly host: string; readonly code: string }
  /** The server sent something that is not HTTP. */
  | { readonly kind: "not-http"; readonly host: string }
  /** The value of this variable is not the URL of an HTTP proxy. */
  | { readonly kind: "bad-proxy"; readonly variable: string }
  /** The proxy answered CONNECT with a status that is not 2xx. */
  | { readonly kind: "proxy-refused"; readonly proxy: string; readonly status: number }
  /** The limit on all requests together has passed. */
  | { readonly kind: "timeout"; readonly timeoutMs: number; readonly phase: string }
  /** Connecting, or waiting for the first byte of an answer, took longer than one step may take. */
  | { readonly kind: "slow"; readonly limitMs: number; readonly phase: string; readonly unreached: boolean }
  /** The body is longer than `limit` bytes. */
  | { readonly kind: "too-large"; readonly host: string; readonly limit: number }
  /** The body is compressed, or is not UTF-8. */
  | { readonly kind: "answer"; readonly host: string; readonly problem: "encoding" };

/** The code of a `connect` fault: a name for this machine, such as `localhost`, leads to another machine. Nothing was sent. */
export const NOT_LOOPBACK = "NOT_LOOPBACK";

/** The error with a {@link NetworkFault}. It has no `cause`, so that it cannot contain the request, and with it a token. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly fault: NetworkFault;

  constructor(fault: NetworkFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** Describes a fault in a few words, to be put in brackets in a message that names the host. */
export function describeFaultReason(fault: NetworkFault): string {
  switch (fault.kind) {
    case "connect":
    case "tls":
    case "cut":
      return fault.code === NOT_LOOPBACK ? "the name leads to another machine" : fault.code;
    case "timeout":
    case "slow":
      return "timed out";
    case "bad-proxy":
      return `${fault.variable} is not the URL of a proxy`;
    case "proxy-refused":
      return `the proxy answered with HTTP ${fault.status}`;
    case "not-http":
      return "the answer is not HTTP";
    case "too-large":
      return "the answer is too large";
    case "answer":
      return "the answer cannot be read";
  }
}
