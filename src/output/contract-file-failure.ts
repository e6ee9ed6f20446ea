/** Describes for the user why the file of a contract cannot be used. Loaded only for such a failure. */
import { CONTRACT_FILE_NAME } from "../contract/contract-model.ts";
import { ContractFileError, type LocatedFault, type ReadReason } from "../contract/file/contract-file-error.ts";
import { MAX_CONTRACT_BYTES, shortenPath } from "../contract/file/contract-text.ts";
import { unbroken } from "../core/lines.ts";
import type { Failure } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { count, printable } from "../core/text.ts";
import { describeDistrust } from "../system/distrust.ts";
import { describeEscape } from "../system/linked-file.ts";
import type { Distrust } from "../system/ownership.ts";

/**
 * Returns a failure with its message and remedy. A {@link ContractFileError} has only data, from which they are made here. Any
 * other failure is returned as it is.
 */
export function describeContractFileError(failure: Failure): Failure {
  if (!(failure instanceof ContractFileError)) return failure;
  const { code, file, cwd, problem } = failure;
  const shown = (path: string): string => shortenPath(path, cwd);
  const name = shown(file);
  switch (problem.kind) {
    case "faults":
      return { code, ...describeFaults(problem.faults, name) };
    case "not-utf8":
      return { code, message: `the contract ${printable(name)} is not UTF-8`, hint: "save it as UTF-8" };
    case "distrusted":
      return {
        code,
        ...describeDistrustedContract(problem.distrust, name, shortenExtendingPath(problem.reason, shown)),
      };
    case "escaping-link": {
      const option = unbroken(`--contract ${shellWord(shown(problem.firstContract))}`);
      const hint = `if you trust what it leads to, name the contract: ${option} (SOPHIA_CONTRACT)`;
      return { code, message: describeEscape(name, problem.escape), hint };
    }
    case "unreadable": {
      const what = describeUnreadable(problem.errorCode, problem.reason);
      const hint = describeReadingRemedy(problem.reason, shortenExtendingPath(problem.reason, shown));
      return { code, message: `the contract ${printable(name)} ${what}`, hint };
    }
  }
}

/** A message with its remedy. */
type FailureText = Omit<Failure, "code">;

/** The limit on the faults that a message lists. */
const MAX_SHOWN_FAULTS = 20;

/** Describes the faults in a contract's text. A single one is the message; several are listed below it. */
function describeFaults(faults: readonly LocatedFault[], name: string): FailureText {
  const [first, ...otherFaults] = faults
    .slice(0, MAX_SHOWN_FAULTS)
    .map(({ line, column, problem, allowed }) => [
      printable(`${name}:${line}:${column}: ${problem}`),
      printable(`allowed: ${allowed}`),
    ]);
  const [message = "", hint = ""] = first ?? [];
  if (otherFaults.length === 0) return { message, hint };
  const details = [first, ...otherFaults].map((texts = []) => texts.join("; "));
  if (faults.length > MAX_SHOWN_FAULTS) details.push(`and ${faults.length - MAX_SHOWN_FAULTS} more`);
  return {
    message: `the contract ${printable(name)} has ${count(faults.length, "error")}`,
    hint: "fix them from the top",
    details,
  };
}

/** Returns the path of the contract that extends the file, as messages show it; undefined if no contract does. */
function shortenExtendingPath({ extendedBy }: ReadReason, shown: (path: string) => string): string | undefined {
  return extendedBy === undefined ? undefined : shown(extendedBy);
}

/** Describes why a found contract is not trusted, and how the user can name it. */
function describeDistrustedContract(distrust: Distrust, name: string, extending: string | undefined): FailureText {
  const { reason, remedy } = describeDistrust(distrust, name);
  const subject = extending === undefined ? name : `${name}, which ${extending} extends,`;
  const contractToName =
    extending === undefined ? `it with --contract ${shellWord(name)}` : "the first with --contract";
  return {
    message: `the contract ${printable(subject)} is not trusted: ${reason}`,
    hint: `${remedy === undefined ? "" : `${remedy}; or, `}if you trust it, name ${contractToName} (SOPHIA_CONTRACT)`,
  };
}

/** Describes the error codes of the system and of this project's readers, as the end of a sentence. */
const UNREADABLE_WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["NOT_REGULAR", "is not a regular file"],
  ["TOO_LARGE", `is larger than ${MAX_CONTRACT_BYTES / 1024 / 1024} MiB`],
  ["NO_END", "is a pipe that did not end within 5 s"],
  ["REPLACED", "is replaced by another process again and again"],
  ["ELOOP", "is a loop of symbolic links"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function describeUnreadable(errorCode: string | undefined, { isFound, extendedBy }: ReadReason): string {
  // The search has found an entry of this name. If it does not lead to a file, it is a symbolic link.
  const wasSearchedFor = isFound && extendedBy === undefined;
  if (wasSearchedFor && errorCode === "ENOENT") return "is a symbolic link to a missing file";
  return UNREADABLE_WORDS.get(errorCode ?? "") ?? `cannot be read (${printable(errorCode ?? "unknown error")})`;
}

function describeReadingRemedy({ isFound }: ReadReason, extending: string | undefined): string {
  if (extending !== undefined) return `fix the file, or correct "extends" in ${printable(extending)}`;
  return isFound
    ? "fix the file, or name another contract with --contract or SOPHIA_CONTRACT"
    : `name a contract with --contract or SOPHIA_CONTRACT; without both, ${CONTRACT_FILE_NAME} or the built-in contract is used`;
}
