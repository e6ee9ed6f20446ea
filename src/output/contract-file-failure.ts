/** Words for a contract file that cannot be used. Loaded only for one. */
import { CONTRACT_FILE_NAME } from "../contract/contract-model.ts";
import { ContractFileError, type LocatedFault, type Reason } from "../contract/file/contract-file-error.ts";
import { MAX_BYTES, shownPath } from "../contract/file/contract-text.ts";
import { unbroken } from "../core/lines.ts";
import type { Failure } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { count, printable } from "../core/text.ts";
import { describeDistrust } from "../system/distrust.ts";
import { describeEscape } from "../system/linked-file.ts";
import type { Distrust } from "../system/ownership.ts";

/** Returns the failure in words; one that is no {@link ContractFileError} has its words already. */
export function wordContractFile(failure: Failure): Failure {
  if (!(failure instanceof ContractFileError)) return failure;
  const { code, file, cwd, problem } = failure;
  const shown = (path: string): string => shownPath(path, cwd);
  const name = shown(file);
  switch (problem.kind) {
    case "faults":
      return { code, ...wordFaults(problem.faults, name) };
    case "not-utf8":
      return { code, message: `the contract ${printable(name)} is not UTF-8`, hint: "save it as UTF-8" };
    case "distrusted":
      return { code, ...wordDistrust(problem.distrust, name, extendingIn(problem.reason, shown)) };
    case "escaping-link": {
      const option = unbroken(`--contract ${shellWord(shown(problem.first))}`);
      const hint = `if you trust what it leads to, name the contract: ${option} (SOPHIA_CONTRACT)`;
      return { code, message: describeEscape(name, problem.escape), hint };
    }
    case "unreadable": {
      const what = wordUnreadable(problem.errorCode, problem.reason);
      const hint = readableHint(problem.reason, extendingIn(problem.reason, shown));
      return { code, message: `the contract ${printable(name)} ${what}`, hint };
    }
  }
}

type Words = Omit<Failure, "code">;

const MOST_SHOWN = 20;

function wordFaults(faults: readonly LocatedFault[], name: string): Words {
  const [first, ...others] = faults
    .slice(0, MOST_SHOWN)
    .map(({ line, column, problem, allowed }) => [
      printable(`${name}:${line}:${column}: ${problem}`),
      printable(`allowed: ${allowed}`),
    ]);
  const [message = "", hint = ""] = first ?? [];
  if (others.length === 0) return { message, hint };
  const details = [first, ...others].map((words = []) => words.join("; "));
  if (faults.length > MOST_SHOWN) details.push(`and ${faults.length - MOST_SHOWN} more`);
  return {
    message: `the contract ${printable(name)} has ${count(faults.length, "error")}`,
    hint: "fix them from the top",
    details,
  };
}

/** Returns the contract that extends the file, as messages show it. */
function extendingIn({ extendedBy }: Reason, shown: (path: string) => string): string | undefined {
  return extendedBy === undefined ? undefined : shown(extendedBy);
}

function wordDistrust(distrust: Distrust, name: string, extending: string | undefined): Words {
  const { what, fix } = describeDistrust(distrust, name);
  const subject = extending === undefined ? name : `${name}, which ${extending} extends,`;
  const naming = extending === undefined ? `it with --contract ${shellWord(name)}` : "the first with --contract";
  return {
    message: `the contract ${printable(subject)} is not trusted: ${what}`,
    hint: `${fix === undefined ? "" : `${fix}; or, `}if you trust it, name ${naming} (SOPHIA_CONTRACT)`,
  };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["NOT_REGULAR", "is not a regular file"],
  ["TOO_LARGE", `is larger than ${MAX_BYTES / 1024 / 1024} MiB`],
  ["NO_END", "is a pipe that did not end within 5 s"],
  ["REPLACED", "is replaced by another process again and again"],
  ["ELOOP", "is a loop of symbolic links"],
  ["EACCES", "cannot be read: permission denied"],
  ["EPERM", "cannot be read: permission denied"],
]);

function wordUnreadable(errorCode: string | undefined, { isFound, extendedBy }: Reason): string {
  // The search found an entry: it is a symbolic link.
  const isSearched = isFound && extendedBy === undefined;
  if (isSearched && errorCode === "ENOENT") return "is a symbolic link to a missing file";
  return WORDS.get(errorCode ?? "") ?? `cannot be read (${printable(errorCode ?? "unknown error")})`;
}

function readableHint({ isFound }: Reason, extending: string | undefined): string {
  if (extending !== undefined) return `fix the file, or correct "extends" in ${printable(extending)}`;
  return isFound
    ? "fix the file, or name another contract with --contract or SOPHIA_CONTRACT"
    : `name a contract with --contract or SOPHIA_CONTRACT; without both, ${CONTRACT_FILE_NAME} or the built-in contract is used`;
}
