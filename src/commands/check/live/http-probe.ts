import { type NetworkFault, reasonOf } from "../../../network/network-fault.ts";
import { requestOnce } from "../../../network/http.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { type Outcome, rejected, unclear } from "./probe-outcome.ts";

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
  const skipsBody = (status: number): boolean => {
    const outcome = judge(probe, status, "");
    const isOpen = reject.some((one) => typeof one !== "number" && one.status === status);
    if (!isOpen || outcome.outcome === "rejected") return true;
    byStatus = outcome;
    return false;
  };
  const sent = { url: url.href, method, headers: { "User-Agent": "sophia-run", ...headers }, data: body, skipsBody };
  const answer = await requestOnce(sent, network, limitMs);
  if (!("kind" in answer)) return judge(probe, answer.status, answer.data);
  // The body could not be read, and may have meant a rejection.
  if (byStatus !== undefined && byStatus.outcome !== "accepted") return byStatus;
  return unclear(KINDS[answer.kind], reasonOf(answer));
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

const KINDS = {
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
} as const satisfies Readonly<Record<NetworkFault["kind"], string>>;
