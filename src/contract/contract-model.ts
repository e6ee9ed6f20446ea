import type { ReferenceForm } from "../core/reference-forms.ts";
import type { BrokerMember, ProbeEntry } from "./generated/document.ts";

export const CONTRACT_FILE_NAME = "sophia.contract.json";

/** The path is absolute. */
export type ContractSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

export interface ContractPart {
  readonly profile?: string | undefined;
  readonly scope?: string | undefined;
}

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
  /** Credentials of three clouds and files of ESC are renewed while the program runs. */
  readonly refresh?: boolean;
  /** AWS credentials of ESC are renewed while the program runs. */
  readonly awsRefresh?: boolean;
  readonly environment?: ContractEnvironment;
  readonly profile?: string;
  /** False if the profile does not let `.env.override` be read. */
  readonly override?: boolean;
  readonly profiles: readonly string[];
  /** The variables of each process, by the name of its scope. */
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  readonly scope?: {
    readonly name: string;
    /** Declared names and aliases that do not belong to it. */
    readonly outside: ReadonlySet<string>;
  };
}

/** The ESC environments that the contract names, for a start without `ESC_ENV`. */
export interface ContractEnvironment {
  /** As `organization/project/environment`; later ones win. */
  readonly names: readonly string[];
  /** The absolute path of the file that names them: the contract, or one that it extends. */
  readonly file: string;
  /** True unless the user named the contract, and the file is in its folder or below. */
  readonly isFound: boolean;
}

export interface Declaration {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** By default false for a variable with a default or a closed format, else true. */
  readonly secret: boolean;
  /** Why it is public although its value holds a credential in a known form. */
  readonly reason?: string;
  /** Never a real value: a secret that equals it is a violation. */
  readonly example?: string;
  readonly docs?: string;
  /** The value if no source has one. Never a secret. */
  readonly default?: string;
  readonly aliases: readonly Alias[];
  /** The declared variable that replaces this deprecated one. */
  readonly deprecated?: string;
  /** The program gets the path of a private file with the value. */
  readonly as?: "file";
  readonly format?: ValueFormat;
  readonly rotateEvery?: Interval | "never";
  /** The request that tests its value. Absent in the built-in contract: see `probesOf`. */
  readonly probe?: ProbeEntry;
  /** As it is written: only a start with --broker compiles it, by `broker/entry.ts`. */
  readonly broker?: BrokerMember;
}

export interface Alias {
  readonly name: string;
  readonly deprecated: boolean;
}

export interface Interval {
  readonly count: number;
  readonly unit: "day" | "week" | "month" | "year";
}

export type ValueFormat =
  | {
      readonly kind: "text";
      /** Allowed beginnings; empty for any. */
      readonly prefixes: readonly string[];
      /** In characters (code points); 0 for any. */
      readonly minLength: number;
      readonly pattern?: TextPattern;
    }
  | {
      readonly kind: "url";
      /** Allowed schemes in lower case without the colon; empty for any. */
      readonly schemes: readonly string[];
    }
  | { readonly kind: "integer" | "number"; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "boolean" | "port" | "json" | "base64" | "email" };

/** A regular expression (flag `u`) for the whole value, compiled by `pattern/`. */
export interface TextPattern {
  readonly source: string;
  /** @throws SophiaError (contract-slow, 125) if all patterns of a check together take too long */
  readonly matches: (value: string, use: PatternUse) => boolean;
  /** Returns a match with the word in it and of at least so many characters, as far as the pattern allows. */
  readonly sample: (word: string, least: number) => string;
}

/** Returns the part of a format that the value does not meet, if any. @throws SophiaError (contract-slow, 125) */
export type FormatCheck = (format: ValueFormat, value: string, name: string) => FormatFault | undefined;

export interface PatternWork {
  steps: number;
  /** The most steps of one pattern, and its variable. */
  most: number;
  slowest: string;
}

export interface PatternUse {
  readonly name: string;
  readonly work: PatternWork;
}

/** Another variable is set or, with `equals`, has one of these values. */
export interface Condition {
  readonly name: string;
  readonly equals?: readonly string[];
}

export interface GroupRule {
  readonly kind: GroupKind;
  readonly group: string;
  readonly label: string;
  /** In the order of the contract; for `one-of` the order of preference. */
  readonly names: readonly string[];
}

/** With `one-of` the first variable that is set is used; with `exactly-one` no other may be set. */
export type GroupKind = "one-of" | "exactly-one" | "at-least-one" | "all-or-none";

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

export interface Section {
  readonly title: string;
  readonly lines: readonly SectionLine[];
}

export type SectionLine =
  | { readonly kind: "variable"; readonly name: string; readonly label: string }
  | { readonly kind: "group"; readonly group: string; readonly label: string; readonly names: readonly string[] };

type Names = readonly string[];

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

/** ESC refuses a value by a schema, and the contract does not say why: the schema is that of another contract. */
interface RefusedValue {
  readonly kind: "refused";
  readonly name: string;
}

/** There is no contract, and nothing suggests that the built-in one is meant. It is the only violation then. */
interface AbsentContract {
  readonly kind: "no-contract";
}

/** A violation of a rule, or by a value. */
export type CheckedViolation = RuleViolation | ValueViolation;

export type Violation = CheckedViolation | RefusedValue | AbsentContract;

/** The part of a format that a value does not meet. It repeats the contract, never the value. */
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
