import { readSync } from "node:fs";

/** Returns true if a file's last line has no line break, so that appended text would join it. @throws the system's error */
export function endsInMidLine(descriptor: number, size: number): boolean {
  const last = Buffer.from("\n");
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() !== "\n";
}
