/** The nouns of the program; types only. */
import type { FailureCode } from "./failure-codes.ts";

export type SourceId = Origin["source"];

/** The source of one value and where in that source it stands. It never holds the value. */
export type Origin = Place & {
  /** The name under which the source has it, where that is not the variable's own. */
  readonly alias?: string;
};

type Place =
  /** `fromFile`: an outer sophia-run had it from a file. */
  | { readonly source: "environment"; readonly fromFile?: true }
  | {
      readonly source: "esc";
      /** As `org/project/name`. */
      readonly environment: string;
      /** The revision or tag that was asked for, and the revision that was opened, when the service tells. */
      readonly version?: string;
      readonly revision?: string;
      /** The imported environment that defines the value, when the service tells. */
      readonly importedFrom?: string;
      readonly line?: number;
      /** The imports whose value it replaces, the nearest first, when the service tells. */
      readonly overrides?: readonly EscPlace[];
      readonly ageSeconds?: number;
    }
  | { readonly source: "dotenv"; readonly file: string; readonly line: number }
  | { readonly source: "contract"; readonly file: string }
  | { readonly source: "fake" };

/** A place in the definition of an ESC environment that is imported; its name as the import has it. */
export interface EscPlace {
  readonly environment?: string;
  readonly line?: number;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly origin: Origin;
  /** `file`: the program gets the path of a private temporary file that holds the value. */
  readonly delivery: "value" | "file";
}

/** Variables of one source, in one piece of the precedence, each name at most once. */
export interface Layer {
  readonly source: SourceId;
  readonly variables: readonly Variable[];
}

/** A variable after precedence: the value that counts, and whose values it hides. */
export interface Resolved extends Variable {
  /** Lower layers that have the name too, highest first; absent if there are none. */
  readonly shadowed?: readonly { readonly origin: Origin; readonly same: boolean }[];
}

/** Every variable that any source knows, by name. */
export type Resolution = ReadonlyMap<string, Resolved>;

/** The environment of a process: what execve(2) takes as envp, unordered and without duplicates. */
export interface Environment extends ReadonlyMap<string, string> {
  /** Names that differ in case only are the same: Windows. Look-ups find every spelling then. */
  readonly foldsCase?: true;
}

/** Something that the user should hear of and that stops nothing. Never holds a value. */
export type Notice =
  /** The environment overrides ESC with other values for these declared variables. */
  | { readonly kind: "shadowed"; readonly names: readonly string[] }
  /** Only one of `ESC_ENV` and a credential is set. */
  | { readonly kind: "esc-incomplete"; readonly present: string; readonly missing: string }
  | { readonly kind: "esc-diagnostics"; readonly environment: string; readonly diagnostics: readonly Diagnostic[] }
  /** A name of two parts was taken in its old meaning, `org/env`; `instead` of what the service does not know. */
  | { readonly kind: "esc-old-form"; readonly written: string; readonly opened: string; readonly instead?: string }
  | {
      readonly kind: "esc-skipped";
      readonly environment: string;
      readonly names: readonly string[];
      readonly why: "list-or-object" | "unknown";
    }
  /** A file does not decide where a credential goes that is not its own. */
  | { readonly kind: "setting-ignored"; readonly name: string; readonly file: string }
  /** A file decides which ESC environment a credential opens that is not its own. */
  | { readonly kind: "environment-by-file"; readonly name: string; readonly file: string; readonly credential: string }
  /** A file sets variables that the program does not get; see `Withholding` in resolve/. */
  | {
      readonly kind: "withheld";
      readonly why: "reserved" | "runs-code" | "redirects-key";
      readonly file: string;
      readonly names: readonly string[];
    }
  | { readonly kind: "deprecated"; readonly name: string; readonly use: string }
  | { readonly kind: "exposed"; readonly file: string }
  /** The cache serves: since ESC is not available, or without asking it (`--offline`). */
  | {
      readonly kind: "esc-kept";
      readonly ageSeconds: number;
      readonly environments: readonly string[];
      readonly failure?: Failure;
    }
  /** Any other remark: one sentence without a full stop. */
  | { readonly kind: "remark"; readonly text: string };

/** A failure as plain words: what is wrong, what to do, further lines. Holds no value and no token. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}

/** A remark of ESC about a definition: line and column count from 1. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly environment?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}
