import { formatFault, noWork } from "../../../contract/format.ts";
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { looksSecret } from "../../../contract/looks-secret.ts";
import type { ValueFormat } from "../../../contract/contract-model.ts";
import type { Candidate, SourceResult } from "../variable-candidates.ts";

/** The part of a result that one file gives. A remark that begins with two spaces is a command. */
export type ToolResult = Pick<SourceResult, "candidates" | "remarks">;

/** A variable as another tool's file describes it. */
export interface ToolVariable {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required: boolean;
  /** A value that the file has; if a secret may be one, it is not copied. */
  readonly value?: string | undefined;
  /** False if the file says that the variable is public. */
  readonly secret: boolean;
  readonly example?: string | undefined;
  readonly docs?: string | undefined;
  readonly format?: ToolFormat | undefined;
}

/** A format as a contract writes it, and as the check of values needs it. */
export interface ToolFormat {
  readonly entry: FormatEntry;
  readonly checked: ValueFormat;
}

/** A value of the file becomes the default, unless it may be a secret. A variable with a default is not required. */
export function candidateOf({ name, value, secret, format, docs, ...rest }: ToolVariable): Candidate {
  const isFitting = (text: string): boolean =>
    format === undefined || formatFault(format.checked, text, name, noWork()) === undefined;
  const isDefault = value !== undefined && value !== "" && isFitting(value) && !looksSecret(name, value);
  const example = rest.example !== undefined && isFitting(rest.example) ? rest.example : undefined;
  return {
    name,
    description: rest.description === "" ? undefined : rest.description,
    required: rest.required && !isDefault,
    secret,
    example: example !== undefined && looksSecret(name, example) ? undefined : example,
    docs: docs !== undefined && /^https?:\/\/[^\s<>"]+$/.test(docs) ? docs : undefined,
    default: isDefault ? value : undefined,
    format: format?.entry,
  };
}
