import type { FailureCode } from "./failure-codes.ts";
import type { ReferenceForm } from "./reference-forms.ts";

export type SourceId = Origin["source"];

/** The source of a value and its location there. It never holds the value. */
export type Origin = SourceLocation & {
  /** The name of the variable in the source, if it differs. */
  readonly alias?: string;
};

type SourceLocation =
  | {
      readonly source: "environment";
      /** An outer sophia-run read it from a file. */
      readonly fromFile?: true;
      /** The variable `NAME_FILE`, and the file that it names. */
      readonly read?: { readonly by: string; readonly file: string };
    }
  | {
      readonly source: "esc";
      /** As `org/project/name`. */
      readonly environment: string;
      /** The requested revision or tag, and the opened revision if ESC reports it. */
      readonly version?: string;
      readonly revision?: string;
      /** The imported environment that defines the value, if ESC reports it. */
      readonly importedFrom?: string;
      readonly line?: number;
      /** The imports whose value it overrides, the nearest first, if ESC reports them. */
      readonly overrides?: readonly DefinitionLocation[];
      readonly ageSeconds?: number;
      /** The `.env` file that was found and whose credential opened it: its authors decide what the values are. */
      readonly openedBy?: string;
    }
  /** `.env.override`. */
  | { readonly source: "override"; readonly file: string; readonly line: number }
  /** A file in a folder of secrets. */
  | { readonly source: "secrets"; readonly file: string }
  | { readonly source: "dotenv"; readonly file: string; readonly line: number }
  | { readonly source: "contract"; readonly file: string }
  | { readonly source: "fake" };

/** A location in a file with lines of the form `NAME=value`. */
type LineLocation = Extract<Origin, { readonly source: "override" | "dotenv" }>;

export function isOfLine(origin: Origin): origin is LineLocation {
  return origin.source === "dotenv" || origin.source === "override";
}

export interface DefinitionLocation {
  readonly environment?: string;
  readonly line?: number;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly origin: Origin;
  /** `file`: the program gets the path of a private temporary file with the value. */
  readonly delivery: "value" | "file";
  /** Set for a value of a `.env` file that another tool, or a shell, would replace. */
  readonly reference?: ReferenceForm;
}

/** Variables of one source with the same precedence, each name at most once. */
export interface Layer {
  readonly source: SourceId;
  readonly variables: readonly Variable[];
}

export interface Resolved extends Variable {
  /** Lower layers that also have the name, highest first; absent if there are none. */
  readonly shadowed?: readonly { readonly origin: Origin; readonly same: boolean }[];
}

export type Resolution = ReadonlyMap<string, Resolved>;

/** The environment of a process: the envp of execve(2), without order and duplicates. */
export interface Environment extends ReadonlyMap<string, string> {
  /** Windows: names are case-insensitive, so that look-ups find every spelling. */
  readonly foldsCase?: true;
}

export interface Unallowed {
  readonly environments: readonly string[];
  readonly files: readonly string[];
  readonly credential: string;
  /** `unattended`: there is no user, as in CI and in a container. */
  readonly why: "declined" | "not-asked" | "agent" | "unattended";
  /** Why a consent cannot be remembered, if it cannot. */
  readonly unplaced?: "path" | "outer" | undefined;
  readonly profile?: string | undefined;
  /** The contract that the user must name, because it extends the file from elsewhere. */
  readonly contract?: string;
}

/** A remark for the user that does not stop the run. It never holds a value. */
export type Notice =
  /** The environment overrides ESC with other values for these declared variables. */
  | { readonly kind: "shadowed"; readonly names: readonly string[] }
  /** A `.env.override` sets variables; for those of `hidden` the environment has a value, which wins. */
  | {
      readonly kind: "override";
      readonly file: string;
      readonly names: readonly string[];
      readonly hidden: readonly string[];
    }
  /** `remedy`: lines that say how a token that is there opens ESC. */
  | {
      readonly kind: "esc-incomplete";
      readonly present: string;
      readonly missing: string;
      readonly remedy: readonly string[];
    }
  | { readonly kind: "esc-diagnostics"; readonly environment: string; readonly diagnostics: readonly Diagnostic[] }
  /** A name of two parts was read in its old meaning, `org/env`; `instead` is the new meaning, which does not exist. */
  | { readonly kind: "esc-old-form"; readonly written: string; readonly opened: string; readonly instead?: string }
  | {
      readonly kind: "esc-skipped";
      readonly environment: string;
      readonly names: readonly string[];
      readonly why: "list-or-object" | "unknown";
    }
  /** A setting of a `.env` file was ignored: it would send a credential from another source to its own address. */
  | { readonly kind: "setting-ignored"; readonly name: string; readonly file: string }
  /** A `.env` file selects the ESC environment that a credential from another source opens. */
  | { readonly kind: "environment-by-file"; readonly name: string; readonly file: string; readonly credential: string }
  /** Files that were found name ESC environments that the user has not allowed them to: they are not opened. */
  | ({ readonly kind: "environment-not-allowed" } & Unallowed)
  /** Variables of a file or of ESC that the program does not get. */
  | {
      readonly kind: "withheld";
      readonly why: "reserved" | "runs-code" | "network" | "redirects-key" | "callers-own";
      /** The file that has them, or has the credential that opened `environment`; undefined for the caller's credential. */
      readonly file: string | undefined;
      /** The ESC environment that has them. */
      readonly environment?: string;
      readonly names: readonly string[];
    }
  /** Dummies of `--fake` replace these variables of the caller's environment. */
  | { readonly kind: "replaced-by-dummies"; readonly names: readonly string[] }
  | { readonly kind: "deprecated"; readonly name: string; readonly use: string }
  | { readonly kind: "exposed"; readonly file: string }
  /** Variables of a `.env` file whose values are references of one form; the program gets them unchanged. */
  | {
      readonly kind: "references";
      readonly form: ReferenceForm;
      readonly file: string;
      readonly variables: readonly { readonly name: string; readonly line: number }[];
    }
  /** The cache is used, because ESC is not available (`failure`) or with `--offline`. */
  | {
      readonly kind: "esc-kept";
      readonly ageSeconds: number;
      readonly environments: readonly string[];
      readonly failure?: Failure;
    }
  /** Any other remark: one sentence without a full stop. */
  | { readonly kind: "remark"; readonly text: string };

/** A failure: the problem, the remedy, and further lines. It holds no value and no token. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}

/** A remark of ESC about a definition. Line and column begin at 1. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly environment?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}

/** Formats a diagnostic as compilers do: `sophia/dev:3:7: unknown property (values.a)`. Its texts are printable already. */
export function formatDiagnostic({ environment, line, column, summary, path, severity }: Diagnostic): string {
  const place = [environment, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  return [
    place.length === 0 ? "" : `${place.join(":")}: `,
    severity === "warning" ? "warning: " : "",
    summary,
    path === undefined ? "" : ` (${path})`,
  ].join("");
}
