/**
 * The types of a start: all that sophia-run knows about the program before it starts it. A start is worked out in stages: places, files,
 * store, values, verdict. Each stage is a function in a file of its own, which gets the fields of the earlier stages and returns one more
 * field. `stages.ts` calls the stages in this order. No stage prints.
 */
import type { AskConsent } from "../access/access-request.ts";
import type { Settings } from "../command-line/settings.ts";
import type { ContractLocation } from "../contract/find-contract.ts";
import type { Contract, Violation } from "../contract/contract-model.ts";
import type { Folders } from "../core/context.ts";
import type { Environment, Layer, Notice, Resolution } from "../core/model.ts";
import type { EscAccess, EscSettings } from "../esc/settings/access-settings.ts";
import type { Progress } from "../esc/transport/connection.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { EscEnvironment, EscFailure } from "../sources/esc-failure.ts";
import type { CacheUse } from "../sources/esc-layers.ts";
import type { Selection } from "./select.ts";

/** All that is known of a start when its program can be started. Functions take the fields that they need: `Pick<Start, "files">`. */
export interface Start {
  /** The caller's variables. */
  readonly environment: Environment;
  /** The options, from the command line, from variables, or by default (`resolveSettings`). */
  readonly settings: Settings;
  readonly places: Places;
  readonly files: Files;
  readonly store: Store;
  readonly values: Values;
  readonly verdict: Verdict;
}

/** The folders in which the files of a start are, and the file of its contract. */
export interface Places extends Folders {
  /** Undefined for the built-in contract. */
  readonly contract: ContractLocation | undefined;
  /** The folders in which `.env` and `.env.override` are looked for, the nearest last; none if the user has named files. */
  readonly dotenvFolders: readonly string[];
}

/** The contract and the values in files. */
export interface Files {
  readonly contract: Contract;
  /** The `.env` files alone, which may have settings for ESC. */
  readonly dotenv: DotenvReading;
  /** The values of all files: `.env.override`, `.env` files, folders of secrets, and the files that `NAME_FILE` names. */
  readonly all: DotenvReading;
}

/** The values of Pulumi ESC, or the reason why there are none. */
export interface Store {
  readonly access: StoreAccess;
  readonly accessNotices: readonly Notice[];
  readonly esc: EscStatus;
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/** Which ESC environments may be opened, and by which credential. `fake`: ESC is not contacted (`--fake`). */
export type StoreAccess = EscAccess | { readonly kind: "fake" };

/**
 * The result of reading ESC: its values were read, or reading failed. If ESC was not contacted, this is the access, which says why: it is
 * off, incomplete or refused.
 */
export type EscStatus =
  | Exclude<EscAccess, { kind: "on" }>
  | { readonly kind: "fake" }
  | {
      readonly kind: "read";
      readonly settings: EscSettings;
      readonly environments: readonly EscEnvironment[];
      /** The reason why the values come from the cache; undefined if they come from ESC. */
      readonly cacheUse?: CacheUse;
    }
  | (EscFailure & { readonly settings: EscSettings });

/** For each variable the value that wins, its origin, and whether the program gets it. */
export interface Values {
  /**
   * True if the process environment is the only source, and none of its variables was set by an outer sophia-run from a file. Then
   * nothing needs to be withheld or marked.
   */
  readonly isFromCallerAlone: boolean;
  /** True if the program gets each variable of each source. */
  readonly isEverythingPassed: boolean;
  /** All layers, the highest precedence first. Aliases are replaced by the contract's names, and its defaults are a layer. */
  readonly layers: readonly Layer[];
  readonly selection: Selection;
  /** The contract that the verdict is about. With `--include` it has only the rules for variables that are passed on. */
  readonly checkedContract: Contract;
  /** The variables of all sources, whether the program gets them or not. */
  readonly resolution: Resolution;
  /** The variables that the program gets, with the mark that names those from files (`SOPHIA_FROM_FILES`). */
  readonly selected: Resolution;
  /** Notices about names: deprecated names, and spellings. */
  readonly notices: readonly Notice[];
}

/** The result of the check against the contract. The values meet it if there are no violations. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /**
   * The values that the violations are about, if they differ from `values`: a schema in ESC refuses ESC's values, so that ESC does not
   * return them. These are the values of all sources, with those of ESC as far as they are known. No program is started with them.
   */
  readonly judged?: Values;
  readonly notices: readonly Notice[];
}

/** The functions of a command that the stages call to show progress or to ask the user. The stages themselves print nothing. */
export interface Companions {
  /** Creates the display of requests to ESC. It is called only if ESC is read. */
  readonly progress: () => Promise<ReadingProgress>;
  /** Asks the user whether an ESC environment may be opened. Without this function, no question is asked. */
  readonly askConsent?: AskConsent;
  /** Called each time the sources have been read: a second time if cached values do not meet the contract. */
  readonly reportSources?: (start: Pick<Start, "files" | "store">) => Promise<void>;
}

export interface ReadingProgress extends Progress {
  /** Called after ESC was read or failed. */
  readonly done: () => void;
  readonly printLine: (line: string) => void;
}

/** Returns the values that the verdict is about. Reports show these. */
export function judgedValues({ values, verdict }: Pick<Start, "values" | "verdict">): Values {
  return verdict.judged ?? values;
}

/**
 * Returns true if the start is refused because the project has no contract, and the built-in one is not met. Then no other violation is
 * reported.
 */
export function hasNoContract({ verdict: { violations } }: Pick<Start, "verdict">): boolean {
  return violations[0]?.kind === "no-contract";
}

/** Returns true if `--watch` must look for changes in ESC. */
export function followsEsc({ settings, store }: Pick<Start, "settings" | "store">): boolean {
  return "settings" in store.esc && !settings.offline;
}
