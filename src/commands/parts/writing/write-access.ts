/**
 * The access to ESC of a command that writes: with which token, and to which environment. The token is `ESC_ADMIN_TOKEN` of
 * the process environment, or the user types it at a terminal. It is never the launcher's own token, and never one from a
 * file, since whoever changes a shared environment must do so with rights of their own.
 *
 * A file that sophia-run found by search must not decide what this token changes. Otherwise a cloned repository could choose
 * where a secret is stored, and who can read it. If such a file names the environment, the user must confirm it at a terminal.
 */
import type { Settings } from "../../../command-line/settings.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Notice } from "../../../core/model.ts";
import { shellWord } from "../../../core/shell.ts";
import { enumerate } from "../../../core/text.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import { OUTER_FILE } from "../../../esc/settings/from-files.ts";
import { candidates, formatVersion } from "../../../esc/settings/environment-names.ts";
import { ADMIN_TOKEN } from "../../../esc/settings/own-variables.ts";
import { invalidSetting, labelOf, type Setting, VariableLookup } from "../../../esc/settings/variables.ts";
import { printNotices } from "../../../output/print-notices.ts";
import { questionText } from "../../../output/stderr.ts";
import { notAllowed, unallowed } from "../../../access/consent-words.ts";
import { findPlaces } from "../../../resolve/find-places.ts";
import { readEnvFiles } from "../../../resolve/read-files.ts";
import { canAsk } from "../confirm.ts";
import { findEscAccess } from "../command-access.ts";
import { usageError } from "../usage-errors.ts";
import { environmentsOfOption, type EscTarget } from "./esc-target.ts";

interface WriteAccessOptions {
  /** Nothing is written (`--dry-run`). */
  readonly isDry: boolean;
  /** Nothing is asked (`--yes`). */
  readonly isConfirmed: boolean;
  /** A dry run needs `ESC_ADMIN_TOKEN` as well. */
  readonly alwaysByAdmin?: boolean;
  /** Returns the advice how the user names the environment. Default: with `--in`. */
  readonly remedy?: (environment: string) => string;
  /** Notices that the command has printed already. */
  readonly reported?: readonly Notice[];
}

/**
 * Finds the access of a command that writes, and prints its notices. A dry run without `ESC_ADMIN_TOKEN` uses the launcher's
 * own credential if there is one, because it only reads.
 *
 * @param inEnvironment the value of `--in`
 * @returns the target; if a found file chose the environment, `chosenBy` is set and the command must ask {@link writeQuestion}
 * @throws SophiaError (125) if there is no token or no environment, or if a found file chose it and the user cannot be asked
 */
export async function writeAccess(
  inEnvironment: unknown,
  settings: Settings,
  context: Context,
  options: WriteAccessOptions,
): Promise<EscTarget> {
  const { isDry, isConfirmed, alwaysByAdmin = false, remedy = namedByOption, reported = [] } = options;
  refuseWithoutEsc(settings);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const contract = await loadContract(settings, context);
  const lookup = new VariableLookup(context.environment, dotenv.layers);
  requireNamedEnvironment(inEnvironment, contract, lookup);
  const isFoundFile = (file: string): boolean =>
    file === OUTER_FILE || dotenv.files.some(({ path, found }) => found && path === file);

  /** Returns the target for a token, or for the launcher's own credential; undefined if there is no credential. */
  const accessBy = async (token?: Setting): Promise<EscTarget | undefined> => {
    const accessOptions = { ...environmentsOfOption(inEnvironment), ...(token === undefined ? {} : { token }) };
    const { access, notices } = await findEscAccess(settings, context, accessOptions, { dotenv, contract });
    if (access.kind === "unconsented") throw notAllowed(unallowed(access, contract), "nothing was written: ");
    if (access.kind !== "on") return undefined;
    // The question before the change names these settings, so that no notice repeats them.
    const choices = notices.flatMap((notice) =>
      notice.kind === "environment-by-file" && !isDry && isFoundFile(notice.file) ? [notice] : [],
    );
    printNotices(context, settings, withoutNotices([...dotenv.notices, ...notices], [...reported, ...choices]));
    const target = { esc: access.settings, settings, context, contract };
    if (choices.length === 0) return target;
    const chosenBy = enumerate(choices.map(labelOf));
    if (!isConfirmed && canAsk(context)) return { ...target, chosenBy };
    const chooseOrganization = choices.some(({ name }) => name !== "ESC_ENV");
    throw unconfirmed(chosenBy, remedy(environmentArgument(access.settings, chooseOrganization)), context);
  };

  const adminToken = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  const mayUseLauncherCredential = isDry && !alwaysByAdmin && adminToken === undefined;
  const launcherTarget = mayUseLauncherCredential ? await accessBy() : undefined;
  const target = launcherTarget ?? (await accessBy(adminToken ?? (await askForToken(context))));
  if (target === undefined) throw new TypeError("neither a token nor an environment");
  return target;
}

/** @throws SophiaError (usage, 125) if a setting keeps this process from using ESC */
function refuseWithoutEsc(settings: Settings): void {
  const preventing = settings.fake !== undefined ? "SOPHIA_FAKE" : settings.offline ? "SOPHIA_OFFLINE" : undefined;
  if (preventing !== undefined) throw usageError(`this command changes ESC, but ${preventing} is set`, "unset it");
}

/** @throws SophiaError (esc-settings, 125) if neither `--in` nor the contract nor `ESC_ENV` names an environment */
function requireNamedEnvironment(inEnvironment: unknown, contract: Contract, lookup: VariableLookup): void {
  if (contract.environment !== undefined || lookup.find("ESC_ENV") !== undefined) return;
  if (typeof inEnvironment === "string") return;
  throw invalidSetting(
    "no ESC environment is named",
    'name it with --in organization/project/environment, or by ESC_ENV or "environment" of the contract',
  );
}

/** Returns the notices but those that have the same content as a known one. */
function withoutNotices(notices: readonly Notice[], known: readonly Notice[]): readonly Notice[] {
  const knownTexts = new Set(known.map((notice) => JSON.stringify(notice)));
  return notices.filter((notice) => !knownTexts.has(JSON.stringify(notice)));
}

/** Returns the question before a change. It names the setting of a found file, if such a file chose the environment. */
export function writeQuestion(change: string, { chosenBy }: EscTarget): string {
  return chosenBy === undefined ? `${change}?` : `${change} (by ${chosenBy})?`;
}

function unconfirmed(chosenBy: string, remedy: string, context: Context): SophiaError {
  return new SophiaError({
    code: "not-confirmed",
    message: `nothing was written: ${chosenBy}, a file that was only found, decides which environment is changed`,
    hint: canAsk(context) ? `confirm it without --yes, or ${remedy}` : remedy,
  });
}

function namedByOption(environment: string): string {
  return `name the environment: --in ${environment}`;
}

/**
 * Returns the environment as an argument for a command line. If several are named, it returns the form of a name, since the
 * user must choose.
 *
 * @param withOrganization a found file chose the organization as well, so that the argument must name it
 */
function environmentArgument({ environments, organization }: EscSettings, withOrganization: boolean): string {
  const [only, ...others] = environments;
  if (only === undefined || others.length > 0) return "ORGANIZATION/PROJECT/ENVIRONMENT";
  const [fullName] = withOrganization ? candidates(only, organization) : [];
  return shellWord(fullName === undefined ? only.text : formatVersion(fullName));
}

/** Asks for a token at the terminal. @throws SophiaError (esc-settings, 125) if there is no terminal or no answer */
async function askForToken(context: Context): Promise<Setting> {
  if (canAsk(context)) {
    const value = await context.readHidden(
      questionText(context, ["A token that may open and write the environment (not shown):"]),
    );
    if (value !== undefined && value.trim() !== "") return { name: "the token that was typed", value };
  }
  throw invalidSetting(
    `${ADMIN_TOKEN} is not set (the launcher's own token is not used for changes)`,
    "set it to a token that may open and write the environment; at a terminal the command asks for it",
  );
}
