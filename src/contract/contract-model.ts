/**
 * The model of a contract after it is compiled (file/compile.ts), and of the violations that a check of it finds. A
 * contract file has another form: generated/document.ts.
 */
import type { ReferenceForm } from "../core/reference-forms.ts";
import type { BrokerMember, ProbeEntry } from "./generated/document.ts";

export const CONTRACT_FILE_NAME = "sophia.contract.json";

/** The source of a contract: the one that is built in, or a file with its absolute path. */
export type ContractSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** The part of a contract that the user selects (`--profile`, `--scope`). */
export interface ContractSelection {
  readonly profile?: string | undefined;
  readonly scope?: string | undefined;
}

/** A contract for one profile and one scope, ready to check values. */
export interface Contract {
  readonly source: ContractSource;
  /** The project's name, if the contract has one. */
  readonly name?: string;
  /** By canonical name, in the order of the file. */
  readonly variables: ReadonlyMap<string, Declaration>;
  /** Other names of declared variables: alias to canonical name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Deprecated names of variables and aliases, each with its replacement. */
  readonly deprecated: ReadonlyMap<string, string>;
  readonly rules: readonly Rule[];
  readonly sections: readonly Section[];
  readonly rotateEvery?: Interval | "never";
  /** True if credentials of three clouds and files of ESC are renewed while the program runs. */
  readonly refresh?: boolean;
  /** True if AWS credentials of ESC are renewed while the program runs. */
  readonly awsRefresh?: boolean;
  readonly environment?: ContractEnvironment;
  /** The profile that was selected. */
  readonly profile?: string;
  /** False if the profile forbids reading `.env.override`. */
  readonly override?: boolean;
  /** The names of all profiles. */
  readonly profiles: readonly string[];
  /** The variables of each process, by the name of its scope. */
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  /** The scope that was selected. */
  readonly scope?: {
    readonly name: string;
    /** The declared names and aliases that do not belong to the scope. The program does not get them. */
    readonly outside: ReadonlySet<string>;
  };
}

/** The ESC environments that the contract names, for a start without `ESC_ENV`. */
export interface ContractEnvironment {
  /** As `organization/project/environment`. A later environment has precedence over an earlier one. */
  readonly names: readonly string[];
  /** The absolute path of the file that names them: the contract, or one that it extends. */
  readonly file: string;
  /**
   * False if the user named the contract, and `file` is in the folder of the contract or below. Otherwise the user must
   * consent.
   */
  readonly isFound: boolean;
}

/** A variable that the contract declares. */
export interface Declaration {
  readonly name: string;
  /** A name for people; the same as `name` if the contract has none. */
  readonly label: string;
  readonly description: string;
  /**
   * True if the value must not be shown. See isSecretEntry in file/compile.ts for variables of which the contract does not say
   * it.
   */
  readonly secret: boolean;
  /** The reason why the variable is public although its value has the known form of a credential. */
  readonly reason?: string;
  /** An example of a value, never a real one: a secret that equals it is a violation. */
  readonly example?: string;
  /** The address of a documentation page. */
  readonly docs?: string;
  /** The value if no source has one. Never a secret. */
  readonly default?: string;
  readonly aliases: readonly Alias[];
  /** The declared variable that replaces this deprecated one. */
  readonly deprecated?: string;
  /** With `file`, the program gets the path of a private file with the value. */
  readonly as?: "file";
  readonly format?: ValueFormat;
  readonly rotateEvery?: Interval | "never";
  /** The request that tests the value. Absent in the built-in contract: see `probesOf`. */
  readonly probe?: ProbeEntry;
  /** The member as the file has it. Only a start with --broker compiles it (broker/entry.ts). */
  readonly broker?: BrokerMember;
}

/** Another name of a variable, under which sources may have its value. */
export interface Alias {
  readonly name: string;
  readonly deprecated: boolean;
}

/** The time after which a value must be replaced. */
export interface Interval {
  readonly count: number;
  readonly unit: "day" | "week" | "month" | "year";
}

/** The form that a value must have. format.ts checks it. */
export type ValueFormat =
  | {
      readonly kind: "text";
      /** The allowed beginnings. Empty if any text is allowed. */
      readonly prefixes: readonly string[];
      /** In characters (code points). */
      readonly minLength: number;
      readonly pattern?: TextPattern;
    }
  | {
      readonly kind: "url";
      /** The allowed schemes, in lower case and without the colon. Empty if any scheme is allowed. */
      readonly schemes: readonly string[];
    }
  | { readonly kind: "integer" | "number"; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "boolean" | "port" | "json" | "base64" | "email" };

/** A regular expression (flag `u`) that the whole value must match, compiled by pattern/pattern.ts. */
export interface TextPattern {
  readonly source: string;
  /** @throws SophiaError (contract-slow, 125) if all patterns of a check together take too long */
  readonly matches: (value: string, use: PatternUse) => boolean;
  /** Returns a text that matches: with the word, and with at least `minLength` characters, if the pattern allows it. */
  readonly sample: (word: string, minLength: number) => string;
}

/**
 * Returns the part of a format that the value does not meet; undefined if it meets all.
 *
 * @throws SophiaError (contract-slow, 125)
 */
export type FormatCheck = (format: ValueFormat, value: string, name: string) => FormatFault | undefined;

/** The work of all patterns of one check together, which is limited. Each match adds its steps. */
export interface PatternWork {
  steps: number;
  /** The number of steps of the slowest match, and the name of its variable. */
  maxSteps: number;
  slowestVariable: string;
}

/** A use of a pattern for one variable. */
export interface PatternUse {
  /** The name of the variable. */
  readonly name: string;
  readonly work: PatternWork;
}

/** The condition that a variable is set or, with `equals`, that it has one of these values. */
export interface Condition {
  readonly name: string;
  readonly equals?: readonly string[];
}

/** A rule about the variables of a group. */
export interface GroupRule {
  readonly kind: GroupKind;
  /** The name of the group. */
  readonly group: string;
  readonly label: string;
  /** The variables in the order of the contract. For `one-of` this is the order of precedence. */
  readonly names: readonly string[];
}

/**
 * The kind of a group. With `one-of`, the program uses the first variable that is set. With `exactly-one`, no other may be
 * set.
 */
export type GroupKind = "one-of" | "exactly-one" | "at-least-one" | "all-or-none";

/** A rule about which variables must be set. */
export type Rule =
  | { readonly kind: "required"; readonly name: string }
  | { readonly kind: "optional"; readonly name: string }
  | ConditionalRule
  | GroupRule;

interface ConditionalRule {
  readonly kind: "required-when";
  readonly name: string;
  readonly when: Condition;
}

/** A part of a report about the contract, such as the table of `sophia-run check`. */
export interface Section {
  readonly title: string;
  readonly lines: readonly SectionLine[];
}

export type SectionLine =
  | { readonly kind: "variable"; readonly name: string; readonly label: string }
  | { readonly kind: "group"; readonly group: string; readonly label: string; readonly names: readonly string[] };

type Names = readonly string[];

/** A rule about variables that must be set is not met. */
export type RuleViolation =
  | { readonly kind: "missing"; readonly rule: Extract<Rule, { kind: "required" }>; readonly name: string }
  | ({ readonly kind: "missing-when"; readonly rule: ConditionalRule } & Pick<ConditionalRule, "name" | "when">)
  | { readonly kind: "none-set"; readonly rule: GroupRule }
  | { readonly kind: "several-set"; readonly rule: GroupRule; readonly set: Names }
  | { readonly kind: "some-missing"; readonly rule: GroupRule; readonly set: Names; readonly missing: Names };

/** The value of a variable is wrong, whether a rule requires it or not. */
export type ValueViolation =
  | { readonly kind: "malformed"; readonly name: string; readonly fault: FormatFault }
  | { readonly kind: "placeholder"; readonly name: string }
  | { readonly kind: "reference"; readonly name: string; readonly form: ReferenceForm };

/** ESC refuses a value by a schema that was written for another contract, so that this contract cannot say why. */
interface RefusedValue {
  readonly kind: "refused";
  readonly name: string;
}

/** There is no contract, and nothing suggests that the user means the built-in one. This violation is never with others. */
interface AbsentContract {
  readonly kind: "no-contract";
}

/** A violation that the check of a contract finds (check-contract.ts). */
export type CheckedViolation = RuleViolation | ValueViolation;

/** Any violation, also one that is found without a check of the contract. */
export type Violation = CheckedViolation | RefusedValue | AbsentContract;

/** The part of a format that a value does not meet. It has parts of the contract, never of the value. */
export type FormatFault =
  | { readonly kind: "prefix"; readonly prefixes: readonly string[] }
  | { readonly kind: "too-short"; readonly minLength: number }
  | { readonly kind: "too-long"; readonly maxLength: number }
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "not-url"; readonly schemes: readonly string[] }
  | { readonly kind: "url-port" }
  | { readonly kind: "scheme"; readonly schemes: readonly string[] }
  | { readonly kind: "out-of-range"; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: "not-in-enum"; readonly values: readonly string[] }
  | { readonly kind: `not-${"integer" | "number" | "boolean" | "port" | "json" | "base64" | "email"}` };
