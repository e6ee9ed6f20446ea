import { readFileSync, writeFileSync } from "node:fs";

const FILTER = "/proc/self/coredump_filter";

/**
 * Takes this process's memory, which holds secrets, out of any core dump of it (Linux; core(5)). It works whatever
 * kills the process, a real fault too.
 *
 * @returns puts the former filter back: children and a new image inherit it, and their dumps must be as ever
 */
export function withholdMemory(): () => void {
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
