/** Asks a service by HTTP whether it takes a value. */
import { EscFault, type Fault } from "../../../esc/faults/fault.ts";
import type { NetworkSettings } from "../../../esc/settings/network.ts";
import { Deadline, systemClock } from "../../../esc/transport/deadline.ts";
import { HttpClient } from "../../../esc/transport/http.ts";
import { type Outcome, rejected, unclear } from "./outcome.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The statuses that say that the value works. */
  readonly expect: readonly number[];
  readonly reject: readonly (number | { readonly status: number; readonly contains: string })[];
}

/** Sends one request, and no second one: no redirect is followed. It ends within the limit. */
export async function askByHttp(request: HttpRequest, network: NetworkSettings, limitMs: number): Promise<Outcome> {
  const { url, method, headers, body, reject } = request;
  /** The status of an answer whose body decides as well. */
  let undecided: number | undefined;
  const deadline = new Deadline(limitMs, { ...systemClock, stepMs: limitMs });
  const client = new HttpClient(url, network, deadline, () => {});
  try {
    const answer = await client.request({
      url: url.href,
      method,
      headers: { "User-Agent": "sophia-run", ...headers },
      data: body,
      isEnough: (status) => {
        const isOpen = reject.some((one) => typeof one !== "number" && one.status === status);
        if (!isOpen || judge(request, status, "").kind === "rejected") return true;
        undecided = status;
        return false;
      },
    });
    return judge(request, answer.status, answer.data);
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    const { fault } = error;
    if (fault.kind === "status") return judge(request, fault.status, "");
    const byStatus = undecided === undefined ? undefined : judge(request, undecided, "");
    // The body that could not be read may have said no.
    return byStatus === undefined || byStatus.kind === "accepted" ? outcomeOf(fault) : byStatus;
  } finally {
    client.close();
    deadline.abandon();
  }
}

/** What a status says, with the body where the status does not say it alone. */
export function judge(
  { expect, reject }: Pick<HttpRequest, "expect" | "reject">,
  status: number,
  body: string,
): Outcome {
  const code = `HTTP ${status}`;
  const says = (one: HttpRequest["reject"][number]): boolean =>
    typeof one === "number" ? one === status : one.status === status && body.includes(one.contains);
  if (reject.some(says)) return rejected(code);
  if (expect.includes(status)) return { kind: "accepted" };
  if (status === 401) return rejected(code);
  if (status === 402) return unclear("credit", code);
  if (status === 403) return unclear("permission", code);
  if (status === 429) return unclear("quota", code);
  if (status >= 300 && status < 400) return unclear("redirect", code);
  return unclear(status >= 500 ? "trouble" : "unexpected", code);
}

function outcomeOf(fault: Exclude<Fault, { kind: "status" }>): Outcome {
  switch (fault.kind) {
    case "connect":
    case "tls":
      return unclear("unreachable", fault.code);
    case "timeout":
    case "slow":
      return unclear("unreachable", "timed out");
    case "bad-proxy":
      return unclear("unreachable", `${fault.variable} is not the URL of a proxy`);
    case "proxy-refused":
      return unclear("unreachable", `the proxy answers with HTTP ${fault.status}`);
    case "cut":
      return unclear("trouble", fault.code);
    case "not-http":
      return unclear("trouble", "what answers does not use HTTP");
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
