/** Describes each finding of `audit` for the user: what the risk is, and how the user removes it. */
import { formatDay } from "../../core/day.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { PUBLIC_REMEDY } from "../../resolve/secret-values.ts";
import type { Finding } from "./findings.ts";

export interface FindingText {
  readonly message: string;
  /** A command that can be pasted, or an imperative. */
  readonly remedy: string;
}

/** Describes a finding without any value. */
export function describeFinding(finding: Finding): FindingText {
  switch (finding.kind) {
    case "overdue": {
      const name = printable(finding.name);
      return createFindingText(
        `${name} is overdue since ${formatDay(finding.due)}`,
        `sophia-run rotate ${shellWord(name)}`,
      );
    }
    case "token-role": {
      const message = `The launcher's token may do more than open environments: its role is ${finding.role}`;
      return createFindingText(message, "create one that may only open this environment (SECRETS.md)");
    }
    case "token-endless":
      return createFindingText("The launcher's token never expires", "create one that expires in 90 days (SECRETS.md)");
    case "token-ends":
      return createFindingText(
        `The launcher's token expires on ${formatDay(finding.at)}`,
        "create a new one before then (SECRETS.md)",
      );
    case "tracked": {
      const remedy = `replace its secrets, then git rm --cached -- ${shellWord(finding.file)}`;
      return createFindingText(`Git tracks ${finding.file}: all readers of the repository can read its values`, remedy);
    }
    case "exposed": {
      const file = printable(finding.file);
      return createFindingText(`${file} is world-readable`, `chmod 600 ${shellWord(file)}`);
    }
    case "schema-differs": {
      const environment = printable(finding.environment);
      const remedy = `sophia-run enforce --in ${shellWord(finding.environment)}`;
      return createFindingText(`The schema in ESC ${environment} is not what the contract gives`, remedy);
    }
    case "plain-text": {
      const name = printable(finding.name);
      return createFindingText(
        `${name} is plain text in ESC ${printable(finding.environment)}, but its value holds ${finding.credential}`,
        `sophia-run rotate ${shellWord(name)}`,
      );
    }
    case "called-public": {
      const message = `The contract declares ${printable(finding.name)} public, but its value holds ${finding.credential}`;
      return createFindingText(message, PUBLIC_REMEDY);
    }
    case "repository-secret": {
      const { name, app } = finding;
      const shownApp = app === "actions" ? "Actions" : "Codespaces";
      return createFindingText(
        `The repository has no secret ${name} for ${shownApp}`,
        `gh secret set ${name} --app ${app}`,
      );
    }
  }
}

function createFindingText(message: string, remedy: string): FindingText {
  return { message, remedy };
}
