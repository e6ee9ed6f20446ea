import { existsSync } from "node:fs";
import { parentOf, within } from "./paths.ts";

/** Returns the nearest folder from `start` upwards that contains `.git`; undefined if none does. */
export function repositoryOf(start: string): string | undefined {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (existsSync(within(folder, ".git"))) return folder;
    if (parentOf(folder) === folder) return undefined;
  }
}
