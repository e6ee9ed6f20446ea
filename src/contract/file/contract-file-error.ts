/**
 * The error that is thrown for a contract file that cannot be used. It holds the facts as data. For each such error,
 * output/contract-file-failure.ts is imported, which writes the message for the user.
 */
import { SophiaError } from "../../core/error.ts";
import type { FailureCode } from "../../core/failure-codes.ts";
import { printable } from "../../core/text.ts";
import type { LinkEscape } from "../../system/linked-file.ts";
import type { Distrust } from "../../system/ownership.ts";

/**
 * The reason why a contract file is read. Either it is the first contract, which the user named or sophia-run found; or
 * another contract extends it.
 */
export interface ReadReason {
  /** True if sophia-run found the first contract, false if the user named it. */
  readonly isFound: boolean;
  /** The path of the contract that extends this file; absent for the first contract. */
  readonly extendedBy?: string;
  /** The path of the first contract. If sophia-run found it, the files that it extends must be in its repository. */
  readonly firstContract?: string;
}

/** One error in the text of a contract, with its position. */
export interface LocatedFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
  readonly problem: string;
  /** The text that the user may write instead. */
  readonly allowed: string;
}

/** The reason why a contract file cannot be used. */
export type ContractProblem =
  /** The text has errors: at least one, in the order of their positions. */
  | { readonly kind: "faults"; readonly faults: readonly LocatedFault[] }
  | { readonly kind: "not-utf8" }
  | { readonly kind: "distrusted"; readonly distrust: Distrust; readonly reason: ReadReason }
  | { readonly kind: "escaping-link"; readonly escape: LinkEscape; readonly firstContract: string }
  /** `errorCode` is one of Node.js, such as `ENOENT`. */
  | { readonly kind: "unreadable"; readonly errorCode: string | undefined; readonly reason: ReadReason };

const CODE_BY_KIND = {
  faults: "contract-invalid",
  "not-utf8": "contract-invalid",
  distrusted: "contract-distrusted",
  "escaping-link": "link-outside",
  unreadable: "contract-unreadable",
} as const satisfies Readonly<Record<ContractProblem["kind"], FailureCode>>;

export type ContractFileCode = (typeof CODE_BY_KIND)[ContractProblem["kind"]];

/** Its `message` is short. The user sees it only if the code that writes the full message cannot be imported. */
export class ContractFileError extends SophiaError {
  /** The absolute path of the file. */
  readonly file: string;
  /** The working directory. Messages show paths below it as relative paths. */
  readonly cwd: string;
  readonly problem: ContractProblem;

  constructor(file: string, cwd: string, problem: ContractProblem) {
    const reason = problem.kind === "unreadable" ? ` (${problem.errorCode})` : "";
    super({ code: CODE_BY_KIND[problem.kind], message: `the contract ${printable(file)} cannot be used${reason}` });
    this.file = file;
    this.cwd = cwd;
    this.problem = problem;
  }
}
