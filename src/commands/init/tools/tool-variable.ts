/**
 * The types that the parsers of other tools' files share, and the function that makes candidates of their variables for
 * `init`.
 */
import { findFormatFault, createPatternWork } from "../../../contract/format.ts";
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { looksSecret } from "../../../contract/looks-secret.ts";
import type { ValueFormat } from "../../../contract/contract-model.ts";
import type { Candidate, SourceResult } from "../variable-candidates.ts";

/** The variables and remarks of one file. A remark that begins with two spaces is a command. */
export type ToolResult = Pick<SourceResult, "candidates" | "remarks">;

/** A variable as another tool's file describes it. */
export interface ToolVariable {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required: boolean;
  /** The value in the file. It is not copied into the contract if it may be a secret. */
  readonly value?: string | undefined;
  /** False if the file says that the variable is public. */
  readonly secret: boolean;
  readonly example?: string | undefined;
  readonly docs?: string | undefined;
  readonly format?: ToolFormat | undefined;
}

/** A format of values. */
export interface ToolFormat {
  /** The format as a contract writes it. */
  readonly entry: FormatEntry;
  /** The same format in the form that a compiled contract has. */
  readonly checked: ValueFormat;
}

/**
 * Returns the candidate for a variable. Its value becomes the default, unless the value may be a secret. A variable with a
 * default is not required.
 */
export function createCandidate({ name, value, secret, format, docs, ...rest }: ToolVariable): Candidate {
  const hasFormat = (text: string): boolean =>
    format === undefined || findFormatFault(format.checked, text, name, createPatternWork()) === undefined;
  const isUsedAsDefault = value !== undefined && value !== "" && hasFormat(value) && !looksSecret(name, value);
  const example = rest.example !== undefined && hasFormat(rest.example) ? rest.example : undefined;
  return {
    name,
    description: rest.description === "" ? undefined : rest.description,
    required: rest.required && !isUsedAsDefault,
    secret,
    example: example !== undefined && looksSecret(name, example) ? undefined : example,
    docs: docs !== undefined && /^https?:\/\/[^\s<>"]+$/.test(docs) ? docs : undefined,
    default: isUsedAsDefault ? value : undefined,
    format: format?.entry,
  };
}
