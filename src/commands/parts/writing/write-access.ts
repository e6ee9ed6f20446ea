import type { Settings } from "../../../command-line/settings.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure, Notice } from "../../../core/model.ts";
import { shellWord } from "../../../core/shell.ts";
import { enumerate, printable } from "../../../core/text.ts";
import { askEsc } from "../../../esc/api/ask.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import { OUTER_FILE } from "../../../esc/settings/from-files.ts";
import { candidates, formatName, formatVersion, type FullName } from "../../../esc/settings/environment-names.ts";
import { ADMIN_TOKEN } from "../../../esc/settings/own-variables.ts";
import { invalidSetting, labelOf, type Setting, VariableLookup } from "../../../esc/settings/variables.ts";
import type { Connection } from "../../../esc/transport/connection.ts";
import { makeProgress } from "../../../output/progress.ts";
import { printNotices } from "../../../output/print-notices.ts";
import { questionText } from "../../../output/stderr.ts";
import { notAllowed, unallowed } from "../../../access/consent-words.ts";
import { findPlaces } from "../../../resolve/find-places.ts";
import { readEnvFiles } from "../../../resolve/read-files.ts";
import { canAsk } from "../confirm.ts";
import { findEscAccess } from "../command-access.ts";
import { usageError } from "../usage-errors.ts";

export interface EscTarget {
  readonly esc: EscSettings;
  readonly settings: Settings;
  readonly context: Context;
  readonly contract: Contract;
  /** The settings of found files that decide where is written, such as `ESC_ENV in .env`: the question must name them. */
  readonly chosenBy?: string;
}

interface Writing {
  /** Nothing is written (`--dry-run`). */
  readonly isDry: boolean;
  /** Nothing is asked (`--yes`). */
  readonly isConfirmed: boolean;
  /** A dry run needs `ESC_ADMIN_TOKEN` as well. */
  readonly alwaysByAdmin?: boolean;
  /** How the user names the environment, in place of `--in`. */
  readonly remedy?: (environment: string) => string;
  readonly reported?: readonly Notice[];
}

/**
 * Finds the access of a command that writes, and reports its notices. The token is `ESC_ADMIN_TOKEN` of the process
 * environment, or asked for at a terminal: never the launcher's own, and never one from a file. A dry run without
 * `ESC_ADMIN_TOKEN` uses the launcher's own credential.
 *
 * A file that was found may not decide what the caller's token changes: a cloned repository would choose where a secret is
 * stored, and who can read it. Its environment needs a yes at a terminal to {@link writeQuestion}.
 *
 * @throws SophiaError (125) if there is no token or no environment, or if the user cannot be asked about that of a found file
 */
export async function writeAccess(
  inEnvironment: unknown,
  settings: Settings,
  context: Context,
  writing: Writing,
): Promise<EscTarget> {
  const { isDry, isConfirmed, alwaysByAdmin = false, remedy = namedByOption, reported = [] } = writing;
  const preventing = settings.fake !== undefined ? "SOPHIA_FAKE" : settings.offline ? "SOPHIA_OFFLINE" : undefined;
  if (preventing !== undefined) throw usageError(`this command changes ESC, but ${preventing} is set`, "unset it");
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const contract = await loadContract(settings, context);
  const isNamed =
    contract.environment !== undefined ||
    new VariableLookup(context.environment, dotenv.layers).find("ESC_ENV") !== undefined;
  if (!isNamed && typeof inEnvironment !== "string") {
    throw invalidSetting(
      "no ESC environment is named",
      'name it with --in organization/project/environment, or by ESC_ENV or "environment" of the contract',
    );
  }
  const isFound = (file: string): boolean =>
    file === OUTER_FILE || dotenv.files.some(({ path, found }) => found && path === file);
  const accessBy = async (token?: Setting): Promise<EscTarget | undefined> => {
    const options = { ...namedIn(inEnvironment), ...(token === undefined ? {} : { token }) };
    const { access, notices } = await findEscAccess(settings, context, options, { dotenv, contract });
    if (access.kind === "unconsented") throw notAllowed(unallowed(access, contract), "nothing was written: ");
    if (access.kind !== "on") return undefined;
    const chosen = notices.flatMap((one) =>
      one.kind === "environment-by-file" && !isDry && isFound(one.file) ? [one] : [],
    );
    const known = new Set([...reported, ...chosen].map((notice) => JSON.stringify(notice)));
    const unreported = [...dotenv.notices, ...notices].filter((notice) => !known.has(JSON.stringify(notice)));
    printNotices(context, settings, unreported);
    const target = { esc: access.settings, settings, context, contract };
    if (chosen.length === 0) return target;
    const chosenBy = enumerate(chosen.map(labelOf));
    if (!isConfirmed && canAsk(context)) return { ...target, chosenBy };
    const isOrganization = chosen.some(({ name }) => name !== "ESC_ENV");
    throw unconfirmed(chosenBy, remedy(nameFor(access.settings, isOrganization)), context);
  };
  const given = new VariableLookup(context.environment, []).findInProcess(ADMIN_TOKEN);
  const isOwn = isDry && !alwaysByAdmin && given === undefined;
  const target = (isOwn ? await accessBy() : undefined) ?? (await accessBy(given ?? (await typedToken(context))));
  if (target === undefined) throw new TypeError("neither a token nor an environment");
  return target;
}

/** Words the question before a change, with the setting of a found file that chose the environment. */
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

/** Returns the name of the only environment for a command, else the form of one. @param isFull with its organization */
function nameFor({ environments, organization }: EscSettings, isFull: boolean): string {
  const [only, ...others] = environments;
  if (only === undefined || others.length > 0) return "ORGANIZATION/PROJECT/ENVIRONMENT";
  const [full] = isFull ? candidates(only, organization) : [];
  return shellWord(full === undefined ? only.text : formatVersion(full));
}

/** Returns the environments of `--in`, in place of those of `ESC_ENV`. */
export function namedIn(inEnvironment: unknown): { readonly environments?: { value: string; option: string } } {
  return typeof inEnvironment === "string" ? { environments: { value: inEnvironment, option: "--in" } } : {};
}

async function typedToken(context: Context): Promise<Setting> {
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

/** @throws SophiaError (usage, 125) if several environments are named, or a revision */
export function requireOne(target: EscTarget): EscTarget {
  const { environments, namedBy } = target.esc;
  const [only, ...others] = environments;
  if (only === undefined || others.length > 0) {
    throw usageError(`${namedBy} names several environments`, "name the one to change with --in");
  }
  if (only.version !== undefined) {
    const { text } = only;
    throw usageError(
      `${printable(text)} is a revision or tag, which cannot be changed`,
      `name the environment itself: --in ${printable(text.replace(/@.*$/, ""))}`,
    );
  }
  return target;
}

type Ask<T> = (name: FullName, connection: Connection) => Promise<T>;

/** Asks the only environment of the target. @throws SophiaError (125) if it cannot be asked */
export async function askOne<T>(target: EscTarget, ask: Ask<T>): Promise<T> {
  const [result] = await askEach(target, ask);
  if (result === undefined) throw new TypeError("no environment was asked");
  return result;
}

/** Asks each environment of the target. @throws SophiaError (125) if one cannot be asked */
export async function askEach<T>({ esc, settings, context }: EscTarget, ask: Ask<T>): Promise<readonly T[]> {
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(esc, progress, ask).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(withCreation(answers.failure, esc));
  printNotices(context, settings, answers.remarks);
  return answers.results;
}

function withCreation(failure: Failure, { environments }: EscSettings): Failure {
  const [only, ...others] = environments;
  if (failure.code !== "esc-not-found" || only === undefined || others.length > 0) return failure;
  const command = `pulumi env init ${shellWord(only.text)}`;
  return { ...failure, details: [...(failure.details ?? []), `to create it: ${command}`] };
}

/** Restricts a target to an environment that was read. @throws SophiaError (esc-settings, 125) if its organization is unclear */
export function targetFor(name: FullName, target: EscTarget): EscTarget {
  const { esc } = target;
  const full = formatName(name);
  const asked = esc.environments.find(
    (one) => one.name === name.name && (one.project === name.project || one.project === name.organization),
  );
  const isOldForm =
    asked?.organization === undefined && asked?.project === name.organization && name.project === "default";
  if (isOldForm && esc.organization !== name.organization) {
    throw invalidSetting(
      `${printable(asked.text)} was found only as ${full}, and may mean another organization`,
      `to change ${full}, name it with --in ${full}`,
    );
  }
  return { ...target, esc: { ...esc, environments: [{ ...name, text: full, version: undefined }] } };
}
