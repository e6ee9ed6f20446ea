/**
 * The types of faults: why Pulumi ESC could not be read or changed, as data. The code that sends requests throws an `EscFault`, and
 * `fault-wording.ts` turns it into a message for the user.
 */
import type { Diagnostic } from "../../core/model.ts";
import type { NetworkFault } from "../../network/network-fault.ts";

/**
 * The reason why ESC could not be read or changed. The texts of the service in it are safe to show: `Cleaner` has masked the token,
 * escaped line breaks and limited the length. `host` is the host and port of the server that was asked.
 */
export type Fault =
  | NetworkFault
  /** A redirect, which is not followed. `to` is the host to which it leads; undefined if its location is not a URL. */
  | { readonly kind: "redirect"; readonly host: string; readonly status: number; readonly to: string | undefined }
  /** An answer that is not the JSON that ESC sends. */
  | {
      readonly kind: "answer";
      readonly host: string;
      readonly problem: "html" | "empty" | "not-json" | "unexpected" | "encoding";
    }
  /** Any other status, and a definition with errors. */
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
  /** The service asks for a pause that is longer than `leftMs`, the time until the deadline. */
  | {
      readonly kind: "pause-too-long";
      readonly host: string;
      readonly status: number;
      readonly retryAfterMs: number;
      readonly leftMs: number;
    }
  /** The file of a credential cannot be used. `code` is the name of the errno, or says what is wrong with the content. */
  | { readonly kind: "file"; readonly variable: string; readonly path: string; readonly code: string }
  /** ESC does not exchange an ID token for an access token. `error` is a code of OAuth (`invalid_grant`), or the status. */
  | { readonly kind: "exchange"; readonly host: string; readonly error: string; readonly message: string | undefined }
  /** GitHub Actions does not issue an ID token. `host` is the host of GitHub. */
  | { readonly kind: "id-token"; readonly host: string; readonly status: number }
  /** The variable with the URL at which GitHub Actions issues ID tokens has no URL to which a token may be sent. */
  | { readonly kind: "id-token-url" }
  /** A name has no organization, and the service has no default organization for the user. */
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

/** Carries a {@link Fault} and its circumstances. It has no other error as its cause: errors of HTTP clients contain the token. */
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

/** The statuses with which a service answers if the token may not see something, or if the service lacks this kind of request. */
export const HIDDEN_STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/** Returns the HTTP status of a fault; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof EscFault && error.fault.kind === "status" ? error.fault.status : undefined;
}

/**
 * The kinds of faults that occur before a request is sent. `slow` is one of them: for a request that makes a change, the only step
 * with a time limit of its own is connecting.
 */
const KINDS_BEFORE_SENDING: ReadonlySet<Fault["kind"]> = new Set([
  "connect",
  "tls",
  "slow",
  "bad-proxy",
  "proxy-refused",
]);

/** Returns true if ESC may have carried out a change, although its answer is lost or reports an error. */
export function mayHaveEffect(fault: Fault): boolean {
  if (fault.kind === "status" || fault.kind === "pause-too-long") return fault.status >= 500;
  return !KINDS_BEFORE_SENDING.has(fault.kind);
}

/** The thing that the service refused. */
export type RefusalTarget = "token" | "environment";

/**
 * Returns what the service refused; undefined if it is only unavailable. The caller must use no cached values and no files in place
 * of refused ones, because access may have been withdrawn on purpose.
 */
export function refusalTarget(fault: Fault): RefusalTarget | undefined {
  if (fault.kind === "exchange" || fault.kind === "id-token") return "token";
  if (fault.kind === "no-organization") return "environment";
  if (fault.kind !== "status") return undefined;
  if (fault.status === 401) return "token";
  return fault.status === 403 || fault.status === 404 ? "environment" : undefined;
}

/** Returns true if opening the environment needs an approval: a 403 that differs from others only in its message. */
export function needsApproval(fault: Fault): boolean {
  if (fault.kind !== "status" || fault.status !== 403) return false;
  return /\bopen request\b|\bmust be approved\b|\bapproval\b/i.test(fault.message ?? "");
}
