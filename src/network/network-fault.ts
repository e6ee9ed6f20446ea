/**
 * The reason why there is no connection, or no complete answer. Hosts are written with their ports. No string contains a
 * secret. `unreached`: no connection to that host has ever succeeded.
 */
export type NetworkFault =
  /**
   * The connection was refused, the name is unknown, or there is no route. `code` is the system's, such as `ECONNREFUSED`.
   */
  | { readonly kind: "connect"; readonly host: string; readonly code: string; readonly unreached: boolean }
  /** `cut`: the connection ended before the answer was complete. `tls`: the handshake failed, so that nothing was sent. */
  | { readonly kind: "cut" | "tls"; readonly host: string; readonly code: string }
  | { readonly kind: "not-http"; readonly host: string }
  /** The value of this variable is not the URL of an HTTP proxy. */
  | { readonly kind: "bad-proxy"; readonly variable: string }
  | { readonly kind: "proxy-refused"; readonly proxy: string; readonly status: number }
  /** The limit on all requests together has passed. */
  | { readonly kind: "timeout"; readonly timeoutMs: number; readonly phase: string }
  /** Connecting, or waiting for the first byte of an answer, took longer than one step may take. */
  | { readonly kind: "slow"; readonly limitMs: number; readonly phase: string; readonly unreached: boolean }
  | { readonly kind: "too-large"; readonly host: string; readonly limit: number }
  /** The body is compressed, or is not UTF-8. */
  | { readonly kind: "answer"; readonly host: string; readonly problem: "encoding" };

/** The code of a `connect` fault: a name for this machine, such as `localhost`, led to another machine. Nothing was sent. */

/** The code of a fault: a name of this machine leads to another one, and nothing was sent. */
export const NOT_LOOPBACK = "NOT_LOOPBACK";

/** Carries a {@link NetworkFault} and nothing else. Errors of HTTP clients contain the request, and with it a token. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly fault: NetworkFault;

  constructor(fault: NetworkFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** Returns the reason in a few words without the host, for brackets in a message. */
export function reasonOf(fault: NetworkFault): string {
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
