import type { Fault } from "./fault.ts";

/** What the service does not accept. */
export type Refused = "token" | "environment";

/**
 * Returns what the service refused; undefined if ESC is not available. A service that refuses is up: no file stands in
 * for what it does not give.
 */
export function refusal(fault: Fault): Refused | undefined {
  switch (fault.kind) {
    case "status":
      if (fault.status === 401) return "token";
      return fault.status === 403 || fault.status === 404 ? "environment" : undefined;
    case "exchange":
    case "id-token":
      return "token";
    case "no-organization":
      return "environment";
    case "answer":
    case "bad-proxy":
    case "connect":
    case "cut":
    case "file":
    case "id-token-url":
    case "not-http":
    case "pause-too-long":
    case "proxy-refused":
    case "redirect":
    case "session":
    case "slow":
    case "timeout":
    case "tls":
    case "too-large":
      return undefined;
  }
}

/** Returns true for a 403 that only an approval of the opening lifts. Its message alone tells it from others. */
export function needsApproval(fault: Fault): boolean {
  if (fault.kind !== "status" || fault.status !== 403) return false;
  return /\bopen request\b|\bmust be approved\b|\bapproval\b/i.test(fault.message ?? "");
}
