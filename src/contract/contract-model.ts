/**
 * The types of a contract, and of violations of it. A contract declares the variables of a project and rules over them.
 * These types are the compiled form, which file/compile.ts makes and nearly all code reads. generated/document.ts has
 * the types of the JSON in a contract file.
 */
import type { ReferenceForm } from "../core/reference-forms.ts";
import type { BrokerMember, ProbeEntry } from "./generated/document.ts";

export const CONTRACT_FILE_NAME = "sophia.contract.json";

/** The source of a contract: the one that is built in, or a file with its absolute path. */
export type ContractSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** The parts of a contract that the user selects by `--profile` and `--scope`. */
export interface ContractSelection {
  readonly profile?: string | undefined;
  readonly scope?: string | undefined;
}

/** A contract, compiled for one profile and one scope. */
export interface Contract {
  readonly source: ContractSource;
  /** The project's name, if the contract has one. */
  readonly name?: string;
  /** The declared variables by name, in the order of the file. */
  readonly variables: ReadonlyMap<string, Declaration>;
  /** The name of the declared variable, by alias. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The name to use instead, by deprecated name or alias. */
  readonly deprecated: ReadonlyMap<string, string>;
  readonly rules: readonly Rule[];
  readonly sections: readonly Section[];
  /** The rotation interval of secrets that have none of their own. */
  readonly rotateEvery?: Interval | "never";
  /** True if credentials of AWS, Azure and Google Cloud, and files of ESC, are renewed while the program runs. */
  readonly refresh?: boolean;
  /** True if AWS credentials of ESC are renewed while the program runs, whatever `refresh` is. */
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
  /** Names such as `acme/shop/dev`. A later environment has precedence over an earlier one. */
  readonly names: readonly string[];
  /** The absolute path of the file that names the environments: the contract, or one that it extends. */
  readonly file: string;
  /**
   * True if the user must consent to opening the environments. False if the user named the contract (`--contract`,
   * `SOPHIA_CONTRACT`), and `file` is in its folder or below.
   */
  readonly isFound: boolean;
}

/** A variable that the contract declares. */
export interface Declaration {
  readonly name: string;
  /** The name that messages show; the same as `name` if the contract has no label. */
  readonly label: string;
  readonly description: string;
  /** True if the value must not be shown. Without the member `secret`, isSecretEntry in file/compile.ts decides. */
  readonly secret: boolean;
  /** The reason, from the contract, why the variable is public although its value looks like a credential. */
  readonly reason?: string;
  /** An example of a value, never a real one: a secret that equals it is a violation. */
  readonly example?: string;
  /** The address of a documentation page. */
  readonly docs?: string;
  /** The value if no source has one. It is never a secret. */
  readonly default?: string;
  readonly aliases: readonly Alias[];
  /** The declared variable that replaces this deprecated one. */
  readonly deprecated?: string;
  /** If `file`, sophia-run writes the value into a private file, and the program gets the path of this file. */
  readonly as?: "file";
  readonly format?: ValueFormat;
  readonly rotateEvery?: Interval | "never";
  /**
   * The request by which `check --live` tests the value. The built-in contract has its probes elsewhere: see
   * `listProbes`.
   */
  readonly probe?: ProbeEntry;
  /** The member as in the contract file. Only a start with `--broker` compiles it (broker/entry.ts). */
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
  /** @throws SophiaError (contract-slow, 125) if all matches of a check together take too many steps */
  readonly matches: (value: string, use: PatternUse) => boolean;
  /**
   * Returns a text that matches. If the pattern allows it, the text contains the word, and has at least `minLength`
   * characters.
   */
  readonly sample: (word: string, minLength: number) => string;
}

/**
 * Returns the fault of a value that does not have the format; undefined if it has the format.
 *
 * @throws SophiaError (contract-slow, 125)
 */
export type FormatCheck = (format: ValueFormat, value: string, name: string) => FormatFault | undefined;

/**
 * A count of the steps that the matches of one check take together. pattern/pattern.ts adds to it, and has the limit.
 */
export interface PatternWork {
  steps: number;
  /** The number of steps of the slowest match, and the name of its variable. */
  maxSteps: number;
  slowestVariable: string;
}

/** The variable whose value is matched, and the count to which the match adds its steps. */
export interface PatternUse {
  /** The name of the variable. */
  readonly name: string;
  readonly work: PatternWork;
}

/** The condition that a variable is set. With `equals`, it must also have one of these values. */
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
 * The kind of a group. With `one-of`, at least one variable must be set, and the program uses the first of them. With
 * `exactly-one`, no other variable may be set.
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

/** A part, with a title, of a report about the contract, such as the table of `sophia-run check`. */
export interface Section {
  readonly title: string;
  readonly lines: readonly SectionLine[];
}

export type SectionLine =
  | { readonly kind: "variable"; readonly name: string; readonly label: string }
  | { readonly kind: "group"; readonly group: string; readonly label: string; readonly names: readonly string[] };

/** A rule about which variables must be set, and that is not met. */
export type RuleViolation =
  | { readonly kind: "missing"; readonly rule: Extract<Rule, { kind: "required" }>; readonly name: string }
  | ({ readonly kind: "missing-when"; readonly rule: ConditionalRule } & Pick<ConditionalRule, "name" | "when">)
  | { readonly kind: "none-set"; readonly rule: GroupRule }
  | { readonly kind: "several-set"; readonly rule: GroupRule; readonly set: readonly string[] }
  | {
      readonly kind: "some-missing";
      readonly rule: GroupRule;
      readonly set: readonly string[];
      readonly missing: readonly string[];
    };

/** A wrong value. It is a violation even if no rule requires the variable. */
export type ValueViolation =
  | { readonly kind: "malformed"; readonly name: string; readonly fault: FormatFault }
  | { readonly kind: "placeholder"; readonly name: string }
  | { readonly kind: "reference"; readonly name: string; readonly form: ReferenceForm };

/**
 * A value that ESC refuses by a schema which was written for another contract, so that this contract does not explain
 * why.
 */
interface RefusedValue {
  readonly kind: "refused";
  readonly name: string;
}

/**
 * The project has no contract, and the user does not seem to want the built-in one. There are no other violations then.
 */
interface AbsentContract {
  readonly kind: "no-contract";
}

/** A violation that the check of a contract finds (check-contract.ts). */
export type CheckedViolation = RuleViolation | ValueViolation;

/** Any violation, including those that are found without a check of the contract. */
export type Violation = CheckedViolation | RefusedValue | AbsentContract;

/** The part of a format that a value does not meet. The fields are facts of the contract, never parts of the value. */
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
