/**
 * The error of a contract file, as data: output/contract-file-failure.ts, loaded only for an error, makes the message of
 * it.
 */
import { SophiaError } from "../../core/error.ts";
import type { FailureCode } from "../../core/failure-codes.ts";
import { printable } from "../../core/text.ts";
import type { LinkEscape } from "../../system/linked-file.ts";
import type { Distrust } from "../../system/ownership.ts";

/**
 * The reason to read a file: it is the first contract, which the user named or sophia-run found, or another contract
 * extends it.
 */
export interface Reason {
  /** True if sophia-run found the first contract, false if the user named it. */
  readonly isFound: boolean;
  /** The path of the contract that extends this file; absent for the first contract. */
  readonly extendedBy?: string;
  /** The path of the first contract. If that was found, the files that it extends must be in its repository. */
  readonly first?: string;
}

/** One error in the text of a contract: the rule that is broken, and what is allowed instead. */
export interface LocatedFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
  readonly problem: string;
  readonly allowed: string;
}

/** The reason why a contract file cannot be used. */
export type ContractProblem =
  /** At least one error, in the order of the positions. */
  | { readonly kind: "faults"; readonly faults: readonly LocatedFault[] }
  | { readonly kind: "not-utf8" }
  | { readonly kind: "distrusted"; readonly distrust: Distrust; readonly reason: Reason }
  | { readonly kind: "escaping-link"; readonly escape: LinkEscape; readonly first: string }
  /** The error code is that of Node.js, such as `ENOENT`, as {@link systemErrorCode} returns it. */
  | { readonly kind: "unreadable"; readonly errorCode: string | undefined; readonly reason: Reason };

const CODES = {
  faults: "contract-invalid",
  "not-utf8": "contract-invalid",
  distrusted: "contract-distrusted",
  "escaping-link": "link-outside",
  unreadable: "contract-unreadable",
} as const satisfies Readonly<Record<ContractProblem["kind"], FailureCode>>;

export type ContractFileCode = (typeof CODES)[ContractProblem["kind"]];

/**
 * Thrown for a contract file that cannot be used. The user sees its own message only if the code of the messages cannot be
 * loaded.
 */
export class ContractFileError extends SophiaError {
  /** The absolute path of the file. */
  readonly file: string;
  /** The working directory. Messages show paths below it as relative paths. */
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
