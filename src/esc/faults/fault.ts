import type { Diagnostic } from "../../core/model.ts";

/**
 * The reason why ESC could not be read. Strings from outside are safe to show: no token, one line, of bounded length.
 * `unreached`: nothing has ever answered there.
 */
export type Fault =
  /** No connection: refused, unknown host, no route. `code` is the system's. */
  | { readonly kind: "connect"; readonly host: string; readonly code: string; readonly unreached: boolean }
  /** The connection ended before the whole answer was there. */
  | { readonly kind: "cut"; readonly host: string; readonly code: string }
  /** The certificate or the handshake is not acceptable. */
  | { readonly kind: "tls"; readonly host: string; readonly code: string }
  | { readonly kind: "not-http"; readonly host: string }
  | { readonly kind: "bad-proxy"; readonly variable: string }
  /** The proxy refuses to connect. */
  | { readonly kind: "proxy-refused"; readonly proxy: string; readonly status: number }
  /** The overall deadline came. */
  | { readonly kind: "timeout"; readonly timeoutMs: number; readonly phase: string }
  /** One step, connecting or the first byte of a read, took too long; there is time for another attempt. */
  | { readonly kind: "slow"; readonly limitMs: number; readonly phase: string; readonly unreached: boolean }
  | { readonly kind: "too-large"; readonly host: string; readonly limit: number }
  | { readonly kind: "redirect"; readonly host: string; readonly status: number; readonly to: string | undefined }
  /** A complete answer that is not what the service sends. */
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
      readonly requestId?: string | undefined;
      readonly diagnostics: readonly Diagnostic[];
      readonly retryAfterMs?: number | undefined;
      /** The environments that were asked for, if a name could mean several. */
      readonly tried?: readonly string[];
      /** A further meaning of the name, not asked for since ESC is required. */
      readonly untried?: string | undefined;
    }
  /** The session ended between opening and reading, and again after a second opening. */
  | { readonly kind: "session"; readonly host: string }
  /** The service wants a longer pause than the deadline leaves. */
  | {
      readonly kind: "pause-too-long";
      readonly host: string;
      readonly status: number;
      readonly retryAfterMs: number;
      readonly leftMs: number;
    }
  /** A file with a credential. `code` is the system's, or names what is wrong with the content. */
  | { readonly kind: "file"; readonly variable: string; readonly path: string; readonly code: string }
  /** The token exchange is refused; `error` and `message` as OAuth has them. */
  | { readonly kind: "exchange"; readonly host: string; readonly error: string; readonly message: string | undefined }
  /** GitHub Actions issues no ID token. */
  | { readonly kind: "id-token"; readonly host: string; readonly status: number }
  | { readonly kind: "id-token-url" }
  | { readonly kind: "no-organization"; readonly host: string };

/** The request during which a fault occurred. */
export interface FaultContext {
  readonly attempts?: number;
  /** Such as `exchanging the ID token`. */
  readonly step?: string;
  /** The one environment that could not be read, as `ESC_ENV` names it. */
  readonly environment?: string;
  /** The text of its definition was requested, which takes more rights than to open it. */
  readonly isDefinition?: boolean;
  /** The environment was to be changed, not read. */
  readonly isChange?: boolean;
}

/**
 * Carries a {@link Fault} up to askEsc, which words it. Nothing else is attached: errors of HTTP clients hold the request,
 * and with it the token.
 */
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

/** Statuses for a token that may not see something, or of a service that has no such request. */
export const HIDDEN: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/** The status of the answer that an error is about; undefined for every other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof EscFault && error.fault.kind === "status" ? error.fault.status : undefined;
}
