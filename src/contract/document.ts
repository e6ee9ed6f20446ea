/** The contract file's shape. */

export interface ContractDocument {
  readonly $schema?: string;
  readonly variables: Readonly<Record<string, VariableEntry>>;
  readonly groups?: Readonly<Record<string, GroupEntry>>;
  readonly sections?: readonly SectionEntry[];
  readonly profiles?: Readonly<Record<string, ProfileEntry>>;
}

export interface VariableEntry {
  readonly label?: string;
  readonly description?: string;
  readonly required?: boolean | { readonly when: string; readonly equals?: string | readonly string[] };
  readonly secret?: boolean;
  readonly example?: string;
  readonly docs?: string;
  readonly default?: string;
  readonly aliases?: readonly (string | { readonly name: string; readonly deprecated?: boolean })[];
  readonly deprecated?: string;
  readonly format?: FormatEntry;
  readonly rotateEvery?: string;
}

export type FormatEntry =
  | "integer"
  | "number"
  | "url"
  | "boolean"
  | "port"
  | "json"
  | "base64"
  | "email"
  | {
      readonly type: "text";
      readonly prefix?: string | readonly string[];
      readonly minLength?: number;
      readonly pattern?: string;
    }
  | { readonly type: "url"; readonly schemes?: readonly string[] }
  | { readonly type: "integer" | "number"; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: "enum"; readonly values: readonly string[] };

export interface GroupEntry {
  readonly label?: string;
  readonly rule: "one-of" | "exactly-one" | "at-least-one" | "all-or-none" | "optional";
  readonly variables: readonly string[];
}

export interface SectionEntry {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface ProfileEntry {
  readonly extends?: string | readonly string[];
  readonly variables?: Readonly<Record<string, VariableEntry>>;
  readonly groups?: Readonly<Record<string, Partial<GroupEntry>>>;
}
