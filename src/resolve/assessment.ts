import type { Settings } from "../command-line/settings.ts";
import type { Contract, Violation } from "../contract/model.ts";
import type { Folders } from "../core/context.ts";
import type { Environment, Notice, Resolution } from "../core/model.ts";
import type { EscDown } from "../esc/api/ask.ts";
import type { EscAccess, EscSettings, Proposal } from "../esc/settings/access.ts";
import type { Progress } from "../esc/transport/connection.ts";
import type { EscEnvironment, CacheUse } from "../sources/esc.ts";
import type { Selection } from "./select.ts";

export type EscStatus =
  | Exclude<EscAccess, { kind: "on" }>
  | { readonly kind: "fake" }
  | {
      readonly kind: "read";
      readonly settings: EscSettings;
      readonly environments: readonly EscEnvironment[];
      readonly kept?: CacheUse;
    }
  | (EscDown & { readonly settings: EscSettings });

export interface Assessment {
  readonly contract: Contract;
  readonly esc: EscStatus;
  readonly resolution: Resolution;
  /** Variables that the program gets; the contract is checked against them. */
  readonly selected: Resolution;
  readonly selection: Selection;
  readonly violations: readonly Violation[];
  readonly notices: readonly Notice[];
  /** Reads ESC again, with the files, the contract and the consent of before. @throws SophiaError (125) */
  readonly again: (request: AgainRequest) => Promise<Pick<Assessment, "esc" | "selected">>;
}

export interface AgainRequest {
  readonly settings: Settings;
  readonly progress: () => Promise<ReadingProgress>;
}

/** Asks the user whether what a found file names may be opened. A yes is remembered by the caller. */
export type AskConsent = (proposal: Proposal) => Promise<"yes" | Extract<EscAccess, { kind: "unconsented" }>["why"]>;

export interface AccessRequest extends Folders {
  readonly settings: Settings;
  readonly environment: Environment;
  /** Without it nothing is asked. */
  readonly askConsent?: AskConsent;
}

export interface ReadingProgress extends Progress {
  /** Called after ESC was read or failed. */
  readonly done: () => void;
  readonly printLine: (line: string) => void;
}

/** Returns true if `--watch` has an ESC to follow. */
export function followsEsc({ offline }: Pick<Settings, "offline">, { esc }: Pick<Assessment, "esc">): boolean {
  return "settings" in esc && !offline;
}
