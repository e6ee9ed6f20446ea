/**
 * The command `sophia-run rotate NAME`. It replaces the value of a variable in a Pulumi ESC environment: finds the environment
 * whose value a start would use, finds the new value, shows the change, asks the user, writes, and reads the value back.
 *
 * The new value comes from the user, is generated (`--generate`), is restored from an earlier revision of the environment (`--to`),
 * or is made by ESC itself (`fn::rotate`).
 */
import type { Values } from "../../command-line/options.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { declarationOf } from "../../contract/check-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { loadContract } from "../../contract/find-contract.ts";
import { describeVariableCredential } from "../../contract/looks-secret.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import {
  type ChangeResult,
  changeEnvironment,
  type EnvironmentState,
  formatRevision,
  readDespiteSchema,
} from "../../esc/api/change.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { askForConfirmation } from "../parts/confirm.ts";
import { conflictError } from "../parts/usage-errors.ts";
import {
  askEachTargetEnvironment,
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { findWriteTarget, createWriteQuestion } from "../parts/writing/write-access.ts";
import {
  createConflictError,
  type EffectiveChange,
  requireChangeOrDraft,
  findValue,
} from "../parts/writing/write-change.ts";
import { obtainNewValue } from "./new-value.ts";
import type { Replacement } from "./replacement.ts";
import { findRotatedProperty, rotateProperty } from "./rotated-by-esc.ts";
import { restoreFromRevision } from "./value-from-revision.ts";
import { findSource, isAbsent, createPlaceError, refuseComputed, type ValueSource } from "./value-source.ts";

/** The options of the command. */
interface RotateOptions {
  /** The environment of `--in`, as the user named it. */
  readonly inEnvironment: string | undefined;
  readonly isGenerated: boolean;
  /** The revision of `--to`. */
  readonly revision: string | undefined;
  readonly isDry: boolean;
  readonly isConfirmed: boolean;
}

/** A variable in the environment in which it will be changed. */
interface RotationTarget {
  readonly name: string;
  /** Undefined if the variable was removed from the environment, and `--to` restores it. */
  readonly source: ValueSource | undefined;
  readonly current: EnvironmentState;
  /** All environments that the user named. */
  readonly access: EscTarget;
  /** The same as `access`, restricted to the environment in which the variable will be changed. */
  readonly target: EscTarget;
}

/** Returns 0; 1 if the user declines, 3 if the change waits for an approval. @throws SophiaError (125) */
export const rotate: Command = async ({ options: values, positionals: [name = ""] }, context) => {
  const settings = resolveSettings(values, context.environment);
  const options = parseOptions(values);
  const contract = await loadContract(settings, context);
  const { isDry, isConfirmed, inEnvironment } = options;
  const access = await findWriteTarget(inEnvironment, settings, context, { isDry, isConfirmed, alwaysByAdmin: true });
  if (inEnvironment !== undefined) requireOnlyEnvironment(access);
  const rotation = await findTarget(name, options, access);
  const { source } = rotation;
  const property = source === undefined ? undefined : findRotatedProperty(source);
  return source !== undefined && property !== undefined
    ? rotateByEscItself(source, property, { rotation, options, context })
    : rotateStoredValue({ rotation, options, contract, context });
};

/** The parts of a run of this command. */
interface RotationRun {
  readonly rotation: RotationTarget;
  readonly options: RotateOptions;
  readonly context: Context;
}

/** Asks ESC for a new value of a property that ESC rotates. @returns the exit status @throws SophiaError (125) */
async function rotateByEscItself(
  source: ValueSource,
  property: string,
  { rotation, options, context }: RotationRun,
): Promise<number> {
  if (options.revision !== undefined || options.isGenerated) {
    throw createPlaceError(
      `ESC rotates ${printable(rotation.name)} itself (fn::rotate)`,
      "leave out --generate and --to",
    );
  }
  const isRotatedItself = source.defined.kind === "rotated";
  const description = isRotatedItself
    ? "ESC rotates it (fn::rotate)"
    : `refers to a value that ESC rotates: ${printable(property)} (fn::rotate)`;
  if (!(await confirmChange(description, rotation, options, context))) return chooseStatusIfUnwritten(options);
  const result = await rotateProperty(source, property, rotation.target);
  return reportResult(result, { rotation, options, context }, { canRestore: false });
}

/** Writes a new value into the definition. @returns the exit status @throws SophiaError (125) */
async function rotateStoredValue({
  rotation,
  options,
  contract,
  context,
}: RotationRun & { readonly contract: Contract }): Promise<number> {
  const { name, source, target } = rotation;
  if (source !== undefined) refuseComputed(name, source);
  const replacement = await findReplacement({ rotation, options, context }, contract);
  if (replacement.value === source?.variable.value) {
    printReport(context, `✅ ${describePlace(rotation)} already has this value.\n`);
    return ExitStatus.ok;
  }
  if (!(await confirmChange(replacement.description, rotation, options, context)))
    return chooseStatusIfUnwritten(options);
  const edit = (latest: EnvironmentState): string | undefined => editRevision(latest, replacement, rotation, options);
  const result = await askOnlyEnvironment(target, (fullName, connection) =>
    changeEnvironment(fullName, connection, edit, [replacement.value], readDespiteSchema),
  );
  return reportResult(result, { rotation, options, context }, { canRestore: source !== undefined });
}

/** Parses the options. @throws SophiaError (usage, 125) for options that cannot be used together */
function parseOptions(values: Values): RotateOptions {
  const isGenerated = values["generate"] === true;
  const revision = values["to"] === undefined ? undefined : String(values["to"]);
  if (isGenerated && revision !== undefined) throw conflictError("--generate", "--to");
  return {
    inEnvironment: typeof values["in"] === "string" ? values["in"] : undefined,
    isGenerated,
    revision,
    isDry: values["dry-run"] === true,
    isConfirmed: values["yes"] === true,
  };
}

/** Finds the environment in which the variable will be changed. @throws SophiaError (125) */
async function findTarget(name: string, { revision }: RotateOptions, access: EscTarget): Promise<RotationTarget> {
  const environments = await askEachTargetEnvironment(access, readDespiteSchema);
  // `--to` may restore a variable that was removed. With several environments it is unknown to which of them the revision belongs.
  const [onlyEnvironment, ...others] = environments;
  const isRemoved = revision !== undefined && others.length === 0 && isAbsent(name, environments);
  const source = isRemoved ? undefined : findSource(name, environments);
  const current = source?.current ?? onlyEnvironment;
  if (current === undefined) throw new TypeError("no environment was read");
  const target = restrictTarget(current.name, findRequestedTarget(current, access));
  return { name, source, current, access, target };
}

/** Returns the access to one environment as the user named it, so that messages use the same name. */
function findRequestedTarget({ name: fullName }: EnvironmentState, access: EscTarget): EscTarget {
  const requested = access.esc.environments.filter(({ name, project }) => {
    // In a name of two parts, the first part is a project or an organization.
    const isSameProject = project === undefined || project === fullName.project || project === fullName.organization;
    return name === fullName.name && isSameProject;
  });
  return requireOnlyEnvironment({ ...access, esc: { ...access.esc, environments: requested.slice(-1) } });
}

function describePlace({ name, current }: RotationTarget): string {
  return `${printable(name)} in ${printable(formatRevision(current))}`;
}

/** Finds the new value: in an earlier revision with `--to`, otherwise from the user or at random. @throws SophiaError (125) */
async function findReplacement(
  { rotation: { name, source, target }, options, context }: RotationRun,
  contract: Contract,
): Promise<Replacement> {
  if (options.revision !== undefined) return restoreFromRevision(name, options.revision, target);
  if (source === undefined) throw new TypeError("only --to allows a variable that does not exist");
  return createReplacement(name, source, options, contract, context);
}

/** Reads the new value from the user, or generates it. The value is stored in plain text only if nothing says that it is a secret. */
async function createReplacement(
  name: string,
  { variable, defined }: ValueSource,
  { isGenerated }: RotateOptions,
  contract: Contract,
  context: Context,
): Promise<Replacement> {
  const declaration = declarationOf(contract, name);
  const value = await obtainNewValue(name, declaration, isGenerated, variable.value, context);
  // A variable that the contract does not declare may be a secret.
  const isDeclaredSecret = declaration?.secret ?? true;
  const secret =
    isDeclaredSecret || defined.kind === "secret" || describeVariableCredential(contract, name, value) !== undefined;
  const description = `a ${isGenerated ? "generated" : "new"} value, ${secret ? "secret" : "plain text"}`;
  return { change: { kind: "value", name, value, secret }, value, description };
}

/** Shows the change and asks the user. Returns false, with the reason printed, if nothing may be written. */
async function confirmChange(
  description: string,
  rotation: RotationTarget,
  { isDry, isConfirmed }: RotateOptions,
  context: Context,
): Promise<boolean> {
  const { source, current, access } = rotation;
  const mark = source === undefined ? "+" : "~";
  printReport(context, `${describePlace(rotation)}:\n  ${mark} ${description}\n`);
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return false;
  }
  const question =
    access.chosenBy === undefined
      ? "Change it?"
      : createWriteQuestion(`Change it in ${formatName(current.name)}`, access);
  if (await askForConfirmation(question, isConfirmed, context)) return true;
  printReport(context, "Nothing was written.\n");
  return false;
}

/** Returns the exit status if nothing was written: a dry run succeeds, and a user who declines does not. */
function chooseStatusIfUnwritten({ isDry }: RotateOptions): number {
  return isDry ? ExitStatus.ok : ExitStatus.unmet;
}

/**
 * Returns the definition with the new value; undefined if it already has that value. It is called again for each revision that
 * another user writes meanwhile, and applies the same rules to it.
 *
 * @throws SophiaError (125) if the variable itself has changed
 */
function editRevision(
  latest: EnvironmentState,
  { change, value: newValue }: Replacement,
  { name, source }: RotationTarget,
  { revision }: RotateOptions,
): string | undefined {
  const latestValue = findValue(latest, name);
  if (latestValue === newValue) return undefined;
  if (latestValue !== source?.variable.value) throw createConflictError(name, latest);
  // `--to` may restore a variable that was removed, which has no place in the definition yet.
  const isRestored = revision !== undefined && isAbsent(name, [latest]);
  if (!isRestored) refuseComputed(name, findSource(name, [latest]));
  return setVariables(latest.definition.yaml, [change]);
}

interface ResultFacts {
  /** True if `--to` could restore the old value. */
  readonly canRestore: boolean;
}

/** Reports the change to the user. @returns the exit status @throws SophiaError (125) if the change has no effect */
function reportResult(
  result: ChangeResult,
  { rotation: { name, access }, options: { inEnvironment }, context }: RotationRun,
  facts: ResultFacts,
): number {
  const change = requireChangeOrDraft(result, access);
  // A change that waits for an approval has an exit status of its own.
  if (typeof change === "number") return change;
  printReport(context, createResultLines(name, change, inEnvironment, facts));
  return ExitStatus.ok;
}

function createResultLines(
  name: string,
  { before, after }: EffectiveChange,
  inEnvironment: string | undefined,
  { canRestore }: ResultFacts,
): readonly Line[] {
  const oldRevision = before.definition.revision;
  const newRevision = after.definition.revision;
  const shownName = printable(name);
  const inOption = inEnvironment === undefined ? "" : ` --in ${shellWord(inEnvironment)}`;
  const hasRevisions = oldRevision !== undefined && newRevision !== undefined;
  const revisions = hasRevisions ? ` Revision ${oldRevision} is now ${newRevision}.` : "";
  const restoreCommand = `sophia-run rotate ${shellWord(shownName)} --to ${oldRevision ?? ""}${inOption}`;
  return [
    `✅ ${shownName} has a new value in ${printable(formatName(after.name))}.${revisions}`,
    ...(hasRevisions && canRestore ? [`   To restore the old value: ${restoreCommand}`] : []),
    "",
    "Running programs still have the old value. sophia-run --watch restarts its program by itself; restart the " +
      "others by their names:",
    { text: "  docker compose up --detach --force-recreate", neverWraps: true },
    { text: "  kubectl rollout restart deployment/NAME", neverWraps: true },
    { text: "  sudo systemctl restart NAME", neverWraps: true },
    "Then run sophia-run check, and revoke the old value where it was issued.",
  ];
}
