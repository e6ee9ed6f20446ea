/**
 * The target of a command that changes Pulumi ESC: the environments, and the access to them. A command gets the target from
 * `findWriteTarget`, and reads the environment with `askOnlyEnvironment`. Then it restricts the target to the environment that was
 * read (`restrictTarget`), so that it cannot write into another one.
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
import { createProgress } from "../../../output/progress.ts";
import { printNotices } from "../../../output/print-notices.ts";
import { usageError } from "../usage-errors.ts";

export interface EscTarget {
  readonly esc: EscSettings;
  readonly settings: Settings;
  readonly context: Context;
  readonly contract: Contract;
  /**
   * The settings that chose the environment, such as `ESC_ENV in .env`, if they are in a file that sophia-run found by search. The
   * question before the change must name them.
   */
  readonly chosenBy?: string;
}

/** Returns the option of `findEscAccess` by which `--in` replaces `ESC_ENV`; no option if the user did not write `--in`. */
export function parseInOption(inEnvironment: unknown): {
  readonly environments?: { value: string; option: string };
} {
  return typeof inEnvironment === "string" ? { environments: { value: inEnvironment, option: "--in" } } : {};
}

/** Returns the target unchanged. @throws SophiaError (usage, 125) if it names several environments, or a revision */
export function requireOnlyEnvironment(target: EscTarget): EscTarget {
  const { environments, namedBy } = target.esc;
  const [environment, ...furtherEnvironments] = environments;
  if (environment === undefined || furtherEnvironments.length > 0) {
    throw usageError(`${namedBy} names several environments`, "name the one to change with --in");
  }
  if (environment.version !== undefined) {
    const { text } = environment;
    throw usageError(
      `${printable(text)} is a revision or tag, which cannot be changed`,
      `name the environment itself: --in ${printable(text.replace(/@.*$/, ""))}`,
    );
  }
  return target;
}

/** Sends requests about one environment, and returns what the command needs from the answers. */
type SendEnvironmentRequest<T> = (name: FullName, connection: Connection) => Promise<T>;

/** Sends a request about the only environment of the target. @throws SophiaError (125) if ESC does not answer it */
export async function askOnlyEnvironment<T>(target: EscTarget, request: SendEnvironmentRequest<T>): Promise<T> {
  const [result] = await askEachTargetEnvironment(target, request);
  if (result === undefined) throw new TypeError("no environment was asked");
  return result;
}

/** Sends a request about each environment of the target. @throws SophiaError (125) if ESC does not answer one of them */
export async function askEachTargetEnvironment<T>(
  { esc, settings, context }: EscTarget,
  request: SendEnvironmentRequest<T>,
): Promise<readonly T[]> {
  const progress = await createProgress(context, settings);
  const answers = await askEsc(esc, progress, request).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(addCreationCommand(answers.failure, esc));
  printNotices(context, settings, answers.remarks);
  return answers.results;
}

/** Adds the command that creates the environment to the failure of a request about the only environment, if it does not exist. */
function addCreationCommand(failure: Failure, { environments }: EscSettings): Failure {
  const [environment, ...furtherEnvironments] = environments;
  const isOnlyEnvironment = environment !== undefined && furtherEnvironments.length === 0;
  if (failure.code !== "esc-not-found" || !isOnlyEnvironment) return failure;
  const command = `pulumi env init ${shellWord(environment.text)}`;
  return { ...failure, details: [...(failure.details ?? []), `to create it: ${command}`] };
}

/**
 * Restricts a target to an environment that was read.
 *
 * @param name the full name of that environment
 * @throws SophiaError (esc-settings, 125) if the organization is unclear. In `acme/dev`, `acme` is a project or, in the old form of
 *   a name, an organization. A read tries both, but a change must not guess.
 */
export function restrictTarget(name: FullName, target: EscTarget): EscTarget {
  const { esc } = target;
  const fullName = formatName(name);
  const namedEnvironment = esc.environments.find(
    (environment) =>
      environment.name === name.name &&
      (environment.project === name.project || environment.project === name.organization),
  );
  const isOldForm =
    namedEnvironment?.organization === undefined &&
    namedEnvironment?.project === name.organization &&
    name.project === "default";
  if (isOldForm && esc.organization !== name.organization) {
    throw invalidSetting(
      `${printable(namedEnvironment.text)} was found only as ${fullName}, and may mean another organization`,
      `to change ${fullName}, name it with --in ${fullName}`,
    );
  }
  return { ...target, esc: { ...esc, environments: [{ ...name, text: fullName, version: undefined }] } };
}
