import { readFileSync, writeFileSync } from "node:fs";
import type { Addon } from "../../system/addon/libc.ts";

const FILTER = "/proc/self/coredump_filter";

/**
 * Takes this process's memory, which holds secrets, out of any core dump of it (Linux; core(5)).
 *
 * @returns puts the former filter back, which children and a new image inherit
 */
export function withholdMemory(addon: Pick<Addon, "exchangeCoreFilter"> | undefined): () => void {
  if (addon !== undefined) {
    const former = addon.exchangeCoreFilter(0);
    return former === -1 ? () => {} : () => void addon.exchangeCoreFilter(former);
  }
  try {
    // Read as hexadecimal without a prefix, written with one.
    const former = `0x${readFileSync(FILTER, "utf8").trim()}`;
    writeFileSync(FILTER, "0");
    return () => {
      try {
        writeFileSync(FILTER, former);
      } catch {
        // A process without permission to write this file is one that the kernel does not dump.
      }
    };
  } catch {
    return () => {};
  }
}
