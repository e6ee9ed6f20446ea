import { readSync } from "node:fs";

/**
 * Whether a file's last line has no end: what is appended would become part of it.
 *
 * @param descriptor one that can be read
 * @throws the system's error
 */
export function endsInMidLine(descriptor: number, size: number): boolean {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() !== "\n";
}
