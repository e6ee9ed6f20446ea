/**
 * The types of faults: why Pulumi ESC could not be read or changed, as data. The code that sends requests throws an `EscFault`, and
 * `fault-wording.ts` turns it into a message for the user.
 */
import type { Diagnostic } from "../../core/model.ts";
import type { NetworkFault } from "../../network/network-fault.ts";

/** The reason why ESC could not be read. Its strings from outside are safe to show: no token, one line, of limited length. */
export type Fault =
  | NetworkFault
  | { readonly kind: "redirect"; readonly host: string; readonly status: number; readonly to: string | undefined }
  | {
      readonly kind: "answer";
      readonly host: string;
      readonly problem: "html" | "empty" | "not-json" | "unexpected" | "encoding";
    }
  | {
      readonly kind: "status";
      readonly host: string;
      readonly status: number;
      readonly message?: string | undefined;
      /** True if the body is HTML. */
      readonly isPage?: true;
      readonly requestId?: string | undefined;
      readonly diagnostics: readonly Diagnostic[];
      readonly retryAfterMs?: number | undefined;
      /** The full names that were tried, since a name of two parts can mean two environments. */
      readonly tried?: readonly string[];
      /** Says which second meaning of the name was not tried, and because of which option. */
      readonly untried?: string | undefined;
    }
  /** The session of the opened environment ended before its values were read. */
  | { readonly kind: "session"; readonly host: string }
  | {
      readonly kind: "pause-too-long";
      readonly host: string;
      readonly status: number;
      readonly retryAfterMs: number;
      readonly leftMs: number;
    }
  /** The file of a credential cannot be used. `code` is the name of the errno, or says what is wrong with the content. */
  | { readonly kind: "file"; readonly variable: string; readonly path: string; readonly code: string }
  | { readonly kind: "exchange"; readonly host: string; readonly error: string; readonly message: string | undefined }
  | { readonly kind: "id-token"; readonly host: string; readonly status: number }
  | { readonly kind: "id-token-url" }
  | { readonly kind: "no-organization"; readonly host: string };

/** The circumstances of a fault, for its message. */
export interface FaultContext {
  /** The number of requests that were sent for the step. */
  readonly attempts?: number;
  /** The step during which the fault occurred: `finding the default organization`. */
  readonly step?: string;
  /** The name of the one environment that the fault concerns; absent if it concerns all. */
  readonly environment?: string;
  /** True if the text of the definition was requested. That takes more rights than opening the environment. */
  readonly isDefinition?: boolean;
  /** True if a change was requested. */
  readonly isChange?: boolean;
  /** True if the change was made, but could not be read back. */
  readonly isWritten?: boolean;
  /** True if an earlier attempt may have had an effect: see {@link mayHaveEffect}. */
  readonly isUncertain?: boolean;
}

/** Carries a {@link Fault} and nothing else. Errors of HTTP clients contain the request, and with it the token. */
export class EscFault extends Error {
  override readonly name = "EscFault";
  readonly fault: Fault;
  readonly context: FaultContext;

  constructor(fault: Fault, context: FaultContext = {}) {
    super(fault.kind);
    this.fault = fault;
    this.context = context;
  }
}

/** Returns the fault for an answer that does not have the form of ESC's answers. */
export function unexpectedAnswer(host: string): EscFault {
  return new EscFault({ kind: "answer", host, problem: "unexpected" });
}

/** The statuses with which a service answers if the token may not see something, or if the service does not know the request. */
export const HIDDEN_STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/** Returns the HTTP status of a fault; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof EscFault && error.fault.kind === "status" ? error.fault.status : undefined;
}

/**
 * Faults before anything is sent. A change has a limit of its own only on connecting, so that its `slow` means not
 * connected.
 */
const NOT_SENT: ReadonlySet<Fault["kind"]> = new Set(["connect", "tls", "slow", "bad-proxy", "proxy-refused"]);

/** Returns true if ESC may have carried out a change, although its answer is lost or reports an error. */
export function mayHaveEffect(fault: Fault): boolean {
  if (fault.kind === "status" || fault.kind === "pause-too-long") return fault.status >= 500;
  return !NOT_SENT.has(fault.kind);
}

/** The thing that the service refused. */
export type RefusalTarget = "token" | "environment";

/** Returns what the service refused; undefined if it is only unavailable. After a refusal no file may be used instead. */
export function refusalTarget(fault: Fault): RefusalTarget | undefined {
  if (fault.kind === "exchange" || fault.kind === "id-token") return "token";
  if (fault.kind === "no-organization") return "environment";
  if (fault.kind !== "status") return undefined;
  if (fault.status === 401) return "token";
  return fault.status === 403 || fault.status === 404 ? "environment" : undefined;
}

/** Returns true for a 403 because opening needs an approval. Only its message tells it from other 403s. */
export function needsApproval(fault: Fault): boolean {
  if (fault.kind !== "status" || fault.status !== 403) return false;
  return /\bopen request\b|\bmust be approved\b|\bapproval\b/i.test(fault.message ?? "");
}
