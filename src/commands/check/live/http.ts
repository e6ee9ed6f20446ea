import { EscFault, type Fault } from "../../../esc/faults/fault.ts";
import type { NetworkSettings } from "../../../esc/settings/network.ts";
import { requestOnce } from "../../../esc/transport/http.ts";
import { type Outcome, rejected, unclear } from "./outcome.ts";

export interface HttpProbe {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly expect: readonly number[];
  readonly reject: readonly (number | { readonly status: number; readonly contains: string })[];
}

/** Sends one request within the time limit, without following redirects. */
export async function askByHttp(probe: HttpProbe, network: NetworkSettings, limitMs: number): Promise<Outcome> {
  const { url, method, headers, body, reject } = probe;
  /** The outcome by the status alone, if the body may change it. */
  let byStatus: Outcome | undefined;
  const isEnough = (status: number): boolean => {
    const outcome = judge(probe, status, "");
    const isOpen = reject.some((one) => typeof one !== "number" && one.status === status);
    if (!isOpen || outcome.outcome === "rejected") return true;
    byStatus = outcome;
    return false;
  };
  const sent = { url: url.href, method, headers: { "User-Agent": "sophia-run", ...headers }, data: body, isEnough };
  try {
    const answer = await requestOnce(sent, network, limitMs);
    return judge(probe, answer.status, answer.data);
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    // The body could not be read, and may have meant a rejection.
    return byStatus === undefined || byStatus.outcome === "accepted" ? outcomeOf(error.fault, probe) : byStatus;
  }
}

function judge({ expect, reject }: HttpProbe, status: number, body: string): Outcome {
  const code = `HTTP ${status}`;
  const isRejected = reject.some((one) =>
    typeof one === "number" ? one === status : one.status === status && body.includes(one.contains),
  );
  if (isRejected) return rejected(code);
  if (expect.includes(status)) return { outcome: "accepted" };
  if (status === 401) return rejected(code);
  if (status === 402) return unclear("credit", code);
  if (status === 403) return unclear("permission", code);
  if (status === 429) return unclear("quota", code);
  if (status >= 300 && status < 400) return unclear("redirect", code);
  return unclear(status >= 500 ? "trouble" : "unexpected", code);
}

function outcomeOf(fault: Fault, probe: HttpProbe): Outcome {
  switch (fault.kind) {
    case "status":
      return judge(probe, fault.status, "");
    case "connect":
    case "tls":
      return unclear("unreachable", fault.code);
    case "timeout":
    case "slow":
      return unclear("unreachable", "timed out");
    case "bad-proxy":
      return unclear("unreachable", `${fault.variable} is not the URL of a proxy`);
    case "proxy-refused":
      return unclear("unreachable", `the proxy answered with HTTP ${fault.status}`);
    case "cut":
      return unclear("trouble", fault.code);
    case "not-http":
      return unclear("trouble", "the answer is not HTTP");
    case "too-large":
      return unclear("unexpected", "the answer is too large");
    case "answer":
      return unclear("unexpected", "the answer cannot be read");
    case "exchange":
    case "file":
    case "id-token":
    case "id-token-url":
    case "no-organization":
    case "pause-too-long":
    case "redirect":
    case "session":
      throw new TypeError(`a fault of ESC: ${fault.kind}`);
  }
}
