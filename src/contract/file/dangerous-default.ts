/**
 * Decides which defaults a contract must not have, because they make programs run code or redirect their connections.
 * It is imported only for a contract with a default that a cheap test suspects (trust/suspects.ts).
 */
import { runsCode } from "../../trust/code-values.ts";
import { decidesNetwork } from "../../trust/network-variables.ts";

/**
 * Returns why a contract must not have this default, as the end of a sentence about the default; undefined if it may.
 */
export function findDefaultDanger(name: string, value: string): string | undefined {
  if (/^path$/i.test(name)) return "would decide which programs run";
  if (runsCode(name, value)) return "would make other programs run code";
  return decidesNetwork(name, value) ? "would decide how programs connect, and whom they trust" : undefined;
}
