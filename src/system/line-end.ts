import { readSync } from "node:fs";

/** True if a file's last line has no end, so that what is appended would become part of it. @throws the system's error */
export function endsInMidLine(descriptor: number, size: number): boolean {
  const last = Buffer.from("\n");
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() !== "\n";
}
