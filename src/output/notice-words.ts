/**
 * Describes notices for the user. The stages of a start only collect notices as data (`Notice`); a start prints them, and `check` and the
 * GitHub Action show them in their reports. Each becomes one line, and perhaps further lines with details.
 */
import { enumerateFew, limitLines } from "../core/lines.ts";
import { type Notice, formatDiagnostic } from "../core/model.ts";
import { isOnlyReference } from "../core/reference-forms.ts";
import { describeResolver } from "../contract/reference-resolvers.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { shellWord } from "../core/shell.ts";
import { durationWords, enumerate, printable } from "../core/text.ts";
import { describeUnallowed } from "../access/consent-words.ts";
import { detailsAndHint } from "./stderr.ts";

/** The limit on the warnings of ESC about one environment. */
const MAX_DIAGNOSTICS = 20;

/** Returns true for a notice that only informs, so that `--quiet` suppresses it. The others are warnings. */
export function isInformation(notice: Notice): boolean {
  const { kind } = notice;
  return (
    kind === "shadowed" ||
    kind === "override" ||
    kind === "environment-by-file" ||
    kind === "replaced-by-dummies" ||
    // With --offline the user expects cached values. If ESC does not answer, the notice is a warning.
    (kind === "esc-kept" && notice.failure === undefined)
  );
}

/** Describes a notice. A warning begins with `warning:`. */
export function describeNotice(notice: Notice): readonly [string, ...string[]] {
  switch (notice.kind) {
    case "shadowed":
      return [`the environment overrides ESC for ${enumerateFew(notice.names.map(printable))}`];
    case "override":
      return [describeOverride(notice)];
    case "esc-incomplete":
      return [`warning: ESC is not read: ${notice.present} is set but ${notice.missing} is not`, ...notice.remedy];
    case "esc-diagnostics":
      return [
        `warning: ESC environment ${printable(notice.environment)} was opened with warnings`,
        ...limitLines(notice.diagnostics.map(formatDiagnostic), MAX_DIAGNOSTICS),
      ];
    case "esc-old-form": {
      const { written, opened, instead } = notice;
      const reason = instead === undefined ? "" : `ESC has no environment ${printable(instead)}: `;
      return [
        `warning: ${reason}${printable(written)} was read as ${printable(opened)}; write the full name ` +
          "(organization/project/environment)",
      ];
    }
    case "esc-kept": {
      const { failure, ageSeconds, environments } = notice;
      const cached = `the cached configuration of ${printable(environments.join(", "))} (${durationWords(ageSeconds)} old)`;
      if (failure === undefined) return [`using ${cached} without contacting ESC (--offline)`];
      return [`warning: ${failure.message}; continuing with ${cached}`, ...detailsAndHint(failure)];
    }
    case "esc-skipped": {
      const isSingle = notice.names.length === 1;
      const names = enumerateFew(notice.names.map(printable));
      const subject = `warning: ${names} in ESC environment ${printable(notice.environment)}`;
      if (notice.why === "unknown") return [`${subject} ${isSingle ? "has" : "have"} no known value; treated as unset`];
      const [are, variables] = isSingle
        ? ["is a list or an object", "an environment variable"]
        : ["are lists or objects", "environment variables"];
      return [`${subject} ${are} and cannot be ${variables}; use fn::toJSON`];
    }
    case "setting-ignored":
      return [
        `warning: ${notice.name} in ${printable(notice.file)} is ignored (a file may set it only for a token that the same file contains); ` +
          "set it in the environment",
      ];
    case "environment-by-file":
      return [
        `${notice.name} in ${printable(notice.file)} selects what ${notice.credential} of the environment opens; ` +
          "to override it, set it in the environment",
      ];
    case "environment-not-allowed": {
      const [problem, remedy] = describeUnallowed(notice);
      return [`warning: ${problem}`, remedy];
    }
    case "withheld":
      return [describeWithheld(notice)];
    case "replaced-by-dummies": {
      const names = enumerateFew(notice.names.map(printable));
      return [`dummies replace ${names} of the environment; --fake=missing keeps what is set`];
    }
    case "deprecated":
      return [`warning: ${notice.name} is deprecated; use ${notice.use}`];
    case "exposed":
      return [`warning: ${printable(notice.file)} is world-readable: chmod 600 ${shellWord(notice.file)}`];
    case "references":
      return describeReferences(notice);
    case "remark":
      return [`warning: ${notice.text}`];
  }
}

function describeOverride({ file, names, hidden }: Extract<Notice, { kind: "override" }>): string {
  const winningNames = enumerateFew(names.map(printable));
  const hiddenNames = enumerateFew(hidden.map(printable));
  if (names.length === 0) return `${printable(file)} has no effect: the environment sets ${hiddenNames}`;
  const exception = hidden.length === 0 ? "" : `; the environment overrides it for ${hiddenNames}`;
  return `${printable(file)} sets ${winningNames}${exception}`;
}

function describeReferences({
  form,
  file,
  variables,
}: Extract<Notice, { kind: "references" }>): readonly [string, ...string[]] {
  const [first] = variables;
  const isSingle = variables.length === 1;
  const place = isSingle ? `${printable(file)}:${first?.line}` : printable(file);
  const names = variables.map(({ name, line }) => printable(name) + (isSingle ? "" : ` (line ${line})`));
  const are = isSingle ? "is" : "are";
  const [references, values] = isSingle ? ["a reference", "a value"] : ["references", "values"];
  const finding = isOnlyReference(form)
    ? `${are} ${references} (${form}), not ${values}, and`
    : `${isSingle ? "holds" : "hold"} ${form.replace(" in text", "")} and`;
  return [
    `warning: ${place}: ${enumerateFew(names)} ${finding} ${are} passed on unchanged`,
    ...describeResolver(form, file),
  ];
}

/** Describes how the user can have `.env` files used while ESC refuses access. */
export function describeUseOfFiles({ credentialFrom: { name, file } }: Pick<EscSettings, "credentialFrom">): string {
  if (file === undefined) return `.env is not used until then; to use it, unset ${name}`;
  return `${printable(file)} is not used until then; to use it, remove ${name} from it`;
}

/** The limit on the names in one notice about withheld variables. */
const MAX_NAMES = 10;

/** Describes variables of a file, or of an ESC environment, that the program does not get because of their risk. */
function describeWithheld({ why, file, environment, names }: Extract<Notice, { kind: "withheld" }>): string {
  const isSingle = names.length === 1;
  const shownNames = names.slice(0, MAX_NAMES);
  const omittedCount = names.length - shownNames.length;
  const listed = [...shownNames.map(printable), ...(omittedCount > 0 ? [`${omittedCount} more`] : [])];
  const opener = file === undefined ? "" : `, which the credential in ${printable(file)} opens,`;
  const place =
    environment === undefined ? printable(file ?? "") : `ESC environment ${printable(environment)}${opener}`;
  const withheld = `warning: ${enumerate(listed)} in ${place} ${isSingle ? "is" : "are"} not passed on`;
  const [subject, object] = isSingle ? ["it", "it"] : ["they", "them"];
  const option = `--allow ${shellWord(shownNames.join(","))}`;
  switch (why) {
    case "reserved":
      return `${withheld} (${file === undefined ? "ESC" : "a file"} must not configure sophia-run); set ${object} in the environment`;
    case "runs-code":
      return `${withheld} (${subject} can make other programs run code); ${option} passes ${object} on`;
    case "network":
      return `${withheld} (${subject} ${isSingle ? "decides" : "decide"} how programs connect, and whom they trust); ${option} passes ${object} on`;
    case "redirects-key":
      return `${withheld} (${subject} would send a key from another source to another address); ${option} passes ${object} on`;
    case "callers-own":
      return `${withheld} (a file that was found does not override the caller's); ${option} passes ${object} on`;
  }
}
