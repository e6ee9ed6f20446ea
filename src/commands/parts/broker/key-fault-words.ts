import type { ContractSource } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import { grouped } from "../../../core/grouped.ts";
import { shellWord } from "../../../core/shell.ts";
import { enumerate, printable } from "../../../core/text.ts";
import type { ExposedKey, Exposure } from "./exposed-keys.ts";
import type { BrokerPlan, KeyFault } from "./brokered-keys.ts";

/**
 * Returns the error (125) for keys that cannot be brokered, or that the program would get in clear: nothing starts. It names
 * all of them.
 *
 * @returns undefined if there are none
 */
export function brokerRefusal(
  { faults, exposed }: Pick<BrokerPlan, "faults" | "exposed">,
  source: ContractSource,
): SophiaError | undefined {
  const words = faults.map(wordsOf);
  const lines = words.map(({ problem, remedy }) => `${problem}; ${remedy}`);
  if (exposed.length > 0) {
    const [head, ...reasons] = exposedWords(exposed);
    const ways = waysOut(exposed, source);
    return new SophiaError({
      code: "broker-clear",
      message: `--broker: the program would get the value of ${head}`,
      details: [...reasons, ...ways, ...lines],
    });
  }
  const [first] = words;
  if (first === undefined) return undefined;
  const { code, problem, remedy } = first;
  return new SophiaError({ code, message: `--broker: ${problem}`, hint: remedy, details: lines.slice(1) });
}

type Exposed = Pick<ExposedKey, "name" | "why">;

/** Returns the names of the keys with their reason, or the names, and a line for each of several reasons. */
export function exposedWords(exposed: readonly Exposed[]): readonly [string, ...string[]] {
  const namesOf = (keys: readonly Exposed[]): string => enumerate(keys.map(({ name }) => printable(name)));
  const [[why, all] = [], ...others] = grouped(exposed, (one) => one.why);
  if (why === undefined || all === undefined) return [""];
  if (others.length === 0) return [`${namesOf(all)} (${EXPOSURES[why]})`];
  return [
    namesOf(exposed),
    ...[[why, all] as const, ...others].map(([reason, keys]) => `${EXPOSURES[reason]}: ${namesOf(keys)}`),
  ];
}

export const EXPOSURES: Readonly<Record<Exposure, string>> = {
  undeclared: "not declared by the contract",
  contract: "left to the program by the contract",
  alias: "another name of a key",
  file: "passed as a file",
  excepted: "--broker-except",
};

/** Returns what the user can do, a line for each way. */
export function waysOut(exposed: readonly Exposed[], source: ContractSource): readonly string[] {
  const names = shellWord(exposed.map(({ name }) => name).join(","));
  const isOne = exposed.length === 1;
  const file = source.kind === "file" ? printable(source.path) : "a contract (sophia-run init)";
  const canBeDeclared = exposed.some(({ why }) => why === "undeclared" || why === "contract");
  const pronoun = isOne ? "it" : "them";
  return [
    ...(canBeDeclared
      ? [`have ${pronoun} brokered: declare ${isOne ? "it" : "each"} with "broker": true in ${file}`]
      : []),
    `${canBeDeclared ? "or " : ""}leave ${pronoun} out: --exclude ${names}`,
    `or let the program have ${pronoun}: --broker-except ${names}`,
  ];
}

interface Words {
  readonly code: "broker" | "broker-untrusted";
  readonly problem: string;
  readonly remedy: string;
}

/** Returns the problem and the remedy, without a value. An address of a file is one, but no secret. */
export function wordsOf({ name: key, fault }: KeyFault): Words {
  const name = printable(key);
  const broker = (problem: string, remedy: string): Words => ({ code: "broker", problem, remedy });
  const leaveOut = `leave it out with --exclude ${name}`;
  switch (fault.kind) {
    case "untrusted": {
      const file = printable(fault.path);
      const origin = printable(fault.origin);
      const by = fault.variable === undefined ? "" : ` (${printable(fault.variable)})`;
      return {
        code: "broker-untrusted",
        problem: `${file} would send ${name} to ${origin}${by}, and the ${fault.isEsc ? "key is of another source" : "user did not name this file"}`,
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
      return broker(
        `${printable(fault.variable)}, the address for ${name}, is not set`,
        `set ${printable(fault.variable)}, or ${leaveOut}`,
      );
    case "no-upstream":
      return broker(`no origin is known for ${name}`, `add "upstream" to its "broker" in the contract, or ${leaveOut}`);
    case "no-header":
      return broker(`no header is known for ${name}`, `add "headers" to its "broker" in the contract, or ${leaveOut}`);
    case "insecure":
      return broker(
        `${addressOf(fault, name)} is plain http to another machine`,
        `use an address that begins with https://, or ${leaveOut}`,
      );
    case "no-address":
      return broker(
        `${addressOf(fault, name)} is not the address of a service`,
        `use https://host or https://host/path, without user name and query, or ${leaveOut}`,
      );
    case "no-github":
      return broker(
        `${addressOf(fault, name)} is not the address of GitHub's API`,
        `use https://api.github.com, or https://HOST/api/v3 of a GitHub Enterprise Server, or ${leaveOut}`,
      );
    case "no-room":
      return broker(
        `the format of ${name} leaves no room for a dummy of 32 random characters`,
        `allow more characters in its format, or set "broker": false for ${name} there`,
      );
    case "unprintable":
      return broker(
        `the value of ${name} has a character that a header cannot have, such as a line break or a space`,
        `set ${name} without it (a final line break is the usual case), or ${leaveOut}`,
      );
  }
}

function addressOf({ variable }: { readonly variable: string | undefined }, name: string): string {
  return variable === undefined ? `the upstream of ${name}` : printable(variable);
}
