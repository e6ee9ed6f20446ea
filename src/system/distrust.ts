/** Describes for the user why a file that was found by search is not trusted, as ownership.ts decides. */
import { statSync } from "node:fs";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { type Distrust, STICKY } from "./ownership.ts";

/**
 * Describes why a file is not trusted.
 *
 * @param shownPath the file's path as messages show it
 * @returns the reason, and the command that removes it, if there is one
 */
export function describeDistrust(
  distrust: Distrust,
  shownPath: string,
): { readonly reason: string; readonly remedy?: string } {
  switch (distrust.kind) {
    case "owner":
      return { reason: `it belongs to another user (uid ${distrust.uid})` };
    case "file":
      return { reason: "it is world-writable", remedy: `chmod o-w ${shellWord(shownPath)}` };
    case "folder": {
      const { folder } = distrust;
      const reason = `its folder ${printable(folder)} is world-writable`;
      const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
      // Folders such as /tmp have the sticky bit, and must stay world-writable.
      const mustStayWritable = (mode & STICKY) !== 0;
      return mustStayWritable ? { reason } : { reason, remedy: `chmod o-w ${shellWord(folder)}` };
    }
  }
}
