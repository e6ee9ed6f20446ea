import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Layer } from "../../core/model.ts";
import { identifyToken, readTokenFacts, type TokenFacts } from "../../esc/api/tokens.ts";
import { escAccess, type EscAccess } from "../../esc/settings/access.ts";
import { ADMIN_TOKEN } from "../../esc/settings/own-variables.ts";
import { Variables } from "../../esc/settings/variables.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askOnce } from "../ask-esc.ts";
import { usageError } from "../mistakes.ts";

interface HistoryAccess {
  readonly launcher: EscAccess;
  /** Reads the history: by `ESC_ADMIN_TOKEN` of the process environment, else by the launcher's token. */
  readonly reader: EscAccess;
}

/** @throws SophiaError (esc-settings, 125) for malformed settings, (usage, 125) with `SOPHIA_OFFLINE` */
export function historyAccess(settings: Settings, layers: readonly Layer[], { environment }: Context): HistoryAccess {
  if (settings.offline) throw usageError("audit needs ESC, but SOPHIA_OFFLINE is set", "unset it");
  const launcher = escAccess(environment, layers, settings).access;
  const token = new Variables(environment, []).findInProcess(ADMIN_TOKEN);
  const reader = token === undefined ? launcher : escAccess(environment, layers, { ...settings, token }).access;
  return { launcher, reader };
}

export type TokenReport =
  | ({ readonly kind: "known" } & TokenFacts)
  /** Each run exchanges an ID token for a new one. */
  | { readonly kind: "exchanged" }
  | { readonly kind: "unseen" }
  | { readonly kind: "none" };

/** @throws SophiaError (125) if the service cannot be asked, or refuses the token */
export async function auditToken({ launcher, reader }: HistoryAccess, progress: Progress): Promise<TokenReport> {
  if (launcher.kind !== "on" || reader.kind !== "on") return { kind: "none" };
  const { kind } = launcher.settings.credential;
  if (kind === "oidc-file" || kind === "github-actions") return { kind: "exchanged" };
  const identity = await askOnce(launcher.settings, progress, identifyToken);
  if (identity === undefined) return { kind: "unseen" };
  const facts = await askOnce(reader.settings, progress, (connection) => readTokenFacts(identity, connection));
  return facts === undefined ? { kind: "unseen" } : { kind: "known", ...facts };
}
