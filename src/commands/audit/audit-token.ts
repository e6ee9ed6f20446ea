/**
 * Finds the tokens that `audit` uses, and reads the role and the expiry of the launcher's own token. There may be two
 * tokens: the launcher's own token, with which a start opens ESC, and `ESC_ADMIN_TOKEN`. If `ESC_ADMIN_TOKEN` is set, the
 * audit reads with it, since it may see more.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import type { Notice } from "../../core/model.ts";
import { identifyToken, readTokenFacts, type TokenFacts } from "../../esc/api/tokens.ts";
import type { EscAccess } from "../../esc/settings/access-settings.ts";
import { ADMIN_TOKEN } from "../../esc/settings/own-variables.ts";
import { VariableLookup } from "../../esc/settings/variables.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { askWithoutEnvironment } from "../parts/esc-requests.ts";
import { findEscAccess } from "../parts/command-access.ts";
import { usageError } from "../parts/usage-errors.ts";

/** How the audit reaches ESC. */
export interface AuditAccess {
  /** The access of a start, with the launcher's own token. */
  readonly launcherAccess: EscAccess;
  /**
   * The access by which the audit reads: with `ESC_ADMIN_TOKEN` of the process environment, otherwise with the launcher's
   * token.
   */
  readonly readingAccess: EscAccess;
  /** The reason why ESC is not read, if the user's consent is missing. */
  readonly consentNotices: readonly Notice[];
}

/**
 * Finds the access of a start and the access by which the audit reads.
 *
 * @throws SophiaError (esc-settings, 125) for malformed settings, (usage, 125) with `SOPHIA_OFFLINE`
 */
export async function findAuditAccess(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<AuditAccess> {
  if (settings.offline) throw usageError("audit needs ESC, but SOPHIA_OFFLINE is set", "unset it");
  const files = { dotenv, contract };
  const { access: launcherAccess, notices } = await findEscAccess(settings, context, {}, files);
  const consentNotices = notices.filter(({ kind }) => kind === "environment-not-allowed");
  const adminToken = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  // If consent is missing, only a file of the repository names the environment. No token may be sent for it.
  const usesLauncherAccess = adminToken === undefined || launcherAccess.kind === "unconsented";
  const readingAccess = usesLauncherAccess
    ? launcherAccess
    : (await findEscAccess(settings, context, { token: adminToken }, files)).access;
  return { launcherAccess, readingAccess, consentNotices };
}

/** The facts about the launcher's token, as they appear in JSON. */
export type TokenReport =
  | ({ readonly kind: "known" } & TokenFacts)
  /** Each run exchanges an ID token for a new token. */
  | { readonly kind: "exchanged" }
  /** The service does not identify the token, or does not show it to the reader. */
  | { readonly kind: "unseen" }
  /** The token was not used, since the user's consent is missing. */
  | { readonly kind: "unasked" }
  /** No token is configured. */
  | { readonly kind: "none" };

/** Describes for the user why ESC is not read. */
export function describeUnreadEsc({ kind }: Exclude<EscAccess, { readonly kind: "on" }>): string {
  return kind === "unconsented"
    ? "ESC: the environment is not allowed (sophia-run allow)"
    : "ESC: no environment and token are configured";
}

/**
 * Reads the role and the expiry of the launcher's token. A request with this token returns its name. A request with the
 * reader's token then finds this name in the list of tokens.
 *
 * @throws SophiaError (125) if the service cannot be asked, or refuses the token
 */
export async function readTokenReport(
  { launcherAccess, readingAccess }: AuditAccess,
  progress: Progress,
): Promise<TokenReport> {
  if (launcherAccess.kind === "unconsented") return { kind: "unasked" };
  if (launcherAccess.kind !== "on" || readingAccess.kind !== "on") return { kind: "none" };
  const { kind } = launcherAccess.settings.credential;
  if (kind === "oidc-file" || kind === "github-actions") return { kind: "exchanged" };
  const identity = await askWithoutEnvironment(launcherAccess.settings, progress, identifyToken);
  if (identity === undefined) return { kind: "unseen" };
  const facts = await askWithoutEnvironment(readingAccess.settings, progress, (connection) =>
    readTokenFacts(identity, connection),
  );
  return facts === undefined ? { kind: "unseen" } : { kind: "known", ...facts };
}
