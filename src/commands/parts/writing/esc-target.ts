/**
 * The environments of ESC that a command asks or changes, with the access to them. A command gets its target from
 * `writeAccess`, reads the environment with `askOnlyEnvironment`, and restricts the target to what was read
 * (`restrictTarget`), so that it writes where it has read.
 */
import type { Settings } from "../../../command-line/settings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure } from "../../../core/model.ts";
import { shellWord } from "../../../core/shell.ts";
import { printable } from "../../../core/text.ts";
import { askEsc } from "../../../esc/api/ask.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import { formatName, type FullName } from "../../../esc/settings/environment-names.ts";
import { invalidSetting } from "../../../esc/settings/variables.ts";
import type { Connection } from "../../../esc/transport/connection.ts";
import { makeProgress } from "../../../output/progress.ts";
import { printNotices } from "../../../output/print-notices.ts";
import { usageError } from "../usage-errors.ts";

export interface EscTarget {
  readonly esc: EscSettings;
  readonly settings: Settings;
  readonly context: Context;
  readonly contract: Contract;
  /** The settings of found files that decide where is written, such as `ESC_ENV in .env`: the question must name them. */
  readonly chosenBy?: string;
}

/** Returns the setting that puts the environments of `--in` in place of those of `ESC_ENV`; empty without `--in`. */
export function environmentsOfOption(inEnvironment: unknown): {
  readonly environments?: { value: string; option: string };
} {
  return typeof inEnvironment === "string" ? { environments: { value: inEnvironment, option: "--in" } } : {};
}

/** Returns the target if it names one environment. @throws SophiaError (usage, 125) if it names several, or a revision */
export function requireOnlyEnvironment(target: EscTarget): EscTarget {
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

type EnvironmentRequest<T> = (name: FullName, connection: Connection) => Promise<T>;

/** Sends a request about the only environment of the target. @throws SophiaError (125) if ESC does not answer it */
export async function askOnlyEnvironment<T>(target: EscTarget, request: EnvironmentRequest<T>): Promise<T> {
  const [result] = await askEachTargetEnvironment(target, request);
  if (result === undefined) throw new TypeError("no environment was asked");
  return result;
}

/** Sends a request about each environment of the target. @throws SophiaError (125) if ESC does not answer one of them */
export async function askEachTargetEnvironment<T>(
  { esc, settings, context }: EscTarget,
  request: EnvironmentRequest<T>,
): Promise<readonly T[]> {
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(esc, progress, request).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(withCreationCommand(answers.failure, esc));
  printNotices(context, settings, answers.remarks);
  return answers.results;
}

/** Adds the command that creates the environment to a failure that says that the only environment does not exist. */
function withCreationCommand(failure: Failure, { environments }: EscSettings): Failure {
  const [only, ...others] = environments;
  if (failure.code !== "esc-not-found" || only === undefined || others.length > 0) return failure;
  const command = `pulumi env init ${shellWord(only.text)}`;
  return { ...failure, details: [...(failure.details ?? []), `to create it: ${command}`] };
}

/**
 * Restricts a target to an environment that was read, under its full name.
 *
 * @throws SophiaError (esc-settings, 125) if the organization is unclear: of `acme/dev`, `acme` is a project or, in the old
 *   form, an organization. A read finds the environment in either way. A change must not guess.
 */
export function restrictTarget(name: FullName, target: EscTarget): EscTarget {
  const { esc } = target;
  const fullText = formatName(name);
  const named = esc.environments.find(
    (environment) =>
      environment.name === name.name &&
      (environment.project === name.project || environment.project === name.organization),
  );
  const isOldForm =
    named?.organization === undefined && named?.project === name.organization && name.project === "default";
  if (isOldForm && esc.organization !== name.organization) {
    throw invalidSetting(
      `${printable(named.text)} was found only as ${fullText}, and may mean another organization`,
      `to change ${fullText}, name it with --in ${fullText}`,
    );
  }
  return { ...target, esc: { ...esc, environments: [{ ...name, text: fullText, version: undefined }] } };
}
