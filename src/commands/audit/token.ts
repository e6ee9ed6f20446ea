/** Role and end of the launcher's token. */
import { DAY_MS } from "../../core/day.ts";
import { identifyToken, OPEN_ROLE, readTokenFacts, type TokenFacts } from "../../esc/api/tokens.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askOnce } from "../ask-esc.ts";
import type { HistoryAccess } from "./access.ts";
import type { Finding } from "./findings.ts";

const SOON_MS = 14 * DAY_MS;

export type TokenReport =
  | ({ readonly kind: "known" } & TokenFacts)
  /** Each run exchanges a new one. */
  | { readonly kind: "exchanged" }
  | { readonly kind: "unseen" }
  | { readonly kind: "none" };

/** @throws SophiaError (125) if the service cannot be asked, or does not accept a token */
export async function auditToken({ launcher, reader }: HistoryAccess, progress: Progress): Promise<TokenReport> {
  if (launcher.kind !== "on" || reader.kind !== "on") return { kind: "none" };
  const { kind } = launcher.settings.credential;
  if (kind === "oidc-file" || kind === "github-actions") return { kind: "exchanged" };
  const identity = await askOnce(launcher.settings, progress, identifyToken);
  if (identity === undefined) return { kind: "unseen" };
  const facts = await askOnce(reader.settings, progress, (connection) => readTokenFacts(identity, connection));
  return facts === undefined ? { kind: "unseen" } : { kind: "known", ...facts };
}

export function tokenFindings(token: TokenReport, now: Date): readonly Finding[] {
  if (token.kind !== "known") return [];
  const { role, expires } = token;
  return [
    ...(role === undefined || role === OPEN_ROLE ? [] : [{ kind: "token-role", role } as const]),
    ...(expires === undefined
      ? [{ kind: "token-endless" } as const]
      : expires.getTime() - now.getTime() < SOON_MS
        ? [{ kind: "token-ends", at: expires } as const]
        : []),
  ];
}
