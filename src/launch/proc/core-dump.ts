import { readFileSync, writeFileSync } from "node:fs";
import type { Addon } from "../../system/addon/libc.ts";
import { CORE_FILTER } from "../../system/shared.ts";

/**
 * Takes this process's memory, which holds secrets, out of any core dump of it (Linux; core(5)).
 *
 * @returns puts the former filter back, which children and a new image inherit
 */
export function withholdMemory(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  const exchange = addon === undefined ? exchangeFilter : addon.exchangeCoreFilter;
  const former = exchange(0);
  return former === -1 ? () => {} : () => void exchange(former);
}

/** As the addon's `exchangeCoreFilter`. A process that may not write the file is one that the kernel does not dump. */
function exchangeFilter(filter: number): number {
  try {
    const former = Number.parseInt(readFileSync(CORE_FILTER, "utf8"), 16);
    writeFileSync(CORE_FILTER, String(filter));
    return former;
  } catch {
    return -1;
  }
}
