import type { Settings } from "../command-line/settings.ts";
import type { Folders } from "../core/context.ts";
import type { Environment } from "../core/model.ts";
import type { EscAccess, Proposal } from "../esc/settings/access-settings.ts";

/**
 * Asks the user whether what a found file names may be opened, from now on or for this start alone. The caller remembers a yes.
 */
export type AskConsent = (
  proposal: Proposal,
  isLasting: boolean,
) => Promise<"yes" | Extract<EscAccess, { kind: "unconsented" }>["why"]>;

/** The inputs of the decision who may open which environment. */
export interface AccessRequest extends Folders {
  readonly environment: Environment;
  readonly settings: Settings;
  /** Without it nothing is asked. */
  readonly askConsent?: AskConsent;
}
