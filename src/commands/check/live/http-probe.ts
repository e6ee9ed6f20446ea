/**
 * Sends the HTTP request of a probe for `check --live`, and decides by the answer whether the service accepts the value,
 * such as an API key. http-template.ts makes the request.
 */
import { type NetworkFault, describeFaultReason } from "../../../network/network-fault.ts";
import { requestOnce } from "../../../network/http.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { type ProbeResult, rejected, unclear, type UnclearKind } from "./probe-result.ts";

export interface HttpProbe {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The statuses that accept the value. */
  readonly expect: readonly number[];
  /**
   * The statuses that reject the value. With `contains`, a status rejects it only if the body of the answer contains this
   * text.
   */
  readonly reject: readonly (number | { readonly status: number; readonly contains: string })[];
}

/** Sends one request within the time limit, without following redirects. */
export async function probeByHttp(probe: HttpProbe, network: NetworkSettings, limitMs: number): Promise<ProbeResult> {
  const { url, method, headers, body, reject } = probe;
  /** The result of a status that rejects the value only with a certain text in the body; undefined for other statuses. */
  let resultByStatus: ProbeResult | undefined;
  // The body is read only if it can change the result, so that most probes end with the head of the answer.
  const skipsBody = (status: number): boolean => {
    const result = judgeAnswer(probe, status, "");
    const dependsOnBody = reject.some((rule) => typeof rule !== "number" && rule.status === status);
    if (!dependsOnBody || result.outcome === "rejected") return true;
    resultByStatus = result;
    return false;
  };
  const request = { url: url.href, method, headers: { "User-Agent": "sophia-run", ...headers }, data: body, skipsBody };
  const answer = await requestOnce(request, network, limitMs);
  if (!("kind" in answer)) return judgeAnswer(probe, answer.status, answer.data);
  // The body could not be read. It might have rejected the value, so that the status alone cannot accept it.
  if (resultByStatus !== undefined && resultByStatus.outcome !== "accepted") return resultByStatus;
  return unclear(UNCLEAR_BY_FAULT[answer.kind], describeFaultReason(answer));
}

/** Returns the result of an answer: by the rules of the contract's probe, otherwise by the usual meaning of the status. */
function judgeAnswer({ expect, reject }: HttpProbe, status: number, body: string): ProbeResult {
  const code = `HTTP ${status}`;
  const isRejected = reject.some((rule) =>
    typeof rule === "number" ? rule === status : rule.status === status && body.includes(rule.contains),
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

/** The results of probes that got no answer, by the fault of the network. */
const UNCLEAR_BY_FAULT = {
  connect: "unreachable",
  tls: "unreachable",
  timeout: "unreachable",
  slow: "unreachable",
  "bad-proxy": "unreachable",
  "proxy-refused": "unreachable",
  cut: "trouble",
  "not-http": "trouble",
  "too-large": "unexpected",
  answer: "unexpected",
} as const satisfies Readonly<Record<NetworkFault["kind"], UnclearKind>>;
