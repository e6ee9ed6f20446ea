/**
 * The cases of faults of ESC: what a case consists of, and short forms for the tables of cases. stage.ts runs a case.
 */
import type { EscServer } from "../../esc-server/index.ts";
import type { Certificates } from "../../esc-server/tls.ts";
import type { VirtualClock } from "../virtual-clock.ts";

export type Variables = Readonly<Record<string, string>>;

/** The deadline of faults that last until it: time enough for a busy machine to get that far. */
const SHORT_MS = 2500;

export interface Stage {
  readonly server: EscServer;
  readonly certificates: Certificates;
  /** A folder of the case's own. */
  readonly folder: string;
  /** Closes something when the case is over. */
  readonly defer: (close: () => Promise<void>) => void;
}

/** One fault with its expected outcome. */
export interface FaultCase {
  readonly fault: string;
  /** The behaviour of sophia-run, for the table. */
  readonly behaviour: string;
  readonly expect:
    /** The values arrive; `hasNotice`: with a notice. */
    | { readonly kind: "read"; readonly hasNotice?: boolean }
    /** Emergency access. */
    | { readonly kind: "unavailable"; readonly code: string }
    /** The environment alone. */
    | { readonly kind: "refused"; readonly code: string }
    /** Nothing is requested: the contract decides, as if ESC were not configured. */
    | { readonly kind: "unread" }
    /** The program is not started. */
    | { readonly kind: "stopped"; readonly code: string }
    /** The contract is not met by what ESC has, also with `--require-esc`. */
    | { readonly kind: "unmet"; readonly code: string }
    /** A command that writes changes nothing. */
    | { readonly kind: "unwritten"; readonly code: string };
  /** Causes the fault. @returns the variables that differ from the usual ones */
  readonly arrange: (stage: Stage) => Promise<Variables> | Variables;
  /** The only requests to count: the number of others is random. */
  readonly countedOperation?: string;
  /** The requests with `--require-esc`, if they differ. */
  readonly callsWhenRequired?: readonly string[];
  /** For faults that last until the deadline: a short one for real processes, in milliseconds. */
  readonly timeoutMs?: number;
  /** Resolves as soon as only time can end the request. */
  readonly isStuck?: (server: EscServer, clock: VirtualClock) => Promise<unknown>;
  /** Only a whole start meets the fault, not the reader of ESC. */
  readonly startOptions?: {
    readonly isAtTerminal?: boolean;
    readonly options?: readonly string[];
    /** Instead of a program that does nothing. */
    readonly program?: readonly string[];
    /** The contract of the folder is checked. */
    readonly isChecked?: boolean;
    /** Instead of a start. */
    readonly command?: readonly string[];
  };
}

/** The fault lasts until the deadline, from this operation on. */
export function lastsUntilDeadlineIn(operation: "open" | "read"): Pick<FaultCase, "timeoutMs" | "isStuck"> {
  return { timeoutMs: SHORT_MS, isStuck: (server) => server.waitFor(operation) };
}

/** The fault lasts until the deadline, while a connection is being made. */
export const LASTS_UNTIL_DEADLINE_IN_CONNECTING: Pick<FaultCase, "timeoutMs" | "isStuck"> = {
  timeoutMs: SHORT_MS,
  isStuck: (_, clock) => clock.limited(clock.stepMs),
};

export const VALUES_ARRIVE = { kind: "read" } as const;

export function unavailable(code: string): FaultCase["expect"] {
  return { kind: "unavailable", code };
}

export function refused(code: string): FaultCase["expect"] {
  return { kind: "refused", code };
}

/** A fault that the server plans. */
export function planServerFault(plan: (server: EscServer) => void): FaultCase["arrange"] {
  return ({ server }) => {
    plan(server);
    return {};
  };
}
