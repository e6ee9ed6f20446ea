/** Messages about a cache that cannot be used or written. A start whose cache works, or that has none, does not load this file. */
import type { Failure } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { formatDuration, printable } from "../../core/text.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { UnusableFile } from "../../system/private-file.ts";

/**
 * The reason why the cache is not used. `no-lasting-token`: the key of the cache comes from the token, and this token changes at every
 * start. `undecryptable`: the entry cannot be decrypted, because it has another format, was changed, or was renamed. `from-future`: its
 * date is later than now. `session-ended`: it has credentials of a session that has ended.
 */
export type UnusedReason =
  | UnusableFile
  | { readonly kind: "no-lasting-token" | "no-folder" | "undecryptable" | "from-future" | "session-ended" }
  | { readonly kind: "too-old"; readonly ageMs: number; readonly maxAgeMs: number };

/** Describes the reason as a clause, for messages such as `the cache is not used: …`. */
export function describeUnusedReason(reason: UnusedReason): string {
  switch (reason.kind) {
    case "absent":
      return "nothing is cached for this environment, user and token";
    case "not-private":
      return `${printable(reason.path)} is not a private file of this user`;
    case "folder":
      return describeFolderFault(reason);
    case "system":
      return `${printable(reason.path)} (${reason.code})`;
    case "no-lasting-token":
      return "a cache needs a lasting token, and this one changes at each start (OIDC) or cannot be read";
    case "no-folder":
      return "there is no cache folder: neither XDG_CACHE_HOME nor HOME is an absolute path";
    case "undecryptable":
      return "the cache cannot be decrypted: its file was changed, or written by another version";
    case "from-future":
      return "the cache is dated in the future: this machine's clock was wrong then, or is now";
    case "session-ended":
      return "credentials in the cache ended with their session (--session)";
    case "too-old": {
      const [age, limit] = [reason.ageMs, reason.maxAgeMs].map((ms) => formatDuration(ms / 1000));
      return `the cache is ${age} old, older than ${limit} (--cache-max-age)`;
    }
  }
}

function describeFolderFault({ path, fault }: Extract<UnusableFile, { kind: "folder" }>): string {
  switch (fault) {
    case "not-a-folder":
      return `${printable(path)} is not a folder`;
    case "other-owner":
      return `${printable(path)} belongs to another user`;
    case "permissions":
      return `other users may use ${printable(path)}: chmod 700 ${shellWord(path)}`;
    case "replaceable-by-all":
      return `every user may write ${printable(path)}, which is above the cache: chmod o-w ${shellWord(path)}`;
  }
}

/** Returns the failure of a start with `--offline` for which no cache can be used. */
export function offlineFailure({ environments }: Pick<EscSettings, "environments">, reason: UnusedReason): Failure {
  const names = printable(environments.map(({ text }) => text).join(", "));
  return {
    code: "esc-offline",
    message: `ESC environment${environments.length > 1 ? "s" : ""} ${names} cannot be read with --offline: ${describeUnusedReason(reason)}`,
    hint: "start once with --cache and without --offline while ESC is available",
  };
}
