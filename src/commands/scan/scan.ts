/** `sophia-run scan`: searches files, git's index or its history for the values of all secrets that a run would resolve. */
import { isAbsolute, resolve } from "node:path";
import type { Values } from "../../command-line/options.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { loadMaskingAddon } from "../../launch/masking/masking-addon.ts";
import { createSearch } from "../../masking/masking.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { printLines } from "../../output/stderr.ts";
import { withoutSecrets } from "../../contract/secret-names.ts";
import { collectSecretBytes } from "../../resolve/secret-values.ts";
import type { Start } from "../../resolve/start.ts";
import { loader } from "../../system/addon/addon.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import type { Command } from "../command.ts";
import { usageError } from "../parts/usage-errors.ts";
import { scanHistory } from "./history-search.ts";
import { scanIndex } from "./index-search.ts";
import { isComplete, SecretSearch } from "./secret-search.ts";
import { formatScanJson } from "./scan-json.ts";
import { describeScan, type ScanArea } from "./scan-text.ts";
import { describeScanWarnings } from "./scan-warnings.ts";
import { scanTree } from "./tree.ts";

/** Returns 0 if no secret was found, 1 for a finding, and 2 if not everything could be searched. @throws SophiaError (125) */
export const scan: Command = async ({ options, positionals }, context) => {
  const area = parseScanArea(options);
  const homeFolder = options["home"] === true ? findHomeFolder(context, area) : undefined;
  // Files may hold real secrets also under --fake, so that the real values are searched for.
  const settings = { ...resolveSettings(options, context.environment), fake: undefined };
  const start = await resolveCommandStart(settings, context);
  // `resolveCommandStart` has limited the computing time. The time of the search grows with the files, so the limit is lifted.
  loader?.limitTurns?.(0);
  warnUnavailable(context, start.store.esc);
  printNotices(context, start.settings, start.verdict.notices);
  const { search, secretCount } = createSecretSearch(start, context);
  const git = { cwd: context.project, environment: withoutSecrets(context.environment, start.files.contract) };
  // Git and tree.ts resolve paths against the project's folder, but the user types them in the working directory.
  const isProjectElsewhere = context.project !== context.cwd;
  const paths = isProjectElsewhere ? positionals.map((path) => resolve(context.cwd, path)) : positionals;
  await { files: scanTree, index: scanIndex, history: scanHistory }[area](search, git, paths, homeFolder);
  return reportScan(search, { secretCount, area, isJson: options["json"] === true }, context);
};

/**
 * Creates the search for the secrets of a start. If ESC has failed, the search begins with that gap. If there is no secret
 * although ESC has not failed, this prints a warning.
 */
function createSecretSearch(
  start: Start,
  context: Context,
): { readonly search: SecretSearch; readonly secretCount: number } {
  const secrets = collectSecretBytes(start);
  const { size: secretCount, ...searchedSecrets } = createSearch(secrets, loadMaskingAddon());
  const { kind: escStatus } = start.store.esc;
  const lacksEsc = escStatus === "unavailable" || escStatus === "refused";
  if (secretCount === 0 && !lacksEsc) {
    printLines(context, [
      "warning: there is nothing to search for (no secret has a value)",
      "set ESC_ENV and ESC_TOKEN to search for the secrets of ESC; --require-esc fails without them",
    ]);
  }
  const search = new SecretSearch(searchedSecrets, context);
  if (lacksEsc) {
    const names = secretCount === 0 ? [] : [...new Set(secrets.map(({ name }) => printable(name)))];
    search.gaps.push({ kind: "esc", status: escStatus, searchedFor: names });
  }
  return { search, secretCount };
}

/** Prints the warnings and the report. @returns the exit status */
function reportScan(
  search: SecretSearch,
  { secretCount, area, isJson }: { readonly secretCount: number; readonly area: ScanArea; readonly isJson: boolean },
  context: Context,
): number {
  search.clearProgress();
  for (const warning of describeScanWarnings(search)) printLines(context, warning);
  if (isJson) context.out(formatScanJson(search, secretCount));
  else printReport(context, describeScan(search, secretCount, area));
  if (search.findings.length > 0) return ExitStatus.unmet;
  return isComplete(search) ? ExitStatus.ok : ExitStatus.incomplete;
}

/** Returns the area that the options name. @throws SophiaError (usage, 125) for both `--staged` and `--history` */
function parseScanArea(options: Values): ScanArea {
  const isStaged = options["staged"] === true;
  const isHistory = options["history"] === true;
  if (isStaged && isHistory) {
    throw usageError("--staged and --history cannot be used together", "run scan once with each");
  }
  if (isStaged) return "index";
  return isHistory ? "history" : "files";
}

/** Returns the home folder, for `--home`. @throws SophiaError (usage, 125) if there is none, or if git's objects are searched */
function findHomeFolder({ environment }: Context, area: ScanArea): string {
  if (area !== "files") {
    throw usageError("--home cannot be used together with --staged or --history", "run scan once with each");
  }
  const homeFolder = environment.get(process.platform === "win32" ? "USERPROFILE" : "HOME") ?? "";
  if (isAbsolute(homeFolder)) return homeFolder;
  throw usageError("--home needs the path of the home folder, and HOME is not set to one", "set HOME");
}
