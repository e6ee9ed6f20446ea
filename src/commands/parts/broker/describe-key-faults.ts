/**
 * Describes to the user why the broker cannot hold an API key, or why the program would get a key in plain text, and what the user
 * can do about it. `run --broker` refuses to start with these texts, and `check --broker` reports them. They contain names and
 * addresses, but no value of a key.
 */
import type { ContractSource } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import { groupBy } from "../../../core/group-by.ts";
import { shellWord } from "../../../core/shell.ts";
import { enumerate, printable } from "../../../core/text.ts";
import type { ExposedKey, ExposureReason } from "./exposed-keys.ts";
import type { BrokerPlan, KeyFault } from "./brokered-keys.ts";

/**
 * Returns the error (125) with which `run --broker` refuses to start. It names all keys that the broker cannot hold, and all keys
 * that the program would get in plain text. Returns undefined if there are no such keys.
 *
 * @param source the source of the contract, which the remedy names
 */
export function createBrokerError(
  { faults, exposedKeys }: Pick<BrokerPlan, "faults" | "exposedKeys">,
  source: ContractSource,
): SophiaError | undefined {
  const descriptions = faults.map(describeKeyFault);
  const faultLines = descriptions.map(({ problem, remedy }) => `${problem}; ${remedy}`);
  if (exposedKeys.length > 0) {
    const [names, ...reasonLines] = describeExposedKeys(exposedKeys);
    return new SophiaError({
      code: "broker-clear",
      message: `--broker: the program would get the value of ${names}`,
      details: [...reasonLines, ...describeRemedies(exposedKeys, source), ...faultLines],
    });
  }
  const [firstFault] = descriptions;
  if (firstFault === undefined) return undefined;
  const { code, problem, remedy } = firstFault;
  return new SophiaError({ code, message: `--broker: ${problem}`, hint: remedy, details: faultLines.slice(1) });
}

type NamedExposure = Pick<ExposedKey, "name" | "why">;

/**
 * Returns the names of exposed keys, and the reasons. If all keys have the same reason, it follows the names in brackets. Otherwise
 * each reason has a further line with its names.
 */
export function describeExposedKeys(exposed: readonly NamedExposure[]): readonly [string, ...string[]] {
  const namesOf = (keys: readonly NamedExposure[]): string => enumerate(keys.map(({ name }) => printable(name)));
  const [firstGroup, ...otherGroups] = groupBy(exposed, ({ why }) => why);
  if (firstGroup === undefined) return [""];
  if (otherGroups.length === 0) return [`${namesOf(exposed)} (${EXPOSURE_REASONS[firstGroup[0]]})`];
  const reasonLines = [firstGroup, ...otherGroups].map(([why, keys]) => `${EXPOSURE_REASONS[why]}: ${namesOf(keys)}`);
  return [namesOf(exposed), ...reasonLines];
}

/** The reasons why the program would get a key, in the words of the messages. */
export const EXPOSURE_REASONS: Readonly<Record<ExposureReason, string>> = {
  undeclared: "not declared by the contract",
  contract: "left to the program by the contract",
  alias: "another name of a key",
  file: "passed as a file",
  excepted: "--broker-except",
};

/** Returns what the user can do about exposed keys: one line for each alternative. */
export function describeRemedies(exposed: readonly NamedExposure[], source: ContractSource): readonly string[] {
  const names = shellWord(exposed.map(({ name }) => name).join(","));
  const [pronoun, eachKey] = exposed.length === 1 ? ["it", "it"] : ["them", "each"];
  const file = source.kind === "file" ? printable(source.path) : "a contract (sophia-run init)";
  const canBeDeclared = exposed.some(({ why }) => why === "undeclared" || why === "contract");
  const exclude = `leave ${pronoun} out: --exclude ${names}`;
  const except = `or let the program have ${pronoun}: --broker-except ${names}`;
  if (!canBeDeclared) return [exclude, except];
  return [`have ${pronoun} brokered: declare ${eachKey} with "broker": true in ${file}`, `or ${exclude}`, except];
}

interface FaultDescription {
  readonly code: "broker" | "broker-untrusted";
  readonly problem: string;
  readonly remedy: string;
}

/** Returns why the broker cannot hold a key, and the remedy. The text may contain an address from a file, which is not a secret. */
export function describeKeyFault({ name: keyName, fault }: KeyFault): FaultDescription {
  const name = printable(keyName);
  const brokerFault = (problem: string, remedy: string): FaultDescription => ({ code: "broker", problem, remedy });
  const leaveOut = `leave it out with --exclude ${name}`;
  switch (fault.kind) {
    case "untrusted": {
      const file = printable(fault.path);
      const origin = printable(fault.origin);
      const inVariable = fault.variable === undefined ? "" : ` (${printable(fault.variable)})`;
      const reason = fault.isEsc ? "the key is of another source" : "the user did not name this file";
      return {
        code: "broker-untrusted",
        problem: `${file} would send ${name} to ${origin}${inVariable}, and ${reason}`,
        remedy: `if ${origin} may get ${name}, add --broker-to ${shellWord(origin)}`,
      };
    }
    case "untrusted-part":
      return {
        code: "broker-untrusted",
        problem: `${printable(fault.path)} changes the ${fault.part} of ${name}, and the user did not name this file`,
        remedy: `if it may decide how ${name} is sent, add --contract ${shellWord(fault.path)}`,
      };
    case "unset":
      return brokerFault(
        `${printable(fault.variable)}, the address for ${name}, is not set`,
        `set ${printable(fault.variable)}, or ${leaveOut}`,
      );
    case "no-upstream":
      return brokerFault(
        `no origin is known for ${name}`,
        `add "upstream" to its "broker" in the contract, or ${leaveOut}`,
      );
    case "no-header":
      return brokerFault(
        `no header is known for ${name}`,
        `add "headers" to its "broker" in the contract, or ${leaveOut}`,
      );
    case "insecure":
      return brokerFault(
        `${describeAddress(fault, name)} is plain http to another machine`,
        `use an address that begins with https://, or ${leaveOut}`,
      );
    case "no-address":
      return brokerFault(
        `${describeAddress(fault, name)} is not the address of a service`,
        `use https://host or https://host/path, without user name and query, or ${leaveOut}`,
      );
    case "no-github":
      return brokerFault(
        `${describeAddress(fault, name)} is not the address of GitHub's API`,
        `use https://api.github.com, or https://HOST/api/v3 of a GitHub Enterprise Server, or ${leaveOut}`,
      );
    case "no-room":
      return brokerFault(
        `the format of ${name} leaves no room for a dummy of 32 random characters`,
        `allow more characters in its format, or set "broker": false for ${name} there`,
      );
    case "unprintable":
      return brokerFault(
        `the value of ${name} has a character that a header cannot have, such as a line break or a space`,
        `set ${name} without it (a final line break is the usual case), or ${leaveOut}`,
      );
  }
}

/** @param fault.variable the variable with the address; undefined if the contract has the address */
function describeAddress({ variable }: { readonly variable: string | undefined }, name: string): string {
  return variable === undefined ? `the upstream of ${name}` : printable(variable);
}
