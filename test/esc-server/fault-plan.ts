/** Holds the faults that a test has planned for requests, and chooses the one for a request. */
import type { Answer } from "./answer.ts";
import { type Fault, type FaultName, toFault } from "./faults.ts";
import { createRateLimiter } from "./rate.ts";
import type { Operation } from "./routes.ts";

/** The operation of a fault: one or any. */
export type Target = Operation | "any";

/** A planned fault of one request. */
export interface PlannedFault {
  readonly fault: Fault;
  /** The refusal of a rate limit that is exceeded now. */
  readonly refusal?: Answer;
}

interface Standing {
  readonly fault: Fault;
  readonly limit?: () => Answer | undefined;
}

/** Which fault strikes next. Faults for the next requests go before standing ones, those of an operation before `any`. */
export class FaultPlan {
  readonly #next = new Map<Target, Fault[]>();
  readonly #always = new Map<Target, Standing>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(target: Target, fault: Fault | FaultName, times: number): void {
    const queue = this.#next.get(target) ?? [];
    queue.push(...Array.from({ length: times }, () => toFault(fault)));
    this.#next.set(target, queue);
  }

  always(target: Target, named: Fault | FaultName): void {
    const fault = toFault(named);
    const limit = fault.kind === "rateLimit" ? { limit: createRateLimiter(fault, this.#now) } : {};
    this.#always.set(target, { fault, ...limit });
  }

  clear(target?: Target): void {
    if (target === undefined) {
      this.#next.clear();
      this.#always.clear();
      return;
    }
    this.#next.delete(target);
    this.#always.delete(target);
  }

  take(operation: Operation): PlannedFault | undefined {
    const fault = this.#next.get(operation)?.shift() ?? this.#next.get("any")?.shift();
    if (fault !== undefined) return { fault };
    const standing = this.#always.get(operation) ?? this.#always.get("any");
    if (standing?.limit === undefined) return standing;
    const refusal = standing.limit();
    return refusal === undefined ? undefined : { fault: standing.fault, refusal };
  }
}
