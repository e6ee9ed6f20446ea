/** The outcome of a change, in words. */
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { type Changed, type Current, formatRevision } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/names.ts";
import { tell } from "../../output/colour.ts";

/** Reports a draft. @returns the change that is in effect, or a status @throws SophiaError (125) */
export function settleChange(
  changed: Changed,
  context: Context,
): Extract<Changed, { kind: "done" }> | typeof ExitStatus.draft {
  switch (changed.kind) {
    case "done":
      return changed;
    case "draft": {
      const { changeRequest, before } = changed;
      const { organization } = before.name;
      const command = (verb: string): string => changeRequestCommand(verb, { id: changeRequest, organization });
      tell(context, [
        "",
        `⏸️ Not in effect yet: changes of ${formatName(before.name)} have to be approved. It is a draft now.`,
        { text: `   ${command("get")}`, whole: true },
        { text: `   ${command("approve")}  # somebody else`, whole: true },
        { text: `   ${command("apply")}  # then it is in effect`, whole: true },
      ]);
      return ExitStatus.draft;
    }
    case "conflict":
      throw new SophiaError({
        code: "esc-conflict",
        message: `nothing was changed: others changed the definition ${changed.attempts} times meanwhile`,
        hint: "start again",
      });
    case "without-effect":
      throw new SophiaError({
        code: "esc-not-in-effect",
        message: `${printable(formatRevision(changed.after))} was written, and does not give what was written`,
        hint: `pulumi env edit ${formatName(changed.after.name)} shows why; back: ${wayBack(changed.before)}`,
      });
  }
}

/** The command that shows a change request or decides it, whatever the default organization. */
export function changeRequestCommand(
  verb: string,
  { id, organization }: { readonly id: string; readonly organization: string },
): string {
  return `pulumi env change-request ${verb} ${shellWord(printable(id))} -o ${shellWord(organization)}`;
}

/** `Revision 3 is now 4.`, and the command that restores the whole environment. */
export function revisionsText({ before, after }: Extract<Changed, { kind: "done" }>): string {
  const [was, is] = [before.definition.revision, after.definition.revision];
  if (was === undefined || is === undefined) return "The service does not tell revisions.";
  return `Revision ${was} is now ${is}.\n   All of it back: ${wayBack(before)}`;
}

/** The error for a value that another user has set meanwhile: it may be in use, so it is not replaced unseen. */
export function changedMeanwhile(name: string, now: Current): SophiaError {
  return new SophiaError({
    code: "esc-conflict",
    message: `nothing was changed: ${printable(name)} has another value in ${formatRevision(now)} than it had at first`,
    hint: "another user changes it, too; start again to replace that value",
  });
}

/** Adds lines to a failure: the state that it leaves. Returns any other error as it is. */
export function withDetails(error: unknown, ...lines: readonly string[]): unknown {
  if (!(error instanceof SophiaError)) return error;
  const { code, message, hint, details, status } = error;
  const failure = { code, message, details: [...details, ...lines], ...(hint === undefined ? {} : { hint }) };
  return new SophiaError(failure, status);
}

/** The value that an environment gives a variable; undefined if it gives none. */
export function valueIn({ opened }: Pick<Current, "opened">, name: string): string | undefined {
  return opened.variables.find((one) => one.name === name)?.value;
}

function wayBack({ name, definition: { revision } }: Current): string {
  return revision === undefined ? "" : `pulumi env version rollback ${formatName(name)}@${revision}`;
}
