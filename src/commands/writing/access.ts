import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import type { Failure, Notice } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { escAccess, type EscSettings } from "../../esc/settings/access.ts";
import { formatName, type FullName } from "../../esc/settings/names.ts";
import { ADMIN_TOKEN } from "../../esc/settings/own-variables.ts";
import { invalidSetting, type Setting, Variables } from "../../esc/settings/variables.ts";
import type { Connection } from "../../esc/transport/connection.ts";
import { makeProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { questionText } from "../../output/stderr.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { canAsk } from "../confirm.ts";
import { usageError } from "../mistakes.ts";

export interface EscTarget {
  readonly esc: EscSettings;
  readonly settings: Settings;
  readonly context: Context;
}

/**
 * Finds the access of a command that writes, and reports its notices. The token is `ESC_ADMIN_TOKEN` of the process
 * environment, or asked for at a terminal: never the launcher's own, and never one from a file.
 *
 * @param isDry nothing is written: without `ESC_ADMIN_TOKEN` the launcher's own credential is used
 * @throws SophiaError (125) if there is no token or no environment
 */
export async function writeAccess(
  inEnvironment: unknown,
  settings: Settings,
  context: Context,
  { isDry = false, reported = [] }: { readonly isDry?: boolean; readonly reported?: readonly Notice[] } = {},
): Promise<EscTarget> {
  const preventing = settings.fake ? "SOPHIA_FAKE" : settings.offline ? "SOPHIA_OFFLINE" : undefined;
  if (preventing !== undefined) throw usageError(`this command changes ESC, but ${preventing} is set`, "unset it");
  const dotenv = await readEnvFiles(settings, context.cwd, context.environment);
  const named = new Variables(context.environment, dotenv.layers).find("ESC_ENV");
  if (named === undefined && typeof inEnvironment !== "string") {
    throw invalidSetting(
      "no ESC environment is named",
      "name it with --in organization/project/environment, or set ESC_ENV",
    );
  }
  const accessBy = (token?: Setting): EscSettings | undefined => {
    const options = { ...settings, ...namedIn(inEnvironment), ...(token === undefined ? {} : { token }) };
    const { access, notices } = escAccess(context.environment, dotenv.layers, options);
    if (access.kind !== "on") return undefined;
    const known = new Set(reported.map((notice) => JSON.stringify(notice)));
    const unreported = [...dotenv.notices, ...notices].filter((notice) => !known.has(JSON.stringify(notice)));
    printNotices(context, settings, unreported);
    return access.settings;
  };
  const given = new Variables(context.environment, []).findInProcess(ADMIN_TOKEN);
  const esc = (isDry && given === undefined ? accessBy() : undefined) ?? accessBy(given ?? (await typedToken(context)));
  if (esc === undefined) throw new TypeError("neither a token nor an environment");
  return { esc, settings, context };
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
