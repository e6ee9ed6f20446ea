/** The defaults that a contract must not have. Loaded only if a name suggests one. */
import { runsCode } from "../../trust/code-values.ts";
import { decidesNetwork } from "../../trust/network-variables.ts";

/** Returns the reason why no contract sets this default, to follow its name. */
export function defaultFault(name: string, value: string): string | undefined {
  if (/^path$/i.test(name)) return "would decide which programs run";
  if (runsCode(name, value)) return "would make other programs run code";
  return decidesNetwork(name, value) ? "would decide how programs connect, and whom they trust" : undefined;
}
