import type { Clock, Deadline } from "./deadline.ts";
import { EscFault, type Fault } from "../faults/fault.ts";
import { decide, type Trouble } from "./retry.ts";

/** By this the reader says what it waits for. Main decides what of it is shown. No text of it holds a secret. */
export interface Progress {
  /** Such as `opening acme/sophia/dev`. */
  waiting(what: string): void;
  /** The reason is one line, `HTTP 503` for instance; `attempt` is the number of the next one, from 2. */
  retrying(retry: {
    readonly what: string;
    readonly reason: string;
    readonly attempt: number;
    readonly delayMs: number;
  }): void;
}

/** How often may still be asked again; several requests can share one. */
export interface RetryBudget {
  retries: number;
  readonly maxRetries: number;
}

export interface Repetition {
  readonly what: string;
  readonly budget: RetryBudget;
  readonly deadline: Deadline;
  readonly clock: Clock;
  readonly progress: Progress;
}

/**
 * Asks until there is an answer or no point in asking again.
 *
 * @throws EscFault the last one, with the number of attempts
 */
export async function repeat<T>(ask: () => Promise<T>, repetition: Repetition): Promise<T> {
  const { what, budget, deadline, clock, progress } = repetition;
  for (let attempts = 1; ; attempts += 1) {
    progress.waiting(what);
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EscFault)) throw error;
      const { fault } = error;
      const trouble = troubleOf(fault);
      const decision = decide(trouble, { ...budget, remainingMs: deadline.remainingMs() }, clock.random());
      if (decision.kind === "stop") {
        throw new EscFault(decision.why === "pause-too-long" ? pauseTooLong(fault, deadline) : fault, attempts);
      }
      budget.retries += 1;
      progress.retrying({ what, reason: reasonOf(fault), attempt: attempts + 1, delayMs: decision.delayMs });
      await deadline.sleep(decision.delayMs, `waiting to ask again after ${reasonOf(fault)}`);
    }
  }
}

function troubleOf(fault: Fault): Trouble {
  if (fault.kind === "connect" || fault.kind === "cut") return { kind: "transient" };
  if (fault.kind === "proxy-refused") return { kind: GATEWAY_TROUBLE.has(fault.status) ? "transient" : "final" };
  if (fault.kind !== "status") return { kind: "final" };
  const pause = fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs };
  if (fault.status === 429) return { kind: "rate-limit", ...pause };
  return GATEWAY_TROUBLE.has(fault.status) ? { kind: "transient", ...pause } : { kind: "final" };
}

const GATEWAY_TROUBLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** Of the faults that are worth another attempt. */
function reasonOf(fault: Fault): string {
  if (fault.kind === "connect" || fault.kind === "cut") return fault.code;
  return fault.kind === "status" || fault.kind === "proxy-refused" ? `HTTP ${fault.status}` : fault.kind;
}

function pauseTooLong(fault: Fault, deadline: Deadline): Fault {
  if (fault.kind !== "status" || fault.retryAfterMs === undefined) return fault;
  const { host, status, retryAfterMs } = fault;
  return { kind: "pause-too-long", host, status, retryAfterMs, leftMs: deadline.remainingMs() };
}
