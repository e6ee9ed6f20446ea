/**
 * The types by which all modules describe configuration: variables, where their values come from, which value wins, and what the
 * user must be told (notices and failures).
 */
import type { FailureCode } from "./failure-codes.ts";
import type { ReferenceForm } from "./reference-forms.ts";

/** The identifier of a kind of source, such as `esc`. */
export type SourceId = Origin["source"];

/** The source that has set a value, and the value's location there. It never contains the value itself. */
export type Origin = SourceLocation & {
  /** The name of the variable in the source, if the contract gives it another name. */
  readonly alias?: string;
};

type SourceLocation =
  | {
      readonly source: "environment";
      /** Set if an outer sophia-run read the variable from a file. */
      readonly fromFile?: true;
      /** Set if the value is the content of `file`. `by` is the variable that names the file, such as `DB_PASSWORD_FILE`. */
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
      /** The line of the value in the environment's definition. */
      readonly line?: number;
      /** The definitions in imported environments that this value overrides, if ESC reports them. The nearest import is first. */
      readonly overrides?: readonly DefinitionLocation[];
      /** Set for a value from the cache: the seconds since ESC has sent the value. */
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
  /** A `.env` file. */
  | { readonly source: "dotenv"; readonly file: string; readonly line: number }
  /** A default value in a contract. */
  | { readonly source: "contract"; readonly file: string }
  /** A dummy value of `--fake`. */
  | { readonly source: "fake" };

/** The origin of a value that stands on a line `NAME=value` of a file. */
type LineLocation = Extract<Origin, { readonly source: "override" | "dotenv" }>;

/** Returns true if a value comes from a line `NAME=value` of a file. */
export function isLineLocation(origin: Origin): origin is LineLocation {
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

/** The variables that one source sets. Layers are ordered by precedence. Each name occurs at most once in a layer. */
export interface Layer {
  readonly source: SourceId;
  readonly variables: readonly Variable[];
}

/** A variable with the value that wins. */
export interface ResolvedVariable extends Variable {
  /**
   * The values of lower layers that this value overrides, from the highest layer to the lowest. `same` is true for an equal
   * value. Absent if no lower layer sets the variable.
   */
  readonly shadowed?: readonly { readonly origin: Origin; readonly same: boolean }[];
}

/** All variables by name, with the values that win. */
export type Resolution = ReadonlyMap<string, ResolvedVariable>;

/** The environment of a process: the envp of execve(2), without its order and without duplicates. */
export interface Environment extends ReadonlyMap<string, string> {
  /** Set on Windows, where names are case-insensitive. Look-ups find every spelling. */
  readonly foldsCase?: true;
}

/** ESC environments that files of the project name, and that the user has not allowed sophia-run to open. */
export interface UnallowedEnvironments {
  readonly environments: readonly string[];
  /** The files that name the environments. */
  readonly files: readonly string[];
  /** The setting with the credential that would open the environments. */
  readonly credential: string;
  /**
   * Why there is no consent. `declined`: the user said no. `not-asked`: there is no terminal at which the user could be asked.
   * `agent`: a coding agent runs sophia-run. `unattended`: there is no user, as in CI and in a container.
   */
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
   * Some settings of ESC are set, but a required one is missing, so that ESC is not read. If there is a token, the lines of
   * `remedy` say how it can open ESC.
   */
  | {
      readonly kind: "esc-incomplete";
      readonly present: string;
      readonly missing: string;
      readonly remedy: readonly string[];
    }
  | { readonly kind: "esc-diagnostics"; readonly environment: string; readonly diagnostics: readonly Diagnostic[] }
  /**
   * An environment's name of two parts, `written`, was read in its old meaning `org/env`, which is `opened`. `instead` is its
   * present meaning `project/env`, which does not exist.
   */
  | { readonly kind: "esc-old-form"; readonly written: string; readonly opened: string; readonly instead?: string }
  /** Entries of an ESC environment that are not variables, because their values are not strings, or are not known. */
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
  | ({ readonly kind: "environment-not-allowed" } & UnallowedEnvironments)
  /** Variables of a file or of ESC that the program does not get, because of the risk that `why` names. */
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
  /** The contract declares a variable that is set as deprecated. `use` says what to use in its place. */
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

/** The reason why a run stops. It contains no value of a variable and no token. */
export interface Failure {
  readonly code: FailureCode;
  /** The problem. */
  readonly message: string;
  /** The remedy. */
  readonly hint?: string;
  /** Further lines, which are shown between the problem and the remedy. */
  readonly details?: readonly string[];
}

/** An error or a warning that ESC reports about a definition. Line and column begin at 1. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly environment?: string;
  readonly line?: number;
  readonly column?: number;
  /** The property of the definition, such as `values.a`. */
  readonly path?: string;
}

/** Formats a diagnostic as compilers do: `sophia/dev:3:7: unknown property (values.a)`. Its texts are already printable. */
export function formatDiagnostic({ environment, line, column, summary, path, severity }: Diagnostic): string {
  // Without a line, the column would be taken for the line.
  const location = [environment, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  return [
    location.length === 0 ? "" : `${location.join(":")}: `,
    severity === "warning" ? "warning: " : "",
    summary,
    path === undefined ? "" : ` (${path})`,
  ].join("");
}
