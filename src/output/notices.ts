import { enumerateFew } from "../core/lines.ts";
import { formatDiagnostic } from "../core/diagnostic.ts";
import type { Notice } from "../core/model.ts";
import type { EscSettings } from "../esc/settings/access.ts";
import { shellWord } from "../core/shell.ts";
import { durationWords, enumerate, firstOf, printable } from "../core/text.ts";
import { further } from "./stderr.ts";

const MOST_DIAGNOSTICS = 20;

/** Returns true for a notice that `--quiet` drops. */
export function isInformation(notice: Notice): boolean {
  const { kind } = notice;
  return (
    kind === "shadowed" ||
    kind === "environment-by-file" ||
    // Expected with --offline; a warning if ESC does not answer.
    (kind === "esc-kept" && notice.failure === undefined)
  );
}

/** One notice in words: the first line is the notice, further ones belong to it. Never holds a value. */
export function describeNotice(notice: Notice): readonly [string, ...string[]] {
  switch (notice.kind) {
    case "shadowed":
      return [`the environment overrides ESC for ${enumerateFew(notice.names.map(printable))}`];
    case "esc-incomplete":
      return [`warning: ${notice.present} is set but ${notice.missing} is not: ESC is not read`];
    case "esc-diagnostics":
      return [
        `warning: ESC environment ${printable(notice.environment)} was opened with remarks`,
        ...firstOf(notice.diagnostics.map(formatDiagnostic), MOST_DIAGNOSTICS),
      ];
    case "esc-old-form": {
      const { written, opened, instead } = notice;
      const why = instead === undefined ? "" : `ESC has no environment ${printable(instead)}: `;
      return [
        `warning: ${why}${printable(written)} was taken for ${printable(opened)}; write ${printable(opened)} if that is ` +
          "meant, else the right name in three parts",
      ];
    }
    case "esc-kept": {
      const { failure, ageSeconds, environments } = notice;
      const ago = `what ESC gave ${durationWords(ageSeconds)} ago (${printable(environments.join(", "))})`;
      if (failure === undefined) return [`${ago} is used, and nobody is asked (--offline)`];
      return [`warning: ${failure.message}; continuing with ${ago}`, ...further(failure)];
    }
    case "esc-skipped": {
      const names = enumerateFew(notice.names.map(printable));
      const place = `ESC environment ${printable(notice.environment)}`;
      if (notice.why === "unknown") return [`warning: ${place} does not know the value of ${names}; counted as unset`];
      const [are, what] =
        notice.names.length === 1
          ? ["is a list or an object", "an environment variable"]
          : ["are lists or objects", "environment variables"];
      return [`warning: ${names} in ${place} ${are} and cannot become ${what}; use fn::toJSON`];
    }
    case "setting-ignored":
      return [
        `warning: ${notice.name} in ${printable(notice.file)} is ignored: a file decides where a token goes only when the ` +
          "token stands in that file; set it in the environment",
      ];
    case "environment-by-file":
      return [
        `${notice.name} in ${printable(notice.file)} decides what ${notice.credential} of the environment opens; ` +
          "set it in the environment to decide that there",
      ];
    case "withheld":
      return [withheldWords(notice)];
    case "deprecated":
      return [`warning: ${notice.name} is deprecated; use ${notice.use}`];
    case "exposed":
      return [`warning: ${printable(notice.file)} is world-readable: chmod 600 ${shellWord(notice.file)}`];
    case "remark":
      return [`warning: ${notice.text}`];
  }
}

export function workLocally({ credentialFrom: { name, file } }: Pick<EscSettings, "credentialFrom">): string {
  if (file === undefined) return `.env does not serve meanwhile; to work from it, unset ${name}`;
  return `${printable(file)} does not serve meanwhile; to work from it, remove ${name} from it`;
}

const MOST_NAMES = 10;

function withheldWords({ why, file, names }: Extract<Notice, { kind: "withheld" }>): string {
  const one = names.length === 1;
  const more = names.length - MOST_NAMES;
  const shown = [...names.slice(0, MOST_NAMES).map(printable), ...(more > 0 ? [`${more} more`] : [])];
  const withheld = `warning: ${enumerate(shown)} in ${printable(file)} ${one ? "is" : "are"} not passed on`;
  const them = one ? "it" : "them";
  const option = `--allow ${shellWord(names.slice(0, MOST_NAMES).join(","))}`;
  switch (why) {
    case "reserved":
      return `${withheld}: a file does not decide how sophia-run works; set ${them} in the environment`;
    case "runs-code":
      return `${withheld}: ${one ? "it makes" : "they make"} other programs run code; ${option} passes ${them} on`;
    case "redirects-key":
      return `${withheld}: ${one ? "it sends a key" : "they send keys"} of another source elsewhere; ${option} passes ${them} on`;
  }
}
