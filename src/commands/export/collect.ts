import type { Assessment } from "../../resolve/assessment.ts";
import { isDeclared } from "../../contract/check.ts";
import type { Contract } from "../../contract/model.ts";
import { FROM_FILES } from "../../esc/settings/from-files.ts";
import type { Resolved } from "../../core/model.ts";
import type { Exported } from "./format.ts";

/** Collects the variables that sophia-run adds or that are declared: the contract's first, in its order. */
export function collect({ contract, selected }: Assessment): {
  readonly variables: readonly Exported[];
  readonly files: readonly string[];
} {
  const others = [...selected.keys()].filter((name) => !contract.variables.has(name)).toSorted();
  const variables: Exported[] = [];
  const files: string[] = [];
  for (const name of [...contract.variables.keys(), ...others]) {
    const resolved = selected.get(name);
    if (resolved === undefined) continue;
    const isTheirs = resolved.origin.source === "environment" && name !== FROM_FILES;
    if (isTheirs && !isDeclared(contract, name)) continue;
    if (resolved.delivery === "file") files.push(name);
    else variables.push({ name, value: resolved.value, secret: isSecret(contract, resolved) });
  }
  return { variables, files };
}

/** By ESC and the contract; in a file all is secret that the contract does not declare to be none. */
function isSecret({ aliases, variables }: Contract, { name, secret, origin }: Resolved): boolean {
  if (origin.source === "fake") return false;
  const declared = variables.get(aliases.get(name) ?? name);
  if (declared === undefined) return secret;
  return declared.secret || (origin.source === "esc" && secret);
}
