import { isAbsolute, resolve } from "node:path";
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
import { secretBytesOf } from "../../resolve/secret-values.ts";
import { loader } from "../../system/addon/addon.ts";
import { startWith } from "../parts/command-start.ts";
import type { Command } from "../command.ts";
import { usageError } from "../parts/usage-errors.ts";
import { scanHistory, scanIndex } from "./objects.ts";
import { Search } from "./secret-search.ts";
import { type Area, incompleteness, isComplete, json, text } from "./scan-text.ts";
import { scanTree } from "./tree.ts";

export const scan: Command = async ({ options, positionals }, context) => {
  const [staged, history] = [options["staged"] === true, options["history"] === true];
  if (staged && history) {
    throw usageError("--staged and --history cannot be used together", "run scan once with each");
  }
  const home = options["home"] === true ? homeFolder(context, staged || history) : undefined;
  // Under --fake, too, files may hold real secrets.
  const settings = { ...resolveSettings(options, context.environment), fake: undefined };
  const start = await startWith(settings, context);
  // The search lasts as long as its files are long.
  loader?.limitTurns?.(0);
  warnUnavailable(context, start.store.esc);
  printNotices(context, start.settings, start.verdict.notices);
  const secrets = secretBytesOf(start);
  const { size, ...searched } = createSearch(secrets, loadMaskingAddon());
  const { kind: esc } = start.store.esc;
  const isWithoutEsc = esc === "unavailable" || esc === "refused";
  if (size === 0 && !isWithoutEsc) {
    printLines(context, [
      "warning: there is nothing to search for (no secret has a value)",
      "set ESC_ENV and ESC_TOKEN to search for the secrets of ESC; --require-esc fails without them",
    ]);
  }
  const search = new Search(searched, context);
  if (isWithoutEsc) {
    const names = size === 0 ? [] : [...new Set(secrets.map(({ name }) => printable(name)))];
    search.gaps.push({ kind: "esc", status: esc, searchedFor: names });
  }
  const git = { cwd: context.project, environment: withoutSecrets(context.environment, start.files.contract) };
  const isElsewhere = context.project !== context.cwd;
  const paths = isElsewhere ? positionals.map((path) => resolve(context.cwd, path)) : positionals;
  const area: Area = staged ? "index" : history ? "history" : "files";
  await { files: scanTree, index: scanIndex, history: scanHistory }[area](search, git, paths, home);
  search.clearProgress();
  for (const warning of incompleteness(search)) printLines(context, warning);
  if (options["json"] === true) context.out(json(search, size));
  else printReport(context, text(search, size, area));
  if (search.findings.length > 0) return ExitStatus.unmet;
  return isComplete(search) ? ExitStatus.ok : ExitStatus.incomplete;
};

/** @throws SophiaError (usage, 125) if there is none, or if git's objects are searched */
function homeFolder({ environment }: Context, isOfGit: boolean): string {
  if (isOfGit) {
    throw usageError("--home cannot be used together with --staged or --history", "run scan once with each");
  }
  const home = environment.get(process.platform === "win32" ? "USERPROFILE" : "HOME") ?? "";
  if (isAbsolute(home)) return home;
  throw usageError("--home needs the path of the home folder, and HOME is not set to one", "set HOME");
}
