/**
 * Finds the tokens of an audit, and the role and expiry of the launcher's own token. There may be two tokens: the
 * launcher's own, which a start uses, and `ESC_ADMIN_TOKEN`. The audit reads with the second one if it is set, since it may
 * see more.
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

/** The ways to reach ESC. */
interface HistoryAccess {
  /** The access of a start, with the launcher's own token. */
  readonly launcher: EscAccess;
  /**
   * The access by which the audit reads: with `ESC_ADMIN_TOKEN` of the process environment, otherwise with the launcher's
   * token.
   */
  readonly reader: EscAccess;
  /** The reason why ESC is not read, if the user's consent is missing. */
  readonly consentNotices: readonly Notice[];
}

/**
 * Finds both ways to reach ESC. @throws SophiaError (esc-settings, 125) for malformed settings, (usage, 125) with
 * `SOPHIA_OFFLINE`
 */
export async function historyAccess(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<HistoryAccess> {
  if (settings.offline) throw usageError("audit needs ESC, but SOPHIA_OFFLINE is set", "unset it");
  const files = { dotenv, contract };
  const { access: launcher, notices } = await findEscAccess(settings, context, {}, files);
  const consentNotices = notices.filter(({ kind }) => kind === "environment-not-allowed");
  const adminToken = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  // If consent is missing, only a file of the repository names the environment. No token may be sent for it.
  const usesLauncher = adminToken === undefined || launcher.kind === "unconsented";
  const reader = usesLauncher
    ? launcher
    : (await findEscAccess(settings, context, { token: adminToken }, files)).access;
  return { launcher, reader, consentNotices };
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
export async function auditToken({ launcher, reader }: HistoryAccess, progress: Progress): Promise<TokenReport> {
  if (launcher.kind === "unconsented") return { kind: "unasked" };
  if (launcher.kind !== "on" || reader.kind !== "on") return { kind: "none" };
  const { kind } = launcher.settings.credential;
  if (kind === "oidc-file" || kind === "github-actions") return { kind: "exchanged" };
  const identity = await askWithoutEnvironment(launcher.settings, progress, identifyToken);
  if (identity === undefined) return { kind: "unseen" };
  const facts = await askWithoutEnvironment(reader.settings, progress, (connection) =>
    readTokenFacts(identity, connection),
  );
  return facts === undefined ? { kind: "unseen" } : { kind: "known", ...facts };
}
