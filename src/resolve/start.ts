/**
 * The record of a start. Each stage is a function in a file of its own that takes the record as the stages before it have left it,
 * and returns the one field that it adds; `stages.ts` calls them in order. No stage prints.
 */
import type { AskConsent } from "../access/access-request.ts";
import type { Settings } from "../command-line/settings.ts";
import type { ContractPlace } from "../contract/find-contract.ts";
import type { Contract, Violation } from "../contract/contract-model.ts";
import type { Folders } from "../core/context.ts";
import type { Environment, Layer, Notice, Resolution } from "../core/model.ts";
import type { EscAccess, EscSettings } from "../esc/settings/access-settings.ts";
import type { Progress } from "../esc/transport/connection.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { EscEnvironment, EscFailure } from "../sources/esc-failure.ts";
import type { CacheUse } from "../sources/esc-layers.ts";
import type { Selection } from "./select.ts";

export interface Start {
  /** The caller's variables. */
  readonly environment: Environment;
  /** The options: of the command line, else of variables, else their defaults (`resolveSettings`). */
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
  readonly contract: ContractPlace | undefined;
  /** The folders in which `.env` and `.env.override` are looked for, the nearest last; none if the user has named files. */
  readonly dotenvFolders: readonly string[];
}

/** The contract and the values in files. */
export interface Files {
  readonly contract: Contract;
  /** The `.env` files alone, which may have settings for ESC. */
  readonly dotenv: DotenvReading;
  /** `.env.override`, `.env` files, folders of secrets, and the files of `NAME_FILE`. */
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

/** `fake`: ESC is not asked (`--fake`). */
export type StoreAccess = EscAccess | { readonly kind: "fake" };

export type EscStatus =
  | Exclude<EscAccess, { kind: "on" }>
  | { readonly kind: "fake" }
  | {
      readonly kind: "read";
      readonly settings: EscSettings;
      readonly environments: readonly EscEnvironment[];
      readonly kept?: CacheUse;
    }
  | (EscFailure & { readonly settings: EscSettings });

/** For each variable the value that wins, its origin, and whether the program gets it. */
export interface Values {
  /** The caller has set each variable, and decides where secrets go: there are neither values of ESC nor of files. */
  readonly isCallers: boolean;
  /** The program gets each variable of each source. */
  readonly isWhole: boolean;
  /** All layers, highest precedence first, with the contract's own names and defaults. */
  readonly layers: readonly Layer[];
  readonly selection: Selection;
  /** The contract; with `--include` only its rules for the variables that are passed on. */
  readonly required: Contract;
  /** All variables. */
  readonly resolution: Resolution;
  /** The variables that the program gets, with the mark of those that a file has set. */
  readonly selected: Resolution;
  /** Notices of names: deprecated ones, and spellings. */
  readonly notices: readonly Notice[];
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /**
   * The values that were judged, if they are not those that the program would get: a schema keeps ESC from opening its own, which
   * are known in part. Nothing is started with them.
   */
  readonly judged?: Values;
  readonly notices: readonly Notice[];
}

/** The functions by which the stages, which print nothing themselves, talk to the user. */
export interface Companions {
  /** Called only if there is something to show. */
  readonly progress: () => Promise<ReadingProgress>;
  /** Without it nothing is asked. */
  readonly askConsent?: AskConsent;
  /** Called whenever the sources have been read. */
  readonly reportSources?: (start: Pick<Start, "files" | "store">) => Promise<void>;
}

export interface ReadingProgress extends Progress {
  /** Called after ESC was read or failed. */
  readonly done: () => void;
  readonly printLine: (line: string) => void;
}

/** Returns the values that the verdict is about, for reports. */
export function judgedValues({ values, verdict }: Pick<Start, "values" | "verdict">): Values {
  return verdict.judged ?? values;
}

/** Returns true if there is no contract, and nothing suggests that the built-in one is meant. */
export function hasNoContract({ verdict: { violations } }: Pick<Start, "verdict">): boolean {
  return violations[0]?.kind === "no-contract";
}

/** Returns true if `--watch` has an ESC to follow. */
export function followsEsc({ settings, store }: Pick<Start, "settings" | "store">): boolean {
  return "settings" in store.esc && !settings.offline;
}
