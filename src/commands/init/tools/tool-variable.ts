/**
 * The types that the parsers of other tools' files share. env-schema.ts and secretspec.ts describe each variable of a
 * file as a `ToolVariable`, and `createCandidate` turns it into a candidate for the new contract of `init`. It omits what
 * a contract must not contain: values that look like secrets, and values that do not fit the format.
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
  /**
   * The value that `createCandidate` may copy into the contract as the default. A parser that reads real values of
   * secrets must leave it undefined for secrets: `createCandidate` does not check `secret` before it copies the value.
   */
  readonly value?: string | undefined;
  /** False if the file says that the variable is public. */
  readonly secret: boolean;
  readonly example?: string | undefined;
  /** The address of a document about the variable, as the file has it. It may be malformed. */
  readonly docs?: string | undefined;
  readonly format?: ToolFormat | undefined;
}

/** A format that another tool's file states, in both forms that a contract has for it. */
export interface ToolFormat {
  /** The format as the text of a contract has it, such as `"port"`. It becomes the format of the candidate. */
  readonly entry: FormatEntry;
  /** The same format as a compiled contract has it, such as `{ kind: "port" }`. The values in the file are checked by it. */
  readonly compiled: ValueFormat;
}

/** Matches the addresses of documents that a contract may contain. The schema of contracts has the same pattern. */
const DOCUMENT_ADDRESS = /^https?:\/\/[^\s<>"]+$/;

/**
 * Returns the candidate for a variable.
 *
 * - The value becomes the default if it fits the format, and neither it nor the name of the variable looks like a
 *   secret. A variable with a default is not required.
 * - The example is omitted if it does not fit the format, or if it or the name of the variable looks like a secret.
 * - `docs` is omitted if it is not an address that a contract may contain.
 *
 * The user gets no remark about what is omitted.
 */
export function createCandidate(variable: ToolVariable): Candidate {
  const { name, description, required, value, secret, example, docs, format } = variable;
  // A variable without a format admits every text.
  const fitsFormat = (text: string): boolean =>
    format === undefined || findFormatFault(format.compiled, text, name, createPatternWork()) === undefined;
  const canBeCopied = (text: string): boolean => fitsFormat(text) && !looksSecret(name, text);
  const isUsedAsDefault = value !== undefined && value !== "" && canBeCopied(value);
  return {
    name,
    description: description === "" ? undefined : description,
    required: required && !isUsedAsDefault,
    secret,
    example: example !== undefined && canBeCopied(example) ? example : undefined,
    docs: docs !== undefined && DOCUMENT_ADDRESS.test(docs) ? docs : undefined,
    default: isUsedAsDefault ? value : undefined,
    format: format?.entry,
  };
}
