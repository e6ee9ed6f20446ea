/** Why the cache does not serve or is not written, in words. Loaded only then. */
import type { Failure } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { durationWords, printable } from "../../core/text.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import type { Unusable } from "./store.ts";

/** Why what is kept, or was to be kept, is of no use. */
export type Reason =
  | Unusable
  /** The token is another one at each start. */
  | { readonly kind: "no-lasting-token" }
  | { readonly kind: "no-folder" }
  /** Another format, or changed bytes; or a file that was renamed. */
  | { readonly kind: "does-not-open" }
  | { readonly kind: "from-future" }
  | { readonly kind: "session-ended" }
  | { readonly kind: "too-old"; readonly ageMs: number; readonly maxAgeMs: number };

/** Words that follow a colon. */
export function reasonWords(reason: Reason): string {
  switch (reason.kind) {
    case "absent":
      return "nothing is kept of it for this user and this token";
    case "not-private":
      return `${printable(reason.path)} is not a file that only this user may read`;
    case "folder":
      return folderWords(reason);
    case "system":
      return `${printable(reason.path)} (${reason.code})`;
    case "no-lasting-token":
      return "that takes a token that lasts, and this one is made anew for each start (OIDC) or cannot be read";
    case "no-folder":
      return "there is no folder for it: neither XDG_CACHE_HOME nor HOME is an absolute path";
    case "does-not-open":
      return "the cache does not open: its file was changed, or written by another version";
    case "from-future":
      return "the cache is from the future: this machine's clock was wrong then, or is now";
    case "session-ended":
      return "credentials in the cache ended with their session (--session)";
    case "too-old": {
      const [age, limit] = [reason.ageMs, reason.maxAgeMs].map((ms) => durationWords(ms / 1000));
      return `the cache is ${age} old, older than ${limit} (--cache-max-age)`;
    }
  }
}

function folderWords({ path, problem }: Extract<Unusable, { kind: "folder" }>): string {
  switch (problem) {
    case "not-a-folder":
      return `${printable(path)} is not a folder`;
    case "others":
      return `${printable(path)} is another user's`;
    case "mode":
      return `others may use ${printable(path)}: chmod 700 ${shellWord(path)}`;
    case "above":
      return `every user may write ${printable(path)}, which is above the cache: chmod o-w ${shellWord(path)}`;
  }
}

/** The failure of `--offline` where nothing serves. */
export function offlineFailure({ environments }: Pick<EscSettings, "environments">, reason: Reason): Failure {
  const names = printable(environments.map(({ text }) => text).join(", "));
  return {
    code: "esc-offline",
    message: `ESC environment${environments.length > 1 ? "s" : ""} ${names} cannot be read with --offline: ${reasonWords(reason)}`,
    hint: "start once with --cache and without --offline while ESC is available",
  };
}
