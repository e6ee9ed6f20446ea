/**
 * Writes values to ESC, and describes what became of a change: it is in effect, it waits for an approval as a draft, or it
 * failed. `set`, `import`, `rotate`, `enforce` and `request` use the same words for that.
 */
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
 * @param requireUnchanged is called with each state before a write to it; throws if the state must not be changed
 * @returns the change that is in effect, or the exit status of a draft
 * @throws SophiaError (125)
 */
export async function writeValues(
  valuesToWrite: readonly ValueToWrite[],
  overwrite: Overwrite,
  target: EscTarget,
  requireUnchanged: (current: EnvironmentState) => void = () => {},
): Promise<ReturnType<typeof effectiveChange>> {
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
  return effectiveChange(result, target);
}

/**
 * Returns the change that is in effect. A draft is reported to the user with the commands that approve it, and its exit
 * status is returned.
 *
 * @throws SophiaError (125) for any other result
 */
export function effectiveChange(
  result: ChangeResult,
  { context, contract }: Pick<EscTarget, "context" | "contract">,
): EffectiveChange | typeof ExitStatus.draft {
  switch (result.kind) {
    case "done":
      return result;
    case "draft": {
      const { changeRequest: id, before } = result;
      printReport(context, [
        "",
        `⏸️ Not in effect yet: a change to ${formatName(before.name)} requires an approval. The change is a draft now.`,
        ...approvalLines({ id, organization: before.name.organization }, "then it is in effect"),
      ]);
      return ExitStatus.draft;
    }
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
        hint: `pulumi env edit ${formatName(result.after.name)} shows why; to undo: ${rollbackCommand(result.before)}`,
      });
  }
}

interface ChangeRequest {
  readonly id: string;
  readonly organization: string;
}

/** Returns the commands by which users look at a change request, approve it and apply it. @param effect of applying it */
export function approvalLines(request: ChangeRequest, effect: string): readonly Line[] {
  return [
    changeRequestCommand("get", request),
    `${changeRequestCommand("approve", request)}  # by another user`,
    `${changeRequestCommand("apply", request)}  # ${effect}`,
  ].map((text) => ({ text: `   ${text}`, noWrap: true }));
}

export function changeRequestCommand(verb: string, { id, organization }: ChangeRequest): string {
  return `pulumi env change-request ${verb} ${shellWord(id)} -o ${shellWord(organization)}`;
}

/** Describes which revision was replaced, with the command that restores it. */
export function revisionsText({ before, after }: EffectiveChange): string {
  const oldRevision = before.definition.revision;
  const newRevision = after.definition.revision;
  if (oldRevision === undefined || newRevision === undefined) return "The service does not report revisions.";
  return `Revision ${oldRevision} is now ${newRevision}.\n   To undo all of it: ${rollbackCommand(before)}`;
}

/** Returns the error for a variable that another user has set meanwhile. Programs may use that value already, so it is kept. */
export function changedMeanwhile(name: string, current: EnvironmentState): SophiaError {
  return new SophiaError({
    code: "esc-conflict",
    message: `nothing was changed: another user has changed ${printable(name)} meanwhile (${formatRevision(current)})`,
    hint: "start again to replace that value",
  });
}

/** Returns a SophiaError with further lines, which say what was done before it. Returns any other error as it is. */
export function withDetails(error: unknown, ...lines: readonly string[]): unknown {
  if (!(error instanceof SophiaError)) return error;
  const { code, message, hint, details, status } = error;
  const failure = { code, message, details: [...details, ...lines], ...(hint === undefined ? {} : { hint }) };
  return new SophiaError(failure, status);
}

/** Returns the value of a variable in an opened environment; undefined if ESC has none, or does not show it. */
export function valueIn({ opened }: Pick<EnvironmentState, "opened">, name: string): string | undefined {
  return opened.variables.find((variable) => variable.name === name)?.value;
}

function rollbackCommand({ name, definition: { revision } }: EnvironmentState): string {
  return revision === undefined ? "" : `pulumi env version rollback ${formatName(name)}@${revision}`;
}
