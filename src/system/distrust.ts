import { statSync } from "node:fs";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Distrust } from "./ownership.ts";
import { STICKY } from "./permissions.ts";

/**
 * Words for a file that does not count: what is wrong, and the command that makes it right, if there is one.
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
      const isSticky = ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & STICKY) !== 0;
      // Such as /tmp, which stays as it is.
      const fix = isSticky ? {} : { fix: `chmod o-w ${shellWord(folder)}` };
      return { what: `everybody may write its folder ${printable(folder)}`, ...fix };
    }
  }
}
