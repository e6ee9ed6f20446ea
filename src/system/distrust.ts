/** Describes for the user why a file that was found by search is not trusted, as ownership.ts decides. */
import { statSync } from "node:fs";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { type Distrust, STICKY } from "./ownership.ts";

/**
 * Describes why a file is not trusted.
 *
 * @param shownPath the file's path as messages show it
 * @returns `what` is the reason, and `fix` the command that removes it, if there is one
 */
export function describeDistrust(
  distrust: Distrust,
  shownPath: string,
): { readonly what: string; readonly fix?: string } {
  switch (distrust.kind) {
    case "owner":
      return { what: `it belongs to another user (uid ${distrust.uid})` };
    case "file":
      return { what: "it is world-writable", fix: `chmod o-w ${shellWord(shownPath)}` };
    case "folder": {
      const { folder } = distrust;
      const what = `its folder ${printable(folder)} is world-writable`;
      const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
      // Folders such as /tmp have the sticky bit, and must stay world-writable.
      return (mode & STICKY) === 0 ? { what, fix: `chmod o-w ${shellWord(folder)}` } : { what };
    }
  }
}
