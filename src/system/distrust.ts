import { statSync } from "node:fs";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Distrust } from "./ownership.ts";
import { STICKY } from "./permissions.ts";

/**
 * Says why a file does not count, with the command that makes it right, if there is one.
 *
 * @param shown how messages call the file
 */
export function describeDistrust(distrust: Distrust, shown: string): { readonly what: string; readonly fix?: string } {
  switch (distrust.kind) {
    case "owner":
      return { what: `it belongs to another user (uid ${distrust.uid})` };
    case "file":
      return { what: "everybody may write it", fix: `chmod o-w ${shellWord(shown)}` };
    case "folder": {
      const { folder } = distrust;
      const what = `everybody may write its folder ${printable(folder)}`;
      const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
      // With the sticky bit it is one such as /tmp, which stays as it is.
      return (mode & STICKY) === 0 ? { what, fix: `chmod o-w ${shellWord(folder)}` } : { what };
    }
  }
}
