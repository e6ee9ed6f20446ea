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

interface HistoryAccess {
  readonly launcher: EscAccess;
  /** Reads the history: by `ESC_ADMIN_TOKEN` of the process environment, else by the launcher's token. */
  readonly reader: EscAccess;
  /** Says why ESC is not read, if the user's consent is missing. */
  readonly unallowed: readonly Notice[];
}

/** @throws SophiaError (esc-settings, 125) for malformed settings, (usage, 125) with `SOPHIA_OFFLINE` */
export async function historyAccess(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<HistoryAccess> {
  if (settings.offline) throw usageError("audit needs ESC, but SOPHIA_OFFLINE is set", "unset it");
  const read = { dotenv, contract };
  const { access: launcher, notices } = await findEscAccess(settings, context, {}, read);
  const unallowed = notices.filter(({ kind }) => kind === "environment-not-allowed");
  const token = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  const isOwn = token === undefined || launcher.kind === "unconsented";
  const reader = isOwn ? launcher : (await findEscAccess(settings, context, { token }, read)).access;
  return { launcher, reader, unallowed };
}

export type TokenReport =
  | ({ readonly kind: "known" } & TokenFacts)
  /** Each run exchanges an ID token for a new one. */
  | { readonly kind: "exchanged" }
  | { readonly kind: "unseen" }
  /** The user's consent is missing. */
  | { readonly kind: "unasked" }
  | { readonly kind: "none" };

/** Says why ESC is not read. */
export function unreadWords({ kind }: Exclude<EscAccess, { readonly kind: "on" }>): string {
  return kind === "unconsented"
    ? "ESC: the environment is not allowed (sophia-run allow)"
    : "ESC: no environment and token are configured";
}

/** @throws SophiaError (125) if the service cannot be asked, or refuses the token */
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
