/** The tokens of an audit. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Layer } from "../../core/model.ts";
import { escAccess, type EscAccess } from "../../esc/settings/access.ts";
import { ADMIN_TOKEN } from "../../esc/settings/own-variables.ts";
import { usageError } from "../mistakes.ts";
import { Variables } from "../../esc/settings/variables.ts";

export interface HistoryAccess {
  readonly launcher: EscAccess;
  /** Reads the history: by `ESC_ADMIN_TOKEN` of the process environment, else by the launcher's token. */
  readonly reader: EscAccess;
}

/** @throws SophiaError (esc-settings, 125) for malformed settings, (usage, 125) with `SOPHIA_OFFLINE` */
export function historyAccess(settings: Settings, layers: readonly Layer[], { environment }: Context): HistoryAccess {
  if (settings.offline) throw usageError("audit asks ESC, which SOPHIA_OFFLINE rules out", "unset it");
  const launcher = escAccess(environment, layers, settings).access;
  const token = new Variables(environment, []).findInProcess(ADMIN_TOKEN);
  const reader = token === undefined ? launcher : escAccess(environment, layers, { ...settings, token }).access;
  return { launcher, reader };
}
