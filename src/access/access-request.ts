/** The inputs of the decision which ESC environments this run may open (esc-access.ts). */
import type { Settings } from "../command-line/settings.ts";
import type { Folders } from "../core/context.ts";
import type { Environment } from "../core/model.ts";
import type { EscAccess, Proposal } from "../esc/settings/access-settings.ts";

/**
 * Asks the user whether this run may open the environments that a found file names. The caller of this function remembers a
 * yes.
 *
 * @param isLasting true if the consent can be remembered, false if it is only for this start
 */
export type AskConsent = (
  proposal: Proposal,
  isLasting: boolean,
) => Promise<"yes" | Extract<EscAccess, { kind: "unconsented" }>["why"]>;

/** The environment, the settings and the folders of a run. */
export interface AccessRequest extends Folders {
  readonly environment: Environment;
  readonly settings: Settings;
  /** Absent if the user cannot be asked. */
  readonly askConsent?: AskConsent;
}
