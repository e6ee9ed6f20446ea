import { type NetworkFault, NOT_LOOPBACK } from "./fault.ts";

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
