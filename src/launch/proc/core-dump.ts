import { readFileSync, writeFileSync } from "node:fs";
import type { Addon } from "../../system/addon/libc.ts";
import { CORE_FILTER } from "../../system/shared.ts";

/**
 * Takes this process's memory, which holds secrets, out of any core dump of it (Linux; core(5)). It works whatever
 * kills the process, a real fault too.
 *
 * @returns puts the former filter back: children and a new image inherit it, and their dumps must be as ever
 */
export function withholdMemory(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  if (addon !== undefined) {
    const former = addon.exchangeCoreFilter(0);
    return former === -1 ? () => {} : () => void addon.exchangeCoreFilter(former);
  }
  try {
    // Read as hexadecimal without a prefix, written with one.
    const former = `0x${readFileSync(CORE_FILTER, "utf8").trim()}`;
    writeFileSync(CORE_FILTER, "0");
    return () => {
      try {
        writeFileSync(CORE_FILTER, former);
      } catch {
        // A process without permission to write this file is one that the kernel does not dump.
      }
    };
  } catch {
    return () => {};
  }
}
