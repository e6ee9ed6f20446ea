/** The nouns of the program; types only. */
import type { FailureCode } from "./failure-codes.ts";

/** Where a value comes from. */
export type SourceId = Origin["source"];

/** The source of one value and where in that source it stands. It never holds the value. */
export type Origin = Place & {
  /** The name under which the source has it, where that is not the variable's own. */
  readonly alias?: string;
};

type Place =
  | {
      readonly source: "environment";
      /** An outer sophia-run had it from a file. */
      readonly fromFile?: true;
    }
  | {
      readonly source: "esc";
      /** The ESC environment as `org/project/name`. */
      readonly environment: string;
      /** The revision or tag that was asked for; absent when the latest was opened. */
      readonly version?: string;
      /** The revision that was opened, when the service tells. */
      readonly revision?: string;
      /** The imported environment that defines the value, when the service tells. */
      readonly importedFrom?: string;
      /** The line of the definition that sets the value, from 1, when the service tells. */
      readonly line?: number;
      /** The imports whose value it replaces, the nearest first, when the service tells. */
      readonly overrides?: readonly EscPlace[];
      /** How old it is, where it was kept from an earlier reading. */
      readonly ageSeconds?: number;
    }
  | { readonly source: "dotenv"; readonly file: string; readonly line: number }
  /** A default that the contract declares. */
  | { readonly source: "contract"; readonly file: string }
  /** A dummy value made from the contract (`--fake`). */
  | { readonly source: "fake" };

/** A place in the definition of an ESC environment that is imported; its name as the import has it. */
export interface EscPlace {
  readonly environment?: string;
  readonly line?: number;
}

/** One variable as one source gives it. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly origin: Origin;
  /** `file`: the program gets the path of a private temporary file that holds the value. */
  readonly delivery: "value" | "file";
}

/** What one source yields, in one piece of the precedence. A name stands in a layer at most once. */
export interface Layer {
  readonly source: SourceId;
  readonly variables: readonly Variable[];
}

/** A variable after precedence: the value that counts, and whose values it hides. */
export interface Resolved extends Variable {
  /**
   * Lower layers that have the name too, highest first; `same` says whether their value is the same. Absent where there
   * are none, as with nearly all of an environment of thousands.
   */
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
  /** ESC answered, with warnings. */
  | { readonly kind: "esc-diagnostics"; readonly environment: string; readonly diagnostics: readonly Diagnostic[] }
  /** A name of two parts was taken in its old meaning, `org/env`; `instead` of what the service does not know. */
  | { readonly kind: "esc-old-form"; readonly written: string; readonly opened: string; readonly instead?: string }
  /** ESC values that cannot become environment variables. */
  | {
      readonly kind: "esc-skipped";
      readonly environment: string;
      readonly names: readonly string[];
      readonly why: "list-or-object" | "unknown";
    }
  /** A file does not decide where a credential goes that is not its own. */
  | { readonly kind: "setting-ignored"; readonly name: string; readonly file: string }
  /** A file decides which ESC environment a credential opens that is not its own. */
  | {
      readonly kind: "environment-by-file";
      readonly name: string;
      readonly file: string;
      readonly credential: string;
    }
  /** A file sets variables that the program does not get; see `Withholding` in resolve/. */
  | {
      readonly kind: "withheld";
      readonly why: "reserved" | "runs-code" | "redirects-key";
      readonly file: string;
      readonly names: readonly string[];
    }
  /** A declared variable is set under a name that the contract calls deprecated. */
  | { readonly kind: "deprecated"; readonly name: string; readonly use: string }
  /** A file with secrets in it is world-readable. */
  | { readonly kind: "exposed"; readonly file: string }
  /** What an earlier reading of ESC gave serves: since ESC is not available, or without asking it (`--offline`). */
  | {
      readonly kind: "esc-kept";
      readonly ageSeconds: number;
      /** With revisions where the service told them. */
      readonly environments: readonly string[];
      readonly failure?: Failure;
    }
  /** Any other remark: one sentence without a full stop. */
  | { readonly kind: "remark"; readonly text: string };

/** A failure as plain words: what is wrong, what to do, further lines. Holds no value and no token. */
export interface Failure {
  /** A stable, non-sensitive token such as `esc-denied`. */
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}

/** What ESC says about a definition: line and column count from 1. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly environment?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}
