/** Reads unit files of systemd. */
import { readFileSync } from "node:fs";

/** Reads the settings of a unit by name. A setting may occur several times. */
export function readUnit(path: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, readonly string[]>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}
