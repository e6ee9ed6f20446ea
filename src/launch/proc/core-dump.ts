import { readFileSync, writeFileSync } from "node:fs";
import type { Addon } from "../../../native/system.ts";
import { CORE_FILTER } from "../../../native/shared.ts";

/** Excludes this process's memory, which holds secrets, from its core dumps (Linux; core(5)). @returns the undo */
export function excludeFromCoreDumps(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  const exchange = addon === undefined ? exchangeFilter : addon.exchangeCoreFilter;
  const former = exchange(0);
  return former === -1 ? () => {} : () => void exchange(former);
}

/** As the addon's `exchangeCoreFilter`. The kernel does not dump a process that may not write the file. */
function exchangeFilter(filter: number): number {
  try {
    const former = Number.parseInt(readFileSync(CORE_FILTER, "utf8"), 16);
    writeFileSync(CORE_FILTER, String(filter));
    return former;
  } catch {
    return -1;
  }
}
