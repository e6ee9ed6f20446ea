/** The requests that test the values of a contract. Loaded only for `check --live`. */
import { builtInText } from "./generated/built-in-text.ts";
import { parseContract } from "./file/read.ts";
import type { ProbeEntry } from "./generated/document.ts";
import type { Contract } from "./model.ts";

export interface Probe {
  readonly name: string;
  readonly probe: ProbeEntry;
  readonly isBuiltIn: boolean;
}

/** Returns the probes of a contract, and whether each is the same as in the built-in contract. */
export function probesOf(contract: Contract): readonly Probe[] {
  const builtIn = new Map(
    Object.entries(parseContract(builtInText)?.variables ?? {}).flatMap(([name, { probe }]) =>
      probe === undefined ? [] : [[name, probe] as const],
    ),
  );
  return Array.from(contract.variables.values()).flatMap((declaration): readonly Probe[] => {
    const { name } = declaration;
    const own = builtIn.get(name);
    const probe = contract.source.kind === "built-in" ? own : declaration.probe;
    if (probe === undefined) return [];
    return [{ name, probe, isBuiltIn: JSON.stringify(probe) === JSON.stringify(own) }];
  });
}
