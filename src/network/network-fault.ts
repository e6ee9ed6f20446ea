/**
 * The reason why there is no connection, or no whole answer. Hosts have their ports; no string contains a secret.
 * `unreached`: no connection to that host has ever succeeded.
 */
export type NetworkFault =
  /** Refused, unknown host, no route. `code` is the system's. */
  | { readonly kind: "connect"; readonly host: string; readonly code: string; readonly unreached: boolean }
  /** `cut`: the connection ended too early. `tls`: no secure connection, so that nothing was sent. */
  | { readonly kind: "cut" | "tls"; readonly host: string; readonly code: string }
  | { readonly kind: "not-http"; readonly host: string }
  | { readonly kind: "bad-proxy"; readonly variable: string }
  | { readonly kind: "proxy-refused"; readonly proxy: string; readonly status: number }
  | { readonly kind: "timeout"; readonly timeoutMs: number; readonly phase: string }
  /** Connecting, or the first byte of an answer, took longer than such a step may. */
  | { readonly kind: "slow"; readonly limitMs: number; readonly phase: string; readonly unreached: boolean }
  | { readonly kind: "too-large"; readonly host: string; readonly limit: number }
  | { readonly kind: "answer"; readonly host: string; readonly problem: "encoding" };

/** The code of a fault: a name of this machine leads to another one, and nothing was sent. */
export const NOT_LOOPBACK = "NOT_LOOPBACK";

/** Carries a {@link NetworkFault} and nothing else: errors of HTTP clients contain the request, and with it a token. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly fault: NetworkFault;

  constructor(fault: NetworkFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** Returns the reason in few words, without the host: to stand in brackets. */
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
