/**
 * Finds the access of a command that writes to Pulumi ESC, such as `set`: the token, and the environment to change. The token is
 * `ESC_ADMIN_TOKEN` of the process environment, or the user types it at a terminal. The launcher's own token and tokens in files
 * are used for a dry run alone, because a user who changes a shared environment must do so with rights of their own.
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
import { listMeanings, formatVersion } from "../../../esc/settings/environment-names.ts";
import { ADMIN_TOKEN } from "../../../esc/settings/own-variables.ts";
import { invalidSetting, labelOf, type Setting, VariableLookup } from "../../../esc/settings/variables.ts";
import { printNotices } from "../../../output/print-notices.ts";
import { layOutQuestion } from "../../../output/stderr.ts";
import { notAllowedError, collectConsentFacts } from "../../../access/consent-words.ts";
import { findPlaces } from "../../../resolve/find-places.ts";
import { readEnvFiles } from "../../../resolve/read-files.ts";
import { canAskUser } from "../confirm.ts";
import type { DotenvReading } from "../../../sources/dotenv/index.ts";
import { findEscAccess } from "../command-access.ts";
import { usageError } from "../usage-errors.ts";
import { parseInOption, type EscTarget } from "./esc-target.ts";

interface WriteTargetOptions {
  /** True if the command only shows the change (`--dry-run`). */
  readonly isDry: boolean;
  /** True if the user must not be asked to confirm the change (`--yes`). */
  readonly isConfirmed: boolean;
  /** True if a dry run needs `ESC_ADMIN_TOKEN` as well. */
  readonly alwaysByAdmin?: boolean;
  /** Returns the advice how the user names the environment; by default with `--in`. */
  readonly remedy?: (environment: string) => string;
  /** Notices that the command has printed already. */
  readonly reported?: readonly Notice[];
}

/** The facts from which the access is found. */
interface TargetSearch {
  /** The value of `--in`. */
  readonly inEnvironment: unknown;
  readonly settings: Settings;
  readonly context: Context;
  readonly options: WriteTargetOptions;
  readonly dotenv: DotenvReading;
  readonly contract: Contract;
}

/**
 * Finds the access of a command that writes, and prints its notices. A dry run without `ESC_ADMIN_TOKEN` uses the launcher's own
 * credential if there is one, because it only reads.
 *
 * @param inEnvironment the value of `--in`
 * @returns the target; if a found file chose the environment, `chosenBy` is set and the command must ask {@link
 *   createWriteQuestion}
 * @throws SophiaError (125) if there is no token or no environment, or if a found file chose the environment and the user cannot be
 *   asked
 */
export async function findWriteTarget(
  inEnvironment: unknown,
  settings: Settings,
  context: Context,
  options: WriteTargetOptions,
): Promise<EscTarget> {
  refuseWithoutEsc(settings);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const contract = await loadContract(settings, context);
  requireNamedEnvironment(inEnvironment, contract, new VariableLookup(context.environment, dotenv.layers));
  const search: TargetSearch = { inEnvironment, settings, context, options, dotenv, contract };
  const adminToken = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  const mayUseLauncherCredential = options.isDry && options.alwaysByAdmin !== true && adminToken === undefined;
  const launcherTarget = mayUseLauncherCredential ? await findTarget(undefined, search) : undefined;
  const target = launcherTarget ?? (await findTarget(adminToken ?? (await askForToken(context)), search));
  if (target === undefined) throw new TypeError("neither a token nor an environment");
  return target;
}

/**
 * Finds the target, and prints the notices about it.
 *
 * @param token the token for ESC; undefined for the launcher's own credential
 * @returns undefined if there is no credential
 */
async function findTarget(token: Setting | undefined, search: TargetSearch): Promise<EscTarget | undefined> {
  const { inEnvironment, settings, context, options, dotenv, contract } = search;
  const { isDry, isConfirmed, remedy = describeInOption, reported = [] } = options;
  const accessOptions = { ...parseInOption(inEnvironment), ...(token === undefined ? {} : { token }) };
  const { access, notices } = await findEscAccess(settings, context, accessOptions, { dotenv, contract });
  if (access.kind === "unconsented")
    throw notAllowedError(collectConsentFacts(access, contract), "nothing was written: ");
  if (access.kind !== "on") return undefined;
  const isFoundFile = (file: string): boolean =>
    file === OUTER_FILE || dotenv.files.some(({ path, found }) => found && path === file);
  // The settings in found files that choose the environment of a change. The question before the change names them, so they are not
  // printed as notices.
  const foundSettings = notices.flatMap((notice) =>
    notice.kind === "environment-by-file" && !isDry && isFoundFile(notice.file) ? [notice] : [],
  );
  printNotices(context, settings, omitNotices([...dotenv.notices, ...notices], [...reported, ...foundSettings]));
  const target = { esc: access.settings, settings, context, contract };
  if (foundSettings.length === 0) return target;
  const chosenBy = enumerate(foundSettings.map(labelOf));
  if (!isConfirmed && canAskUser(context)) return { ...target, chosenBy };
  const isOrganizationFromFile = foundSettings.some(({ name }) => name !== "ESC_ENV");
  throw createUnconfirmedError(
    chosenBy,
    remedy(createEnvironmentArgument(access.settings, isOrganizationFromFile)),
    context,
  );
}

/** Refuses settings that keep this process from using ESC. @throws SophiaError (usage, 125) */
function refuseWithoutEsc(settings: Settings): void {
  const { fake, offline } = settings;
  if (fake === undefined && !offline) return;
  const preventingVariable = fake === undefined ? "SOPHIA_OFFLINE" : "SOPHIA_FAKE";
  throw usageError(`this command changes ESC, but ${preventingVariable} is set`, "unset it");
}

/**
 * Refuses a command if neither `--in` nor the contract nor `ESC_ENV` names an environment.
 *
 * @throws SophiaError (esc-settings, 125)
 */
function requireNamedEnvironment(inEnvironment: unknown, contract: Contract, lookup: VariableLookup): void {
  if (contract.environment !== undefined || lookup.find("ESC_ENV") !== undefined) return;
  if (typeof inEnvironment === "string") return;
  throw invalidSetting(
    "no ESC environment is named",
    'name it with --in organization/project/environment, or by ESC_ENV or "environment" of the contract',
  );
}

/** Returns the notices except for those that have the same content as an omitted notice. */
function omitNotices(notices: readonly Notice[], omitted: readonly Notice[]): readonly Notice[] {
  const omittedTexts = new Set(omitted.map((notice) => JSON.stringify(notice)));
  return notices.filter((notice) => !omittedTexts.has(JSON.stringify(notice)));
}

/** Returns the question before a change. If a found file chose the environment, the question names the setting in that file. */
export function createWriteQuestion(change: string, { chosenBy }: EscTarget): string {
  return chosenBy === undefined ? `${change}?` : `${change} (by ${chosenBy})?`;
}

/** @param chosenBy the settings in found files */
function createUnconfirmedError(chosenBy: string, remedy: string, context: Context): SophiaError {
  return new SophiaError({
    code: "not-confirmed",
    message: `nothing was written: ${chosenBy}, a file that was only found, decides which environment is changed`,
    hint: canAskUser(context) ? `confirm it without --yes, or ${remedy}` : remedy,
  });
}

function describeInOption(environment: string): string {
  return `name the environment: --in ${environment}`;
}

/**
 * Returns the environment as an argument for a command line. If there are several, the user must choose, and the argument is a
 * placeholder.
 *
 * @param isOrganizationFromFile true if a found file chose the organization, so that the argument must name it
 */
function createEnvironmentArgument(
  { environments, organization }: EscSettings,
  isOrganizationFromFile: boolean,
): string {
  const [environment, ...furtherEnvironments] = environments;
  if (environment === undefined || furtherEnvironments.length > 0) return "ORGANIZATION/PROJECT/ENVIRONMENT";
  const [fullName] = isOrganizationFromFile ? listMeanings(environment, organization) : [];
  return shellWord(fullName === undefined ? environment.text : formatVersion(fullName));
}

/** Asks for a token at the terminal. @throws SophiaError (esc-settings, 125) if there is no terminal or no answer */
async function askForToken(context: Context): Promise<Setting> {
  if (canAskUser(context)) {
    const value = await context.readHidden(
      layOutQuestion(context, ["A token that may open and write the environment (not shown):"]),
    );
    if (value !== undefined && value.trim() !== "") return { name: "the token that was typed", value };
  }
  throw invalidSetting(
    `${ADMIN_TOKEN} is not set (the launcher's own token is not used for changes)`,
    "set it to a token that may open and write the environment; at a terminal the command asks for it",
  );
}
