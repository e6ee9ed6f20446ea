import type { Folders } from "../../src/core/context.ts";

/** The folders of a start without `--project`. */
export function startedIn(cwd: string): Folders {
  return { cwd, project: cwd };
}
