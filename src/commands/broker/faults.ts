import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import type { KeyFault } from "./keys.ts";

/** Returns the error (125) for keys that cannot be brokered: nothing starts, since the program would get the real ones. */
export function brokerRefusal([first, ...others]: readonly [KeyFault, ...KeyFault[]]): SophiaError {
  const { code, problem, remedy } = wordsOf(first);
  return new SophiaError({
    code,
    message: `--broker: ${problem}`,
    hint: remedy,
    details: others.map((one) => {
      const more = wordsOf(one);
      return `${more.problem}; ${more.remedy}`;
    }),
  });
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
