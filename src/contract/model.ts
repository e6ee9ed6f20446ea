/** A contract once its file was read; types only. */
import type { ProbeEntry } from "./generated/document.ts";

/** The path is absolute. */
export type ContractSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** The profile and the scope that the caller asks for. */
export interface ContractPart {
  readonly profile?: string | undefined;
  readonly scope?: string | undefined;
}

/** The declared variables and the rules over them, for one profile. */
export interface Contract {
  readonly source: ContractSource;
  /** By canonical name, in the order of the file. */
  readonly variables: ReadonlyMap<string, Declaration>;
  /** Other names under which a declared variable may be set: alias to canonical name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Deprecated names, of variables and of aliases: each with the name to use instead. */
  readonly deprecated: ReadonlyMap<string, string>;
  readonly rules: readonly Rule[];
  readonly sections: readonly Section[];
  readonly rotateEvery?: Interval | "never";
  readonly profile?: string;
  readonly profiles: readonly string[];
  /** The variables of each process, by the name of its scope. */
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  /** The scope that was asked for: the contract has no other variables any more. Absent without one. */
  readonly scope?: {
    readonly name: string;
    /** Declared names, aliases too, that do not belong to it. */
    readonly outside: ReadonlySet<string>;
  };
}

export interface Declaration {
  readonly name: string;
  /** Such as `Pulumi Token`; the name itself if the contract gives none. */
  readonly label: string;
  readonly description: string;
  /** Declared with a default: false, everything else: true, unless the contract says otherwise. */
  readonly secret: boolean;
  /** Never a real value: a secret that equals it is a violation. */
  readonly example?: string;
  readonly docs?: string;
  /** The value where no source gives one. Never a secret. */
  readonly default?: string;
  readonly aliases: readonly Alias[];
  /** The declared variable that replaces this one; present when this one is deprecated. */
  readonly deprecated?: string;
  readonly format?: ValueFormat;
  /** How often it ought to be replaced, where it says so itself; see `rotation.ts`. */
  readonly rotateEvery?: Interval | "never";
  /** How its service is asked whether the value works. That of the built-in contract stands in its text: see `probes.ts`. */
  readonly probe?: ProbeEntry;
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
      /** The value begins with one of these; empty when any beginning will do. */
      readonly prefixes: readonly string[];
      /** Characters (code points); 0 when any length will do. */
      readonly minLength: number;
      readonly pattern?: TextPattern;
    }
  | {
      readonly kind: "url";
      /** Allowed schemes in lower case without the colon; empty when any will do. */
      readonly schemes: readonly string[];
    }
  | { readonly kind: "integer" | "number"; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "boolean" | "port" | "json" | "base64" | "email" };

/** A regular expression (flag `u`) over the whole value, made ready by `pattern/`. */
export interface TextPattern {
  readonly source: string;
  /** @throws SophiaError (contract-slow, 125) if the patterns of a check take too long together */
  readonly matches: (value: string, use: PatternUse) => boolean;
  /** A string that matches and contains the word where there is room, of at least so many characters where it can. */
  readonly sample: (word: string, least: number) => string;
}

/** Steps that the patterns of one check have taken, counted as they are matched. */
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

/** When a conditional rule applies: another variable is set or, with `equals`, has one of these values. */
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

/** For `one-of` the first that is set serves; with `exactly-one` no other may be set. */
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

/** One line of `check`: a variable, or a group that shows the variable that serves (see `serving`). */
export type SectionLine =
  | { readonly kind: "variable"; readonly name: string; readonly label: string }
  | { readonly kind: "group"; readonly group: string; readonly label: string; readonly names: readonly string[] };

type Names = readonly string[];

/** A rule that is not met. It names the rule and the variables and never holds a value. */
export type Violation =
  | { readonly kind: "missing"; readonly rule: Extract<Rule, { kind: "required" }>; readonly name: string }
  | ({ readonly kind: "missing-when"; readonly rule: ConditionalRule } & Pick<ConditionalRule, "name" | "when">)
  | { readonly kind: "none-set"; readonly rule: GroupRule }
  | { readonly kind: "several-set"; readonly rule: GroupRule; readonly set: Names }
  | { readonly kind: "some-missing"; readonly rule: GroupRule; readonly set: Names; readonly missing: Names }
  | { readonly kind: "malformed"; readonly name: string; readonly fault: FormatFault }
  | { readonly kind: "placeholder"; readonly name: string };

/** Which part of a format a value does not meet. It repeats the contract, never the value. */
export type FormatFault =
  | { readonly kind: "prefix"; readonly prefixes: readonly string[] }
  | { readonly kind: "too-short"; readonly minLength: number }
  | { readonly kind: "too-long"; readonly maxLength: number }
  | { readonly kind: "pattern"; readonly pattern: string }
  /** Not a URL at all; the schemes are those that the contract allows. */
  | { readonly kind: "not-url"; readonly schemes: readonly string[] }
  /** A URL but for its port. */
  | { readonly kind: "url-port" }
  | { readonly kind: "scheme"; readonly schemes: readonly string[] }
  | { readonly kind: "out-of-range"; readonly minimum?: number; readonly maximum?: number }
  | { readonly kind: "not-in-enum"; readonly values: readonly string[] }
  | { readonly kind: `not-${"integer" | "number" | "boolean" | "port" | "json" | "base64" | "email"}` };
