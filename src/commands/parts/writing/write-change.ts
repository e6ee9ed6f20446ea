/**
 * Writes values to Pulumi ESC, and describes the result of a change: the change is in effect, it waits for an approval as a draft,
 * or it failed. `set`, `import`, `rotate`, `enforce` and `request` share these texts.
 */
import type { Context } from "../../../core/context.ts";
import { ExitStatus, SophiaError } from "../../../core/error.ts";
import type { Line } from "../../../core/lines.ts";
import { shellWord } from "../../../core/shell.ts";
import { printable } from "../../../core/text.ts";
import {
  type ChangeResult,
  changeEnvironment,
  type EnvironmentState,
  formatRevision,
  readOrEvaluate,
} from "../../../esc/api/change.ts";
import { setVariables } from "../../../esc/definition/edit.ts";
import { formatName } from "../../../esc/settings/environment-names.ts";
import { printReport } from "../../../output/colour.ts";
import { describeSchemaRefusal } from "../enforcement/describe-schema-refusal.ts";
import { askOnlyEnvironment, type EscTarget } from "./esc-target.ts";
import type { ValueToWrite } from "./value-to-write.ts";
import { createPlanner, isChange, type Overwrite } from "./write-plan.ts";

export type EffectiveChange = Extract<ChangeResult, { kind: "done" }>;

/**
 * Writes values into the only environment of the target. If another user changes the environment at the same time, the values
 * are planned and written again on top of that change.
 *
 * @param overwrite which values of ESC may be replaced
 * @param requireUnchanged receives the state of the environment before each attempt to write, and throws if it must not be changed
 * @returns the change that is in effect, or the exit status for a draft
 * @throws SophiaError (125)
 */
export async function writeValues(
  valuesToWrite: readonly ValueToWrite[],
  overwrite: Overwrite,
  target: EscTarget,
  requireUnchanged: (current: EnvironmentState) => void = () => {},
): Promise<ReturnType<typeof requireChangeOrDraft>> {
  const edit = (current: EnvironmentState): string | undefined => {
    requireUnchanged(current);
    const changes = valuesToWrite.map(createPlanner(current, overwrite)).filter(isChange);
    if (changes.length === 0) return undefined;
    return setVariables(
      current.definition.yaml,
      changes.map(({ name, value, secret }) => ({ kind: "value", name, value, secret })),
    );
  };
  const valuesToMask = valuesToWrite.map(({ value }) => value);
  const result = await askOnlyEnvironment(target, (name, connection) =>
    changeEnvironment(name, connection, edit, valuesToMask, readOrEvaluate),
  );
  return requireChangeOrDraft(result, target);
}

/**
 * Returns the change if it is in effect. For a draft, prints the commands that approve it, and returns the exit status.
 *
 * @throws SophiaError (125) for any other result
 */
export function requireChangeOrDraft(
  result: ChangeResult,
  { context, contract }: Pick<EscTarget, "context" | "contract">,
): EffectiveChange | typeof ExitStatus.draft {
  switch (result.kind) {
    case "done":
      return result;
    case "draft":
      printDraft(result, context);
      return ExitStatus.draft;
    case "conflict":
      throw new SophiaError({
        code: "esc-conflict",
        message: `nothing was changed: other users changed the definition ${result.attempts} times meanwhile`,
        hint: "start again",
      });
    case "refused":
      throw new SophiaError({
        code: "esc-schema",
        message: `nothing was changed: a schema in ${formatName(result.before.name)} refuses the new values`,
        hint: "correct the values, or the contract and then the schema: sophia-run enforce",
        details: describeSchemaRefusal(result.diagnostics, contract),
      });
    case "without-effect":
      throw new SophiaError({
        code: "esc-not-in-effect",
        message: `${printable(formatRevision(result.after))} was written, but the environment does not have the new value`,
        hint: `pulumi env edit ${formatName(result.after.name)} shows why; to undo: ${createRollbackCommand(result.before)}`,
      });
  }
}

/** Prints the commands that approve a draft and put it into effect. */
function printDraft(
  { changeRequest: id, before: { name } }: Extract<ChangeResult, { kind: "draft" }>,
  context: Context,
): void {
  printReport(context, [
    "",
    `⏸️ Not in effect yet: a change to ${formatName(name)} requires an approval. The change is a draft now.`,
    ...createApprovalLines({ id, organization: name.organization }, "then it is in effect"),
  ]);
}

/** A draft in ESC that waits for an approval. */
interface ChangeRequest {
  readonly id: string;
  readonly organization: string;
}

/**
 * Returns the commands by which users look at a change request, approve it and apply it.
 *
 * @param effect describes what happens when the request is applied
 */
export function createApprovalLines(request: ChangeRequest, effect: string): readonly Line[] {
  return [
    createChangeRequestCommand("get", request),
    `${createChangeRequestCommand("approve", request)}  # by another user`,
    `${createChangeRequestCommand("apply", request)}  # ${effect}`,
  ].map((text) => ({ text: `   ${text}`, neverWraps: true }));
}

/** Returns a command of the Pulumi CLI. @param verb the action, such as `approve` */
export function createChangeRequestCommand(verb: string, { id, organization }: ChangeRequest): string {
  return `pulumi env change-request ${verb} ${shellWord(id)} -o ${shellWord(organization)}`;
}

/** Describes which revision the change has replaced, and names the command that restores it. */
export function describeRevisions({ before, after }: EffectiveChange): string {
  const oldRevision = before.definition.revision;
  const newRevision = after.definition.revision;
  if (oldRevision === undefined || newRevision === undefined) return "The service does not report revisions.";
  return `Revision ${oldRevision} is now ${newRevision}.\n   To undo all of it: ${createRollbackCommand(before)}`;
}

/**
 * Returns the error for a variable that another user has set since the user confirmed the change. That value is kept, because
 * programs may use it already.
 */
export function createConflictError(name: string, current: EnvironmentState): SophiaError {
  return new SophiaError({
    code: "esc-conflict",
    message: `nothing was changed: another user has changed ${printable(name)} meanwhile (${formatRevision(current)})`,
    hint: "start again to replace that value",
  });
}

/** Adds lines to a SophiaError, which describe what was done before the error. Returns any other error unchanged. */
export function addErrorDetails(error: unknown, ...lines: readonly string[]): unknown {
  if (!(error instanceof SophiaError)) return error;
  const { code, message, hint, details, status } = error;
  const failure = { code, message, details: [...details, ...lines], ...(hint === undefined ? {} : { hint }) };
  return new SophiaError(failure, status);
}

/** Returns the value of a variable in an environment; undefined if ESC has no value, or does not show it to this user. */
export function findValue({ opened }: Pick<EnvironmentState, "opened">, name: string): string | undefined {
  return opened.variables.find((variable) => variable.name === name)?.value;
}

/** Returns the command that restores a state; empty if the service does not report revisions. */
function createRollbackCommand({ name, definition: { revision } }: EnvironmentState): string {
  return revision === undefined ? "" : `pulumi env version rollback ${formatName(name)}@${revision}`;
}
