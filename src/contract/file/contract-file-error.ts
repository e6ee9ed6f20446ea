/** The error of a contract file, as data. `output/contract-file-failure.ts` puts it into words. */
import { SophiaError } from "../../core/error.ts";
import type { FailureCode } from "../../core/failure-codes.ts";
import { printable } from "../../core/text.ts";
import type { LinkEscape } from "../../system/linked-file.ts";
import type { Distrust } from "../../system/ownership.ts";

/** The reason to read a file: the user named the first contract, or it was found; others are extended by a contract. */
export interface Reason {
  readonly isFound: boolean;
  /** The path of the contract that extends this one. */
  readonly extendedBy?: string;
  /** The path of the first contract, of whose repository a found contract and those that it extends must be. */
  readonly first?: string;
}

/** One error in the text of a contract, in the words of the rule that is broken. */
export interface LocatedFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
  readonly problem: string;
  readonly allowed: string;
}

export type ContractProblem =
  /** In the order of their positions, at least one. */
  | { readonly kind: "faults"; readonly faults: readonly LocatedFault[] }
  | { readonly kind: "not-utf8" }
  | { readonly kind: "distrusted"; readonly distrust: Distrust; readonly reason: Reason }
  | { readonly kind: "escaping-link"; readonly escape: LinkEscape; readonly first: string }
  /** @see systemErrorCode */
  | { readonly kind: "unreadable"; readonly errorCode: string | undefined; readonly reason: Reason };

const CODES = {
  faults: "contract-invalid",
  "not-utf8": "contract-invalid",
  distrusted: "contract-distrusted",
  "escaping-link": "link-outside",
  unreadable: "contract-unreadable",
} as const satisfies Readonly<Record<ContractProblem["kind"], FailureCode>>;

export type ContractFileCode = (typeof CODES)[ContractProblem["kind"]];

/** A contract file that cannot be used. Its message is only for a run that cannot load the words. */
export class ContractFileError extends SophiaError {
  /** Absolute. */
  readonly file: string;
  /** The working directory: messages show paths below it as relative ones. */
  readonly cwd: string;
  readonly problem: ContractProblem;

  constructor(file: string, cwd: string, problem: ContractProblem) {
    const reason = problem.kind === "unreadable" ? ` (${problem.errorCode})` : "";
    super({ code: CODES[problem.kind], message: `the contract ${printable(file)} cannot be used${reason}` });
    this.file = file;
    this.cwd = cwd;
    this.problem = problem;
  }
}
