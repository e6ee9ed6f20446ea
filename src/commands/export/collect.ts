import type { Assessment } from "../../resolve/assessment.ts";
import { declarationOf, isDeclared } from "../../contract/check.ts";
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
    const isOfCaller = resolved.origin.source === "environment" && name !== FROM_FILES;
    if (isOfCaller && !isDeclared(contract, name)) continue;
    if (resolved.delivery === "file") files.push(name);
    else variables.push({ name, value: resolved.value, secret: isSecret(contract, resolved) });
  }
  return { variables, files };
}

/** Returns true for a secret of the contract or of ESC, and for all variables of files but those declared public. */
function isSecret(contract: Contract, { name, secret, origin }: Resolved): boolean {
  if (origin.source === "fake") return false;
  const declared = declarationOf(contract, name);
  if (declared === undefined) return secret;
  return declared.secret || (origin.source === "esc" && secret);
}
