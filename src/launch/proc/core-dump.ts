import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const filter = "/proc/self/coredump_filter";

/**
 * Takes this process's memory, which holds secrets, out of any core dump of it (Linux; core(5)). It works whatever
 * kills the process, a real fault too, and costs two small reads and writes.
 *
 * @returns puts the former filter back: children and a new image inherit it, and their dumps must be as ever
 */
export function withholdMemory(): () => void {
  try {
    // Read as hexadecimal without a prefix, written with one.
    const former = `0x${readFileSync(filter, "utf8").trim()}`;
    setFilter("0");
    return () => {
      try {
        setFilter(former);
      } catch {
        // A process that may not write this file is one that the kernel does not dump.
      }
    };
  } catch {
    return () => {};
  }
}

/** Not writeFileSync, which Node.js would have to compile first. */
function setFilter(value: string): void {
  const descriptor = openSync(filter, "w");
  try {
    writeSync(descriptor, value);
  } finally {
    closeSync(descriptor);
  }
}
