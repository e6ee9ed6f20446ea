/** The folders of a start. */
import type { Folders } from "../../src/core/context.ts";

/** Returns the folders of a start in `cwd` without `--project`. */
export function foldersOf(cwd: string): Folders {
  return { cwd, project: cwd };
}
