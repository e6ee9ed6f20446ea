/** The variables in which a program may get the address of the broker; pure. */
import { mayRunCode } from "../../core/code-variables.ts";
import { mayDecideNetwork } from "../../core/network-variables.ts";
import { MARKED_VARIABLES } from "../../esc/settings/from-files.ts";

const NOT_FOR_ADDRESSES: ReadonlySet<string> = new Set(MARKED_VARIABLES.map((name) => name.toUpperCase()));

/** Returns the reason why a variable must not get an address, to follow its name. Case does not matter, as on Windows. */
export function baseNameFault(name: string): string | undefined {
  const upper = name.toUpperCase();
  if (upper === "PATH") return "decides which programs run";
  if (mayRunCode(name) || mayRunCode(upper)) return "makes other programs run code";
  if (mayDecideNetwork(name) || NOT_FOR_ADDRESSES.has(upper))
    return "decides how programs connect, and whom they trust";
  if (/^(?:ESC|SOPHIA|PULUMI)_/.test(upper)) return "is a setting of sophia-run or Pulumi";
  return undefined;
}
