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
import { askOne, type EscTarget } from "./write-access.ts";
import { type Candidate, isChange, type Overwrite, planner } from "./write-plan.ts";

export type EffectiveChange = Extract<ChangeResult, { kind: "done" }>;

/** Writes values; plans again if another user changes the environment, unless `refuse` throws. @throws SophiaError (125) */
export async function writeValues(
  candidates: readonly Candidate[],
  overwrite: Overwrite,
  target: EscTarget,
  refuse: (now: EnvironmentState) => void = () => {},
): Promise<ReturnType<typeof effectiveChange>> {
  const edit = (now: EnvironmentState): string | undefined => {
    refuse(now);
    const changes = candidates.map(planner(now, overwrite)).filter(isChange);
    if (changes.length === 0) return undefined;
    return setVariables(
      now.definition.yaml,
      changes.map(({ name, value, secret }) => ({ kind: "value", name, value, secret })),
    );
  };
  const values = candidates.map(({ value }) => value);
  const changed = await askOne(target, (name, connection) =>
    changeEnvironment(name, connection, edit, values, readOrEvaluate),
  );
  return effectiveChange(changed, target);
}

/** Reports a draft. @returns the change that is in effect, or a status @throws SophiaError (125) */
export function effectiveChange(
  changed: ChangeResult,
  { context, contract }: Pick<EscTarget, "context" | "contract">,
): EffectiveChange | typeof ExitStatus.draft {
  switch (changed.kind) {
    case "done":
      return changed;
    case "draft": {
      const { changeRequest: id, before } = changed;
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
        message: `nothing was changed: other users changed the definition ${changed.attempts} times meanwhile`,
        hint: "start again",
      });
    case "refused":
      throw new SophiaError({
        code: "esc-schema",
        message: `nothing was changed: a schema in ${formatName(changed.before.name)} refuses the new values`,
        hint: "correct the values, or the contract and then the schema: sophia-run enforce",
        details: describeSchemaRefusal(changed.diagnostics, contract),
      });
    case "without-effect":
      throw new SophiaError({
        code: "esc-not-in-effect",
        message: `${printable(formatRevision(changed.after))} was written, but the environment does not have the new value`,
        hint: `pulumi env edit ${formatName(changed.after.name)} shows why; to undo: ${rollback(changed.before)}`,
      });
  }
}

interface ChangeRequest {
  readonly id: string;
  readonly organization: string;
}

/** Returns the commands for an approval. @param effect of the last one */
export function approvalLines(request: ChangeRequest, effect: string): readonly Line[] {
  return [
    changeRequestCommand("get", request),
    `${changeRequestCommand("approve", request)}  # by another user`,
    `${changeRequestCommand("apply", request)}  # ${effect}`,
  ].map((text) => ({ text: `   ${text}`, whole: true }));
}

export function changeRequestCommand(verb: string, { id, organization }: ChangeRequest): string {
  return `pulumi env change-request ${verb} ${shellWord(id)} -o ${shellWord(organization)}`;
}

/** Words which revision was replaced, with the command that restores it. */
export function revisionsText({ before, after }: EffectiveChange): string {
  const [was, is] = [before.definition.revision, after.definition.revision];
  if (was === undefined || is === undefined) return "The service does not report revisions.";
  return `Revision ${was} is now ${is}.\n   To undo all of it: ${rollback(before)}`;
}

/** Returns the error for a value that another user has set meanwhile: it may be in use already. */
export function changedMeanwhile(name: string, now: EnvironmentState): SophiaError {
  return new SophiaError({
    code: "esc-conflict",
    message: `nothing was changed: another user has changed ${printable(name)} meanwhile (${formatRevision(now)})`,
    hint: "start again to replace that value",
  });
}

/** Adds lines about the resulting state to a SophiaError. Returns any other error as it is. */
export function withDetails(error: unknown, ...lines: readonly string[]): unknown {
  if (!(error instanceof SophiaError)) return error;
  const { code, message, hint, details, status } = error;
  const failure = { code, message, details: [...details, ...lines], ...(hint === undefined ? {} : { hint }) };
  return new SophiaError(failure, status);
}

/** Returns the value of a variable in an opened environment. */
export function valueIn({ opened }: Pick<EnvironmentState, "opened">, name: string): string | undefined {
  return opened.variables.find((one) => one.name === name)?.value;
}

function rollback({ name, definition: { revision } }: EnvironmentState): string {
  return revision === undefined ? "" : `pulumi env version rollback ${formatName(name)}@${revision}`;
}
