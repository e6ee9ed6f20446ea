/** The types that all modules share: variables and their origins, layers of values, notices and failures. */
import type { FailureCode } from "./failure-codes.ts";
import type { ReferenceForm } from "./reference-forms.ts";

export type SourceId = Origin["source"];

/** The source of a value and its location there. It never holds the value itself. */
export type Origin = SourceLocation & {
  /** The name of the variable in the source, if the contract gives it another name. */
  readonly alias?: string;
};

type SourceLocation =
  | {
      readonly source: "environment";
      /** Set if an outer sophia-run read the variable from a file. */
      readonly fromFile?: true;
      /** Set if the value is the content of a file: `by` is the variable `NAME_FILE`, which names `file`. */
      readonly read?: { readonly by: string; readonly file: string };
    }
  | {
      readonly source: "esc";
      /** The environment that was opened, as `org/project/name`. */
      readonly environment: string;
      /** The requested revision or tag. */
      readonly version?: string;
      /** The opened revision, if ESC reports it. */
      readonly revision?: string;
      /** The imported environment that defines the value, if ESC reports it. */
      readonly importedFrom?: string;
      /** The line in the definition. */
      readonly line?: number;
      /** The imports whose values this value overrides, if ESC reports them. The nearest one is first. */
      readonly overrides?: readonly DefinitionLocation[];
      /** The age of a value from the cache. */
      readonly ageSeconds?: number;
      /**
       * The `.env` file that was found, and whose credential opened the environment. Its authors decide what the values are.
       */
      readonly openedBy?: string;
    }
  /** The file `.env.override`. */
  | { readonly source: "override"; readonly file: string; readonly line: number }
  /** A file in a folder of secrets. */
  | { readonly source: "secrets"; readonly file: string }
  | { readonly source: "dotenv"; readonly file: string; readonly line: number }
  | { readonly source: "contract"; readonly file: string }
  | { readonly source: "fake" };

/** A location in a file with lines of the form `NAME=value`. */
type LineLocation = Extract<Origin, { readonly source: "override" | "dotenv" }>;

/** Returns true for the origin of a value that is on a line of a file. */
export function isOfLine(origin: Origin): origin is LineLocation {
  return origin.source === "dotenv" || origin.source === "override";
}

/** A line in the definition of an ESC environment. */
export interface DefinitionLocation {
  readonly environment?: string;
  readonly line?: number;
}

/** A variable as one source sets it. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly origin: Origin;
  /** `file`: the value is in a private temporary file, and the program gets the path of that file. */
  readonly delivery: "value" | "file";
  /** Set for a value of a `.env` file that another tool, or a shell, would replace. It is the form of the reference. */
  readonly reference?: ReferenceForm;
}

/** The variables of one source with one precedence. Each name occurs at most once. */
export interface Layer {
  readonly source: SourceId;
  readonly variables: readonly Variable[];
}

/** A variable with the value that wins. */
export interface Resolved extends Variable {
  /**
   * The lower layers that also set the variable, the highest first. `same` is true for the same value. Absent if there are
   * none.
   */
  readonly shadowed?: readonly { readonly origin: Origin; readonly same: boolean }[];
}

/** All variables by name, with the values that win. */
export type Resolution = ReadonlyMap<string, Resolved>;

/** The environment of a process: the envp of execve(2), without its order and without duplicates. */
export interface Environment extends ReadonlyMap<string, string> {
  /** Set on Windows, where names are case-insensitive. Look-ups find every spelling. */
  readonly foldsCase?: true;
}

/** ESC environments that a file names without the user's consent. */
export interface Unallowed {
  readonly environments: readonly string[];
  readonly files: readonly string[];
  readonly credential: string;
  /** Why there is no consent. `unattended`: there is no user to ask, as in CI and in a container. */
  readonly why: "declined" | "not-asked" | "agent" | "unattended";
  /** Why a consent could not be remembered; undefined if it could. */
  readonly unplaced?: "path" | "outer" | undefined;
  readonly profile?: string | undefined;
  /** The contract that the user must name, because it extends the file from another folder. */
  readonly contract?: string;
}

/** A report to the user that does not stop the run. It never holds a value. */
export type Notice =
  /** The process environment overrides ESC with other values for these declared variables. */
  | { readonly kind: "shadowed"; readonly names: readonly string[] }
  /** A `.env.override` sets the variables `names`. The environment has values for those in `hidden`, and wins. */
  | {
      readonly kind: "override";
      readonly file: string;
      readonly names: readonly string[];
      readonly hidden: readonly string[];
    }
  /**
   * A part of the settings of ESC is set, and another is missing, so that ESC is not read. `remedy` has the lines that say how a
   * token that is there opens ESC.
   */
  | {
      readonly kind: "esc-incomplete";
      readonly present: string;
      readonly missing: string;
      readonly remedy: readonly string[];
    }
  | { readonly kind: "esc-diagnostics"; readonly environment: string; readonly diagnostics: readonly Diagnostic[] }
  /** A name of two parts was read in its old meaning, `org/env`. `instead` is its new meaning, which does not exist. */
  | { readonly kind: "esc-old-form"; readonly written: string; readonly opened: string; readonly instead?: string }
  /** Entries of an ESC environment that are no variables, because their values are not texts, or are not known. */
  | {
      readonly kind: "esc-skipped";
      readonly environment: string;
      readonly names: readonly string[];
      readonly why: "list-or-object" | "unknown";
    }
  /**
   * A setting of a `.env` file was ignored, because it would send a credential of another source to an address of the file.
   */
  | { readonly kind: "setting-ignored"; readonly name: string; readonly file: string }
  /** A `.env` file chooses the ESC environment that a credential of another source opens. */
  | { readonly kind: "environment-by-file"; readonly name: string; readonly file: string; readonly credential: string }
  /** Files that were found name ESC environments without the user's consent. The environments are not opened. */
  | ({ readonly kind: "environment-not-allowed" } & Unallowed)
  /** Variables of a file or of ESC that the program does not get. */
  | {
      readonly kind: "withheld";
      readonly why: "reserved" | "runs-code" | "network" | "redirects-key" | "callers-own";
      /** The file that sets them, or whose credential opened `environment`; undefined if the credential is the caller's. */
      readonly file: string | undefined;
      /** The ESC environment that has them. */
      readonly environment?: string;
      readonly names: readonly string[];
    }
  /** Dummies of `--fake` replace these variables of the caller's environment. */
  | { readonly kind: "replaced-by-dummies"; readonly names: readonly string[] }
  | { readonly kind: "deprecated"; readonly name: string; readonly use: string }
  /** A file with secrets is world-readable. */
  | { readonly kind: "exposed"; readonly file: string }
  /** Variables of a `.env` file whose values are references of one form. The program gets the references, not the secrets. */
  | {
      readonly kind: "references";
      readonly form: ReferenceForm;
      readonly file: string;
      readonly variables: readonly { readonly name: string; readonly line: number }[];
    }
  /** Cached values are used, because ESC is not available (`failure`) or because of `--offline`. */
  | {
      readonly kind: "esc-kept";
      readonly ageSeconds: number;
      readonly environments: readonly string[];
      readonly failure?: Failure;
    }
  /** Any other notice, as one sentence without a full stop. */
  | { readonly kind: "remark"; readonly text: string };

/** The reason why a run stops: the problem, the remedy, and further lines. It holds no value and no token. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}

/** An error or a warning of ESC about a definition. Line and column begin at 1. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly environment?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}

/** Formats a diagnostic as compilers do: `sophia/dev:3:7: unknown property (values.a)`. Its texts are already printable. */
export function formatDiagnostic({ environment, line, column, summary, path, severity }: Diagnostic): string {
  // A column without a line means nothing.
  const location = [environment, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  return [
    location.length === 0 ? "" : `${location.join(":")}: `,
    severity === "warning" ? "warning: " : "",
    summary,
    path === undefined ? "" : ` (${path})`,
  ].join("");
}
