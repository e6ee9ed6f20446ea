import type { Diagnostic } from "../../core/model.ts";
import type { NetworkFault } from "../../network/network-fault.ts";

/** The reason why ESC could not be read. Strings from outside are safe to show: no token, one line, of bounded length. */
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
      /** The body is HTML. */
      readonly isPage?: true;
      readonly requestId?: string | undefined;
      readonly diagnostics: readonly Diagnostic[];
      readonly retryAfterMs?: number | undefined;
      /** The environments that were requested, if a name could mean several. */
      readonly tried?: readonly string[];
      /** A further meaning of the name, which `--require-esc` excludes. */
      readonly untried?: string | undefined;
    }
  | { readonly kind: "session"; readonly host: string }
  | {
      readonly kind: "pause-too-long";
      readonly host: string;
      readonly status: number;
      readonly retryAfterMs: number;
      readonly leftMs: number;
    }
  | { readonly kind: "file"; readonly variable: string; readonly path: string; readonly code: string }
  | { readonly kind: "exchange"; readonly host: string; readonly error: string; readonly message: string | undefined }
  | { readonly kind: "id-token"; readonly host: string; readonly status: number }
  | { readonly kind: "id-token-url" }
  | { readonly kind: "no-organization"; readonly host: string };

export interface FaultContext {
  readonly attempts?: number;
  readonly step?: string;
  readonly environment?: string;
  /** The text of the definition was requested, which takes more rights than opening the environment. */
  readonly isDefinition?: boolean;
  readonly isChange?: boolean;
  /** The change was made, and could not be read back. */
  readonly isWritten?: boolean;
  /** An attempt before this one may have had an effect: see {@link mayHaveEffect}. */
  readonly isUncertain?: boolean;
}

/** Carries a {@link Fault} and nothing else: errors of HTTP clients contain the request, and with it the token. */
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

/** Makes the fault of an answer that ESC does not give. */
export function unexpectedAnswer(host: string): EscFault {
  return new EscFault({ kind: "answer", host, problem: "unexpected" });
}

/** Statuses for a token that may not see something, or of a service that has no such request. */
export const HIDDEN: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/** Returns the HTTP status of a fault; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof EscFault && error.fault.kind === "status" ? error.fault.status : undefined;
}

/** Faults before anything is sent. Of a change, only connecting has a time limit of its own, after which it is `slow`. */
const NOT_SENT: ReadonlySet<Fault["kind"]> = new Set(["connect", "tls", "slow", "bad-proxy", "proxy-refused"]);

/** Returns true if ESC may have carried out a change, although its answer is lost or reports an error. */
export function mayHaveEffect(fault: Fault): boolean {
  if (fault.kind === "status" || fault.kind === "pause-too-long") return fault.status >= 500;
  return !NOT_SENT.has(fault.kind);
}

export type Refused = "token" | "environment";

/** Returns what the service refused; undefined if it is not available. After a refusal, no file is used instead. */
export function refusal(fault: Fault): Refused | undefined {
  if (fault.kind === "exchange" || fault.kind === "id-token") return "token";
  if (fault.kind === "no-organization") return "environment";
  if (fault.kind !== "status") return undefined;
  if (fault.status === 401) return "token";
  return fault.status === 403 || fault.status === 404 ? "environment" : undefined;
}

/** Returns true for a 403 that an approval of the opening lifts. Only its message tells it from others. */
export function needsApproval(fault: Fault): boolean {
  if (fault.kind !== "status" || fault.status !== 403) return false;
  return /\bopen request\b|\bmust be approved\b|\bapproval\b/i.test(fault.message ?? "");
}
