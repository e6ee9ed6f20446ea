/** The findings of an audit and their words. */
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { day } from "../../core/day.ts";

export type Finding =
  | { readonly kind: "overdue"; readonly name: string; readonly due: Date }
  | { readonly kind: "token-role"; readonly role: string }
  | { readonly kind: "token-endless" }
  | { readonly kind: "token-ends"; readonly at: Date }
  | { readonly kind: "tracked"; readonly file: string }
  | { readonly kind: "exposed"; readonly file: string }
  | { readonly kind: "repository-secret"; readonly name: string; readonly app: "actions" | "codespaces" };

export function wordFinding(finding: Finding): { readonly message: string; readonly remedy: string } {
  switch (finding.kind) {
    case "overdue": {
      const name = printable(finding.name);
      return {
        message: `${name} ought to have been replaced by ${day(finding.due)}`,
        remedy: `sophia-run rotate ${shellWord(name)}`,
      };
    }
    case "token-role":
      return {
        message: `The launcher's token may do more than open environments: its role is ${finding.role}`,
        remedy: "make one whose role is to open this environment alone (SECRETS.md)",
      };
    case "token-endless":
      return { message: "The launcher's token has no end", remedy: "make one that ends in 90 days (SECRETS.md)" };
    case "token-ends":
      return {
        message: `The launcher's token ends on ${day(finding.at)}`,
        remedy: "make a new one before (SECRETS.md)",
      };
    case "tracked":
      return {
        message: `Git tracks ${finding.file}: who has the repository has its values`,
        remedy: `replace its secrets, then git rm --cached -- ${shellWord(finding.file)}`,
      };
    case "exposed":
      return {
        message: `${printable(finding.file)} is world-readable`,
        remedy: `chmod 600 ${shellWord(printable(finding.file))}`,
      };
    case "repository-secret":
      return {
        message: `${finding.name} is not among the repository's secrets for ${finding.app === "actions" ? "Actions" : "Codespaces"}`,
        remedy: `gh secret set ${finding.name} --app ${finding.app}`,
      };
  }
}
