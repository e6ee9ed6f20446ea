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
  const worded = (message: string, remedy: string) => ({ message, remedy });
  switch (finding.kind) {
    case "overdue": {
      const name = printable(finding.name);
      const due = day(finding.due);
      return worded(`${name} ought to have been replaced by ${due}`, `sophia-run rotate ${shellWord(name)}`);
    }
    case "token-role": {
      const message = `The launcher's token may do more than open environments: its role is ${finding.role}`;
      return worded(message, "make one whose role is to open this environment alone (SECRETS.md)");
    }
    case "token-endless":
      return worded("The launcher's token has no end", "make one that ends in 90 days (SECRETS.md)");
    case "token-ends":
      return worded(`The launcher's token ends on ${day(finding.at)}`, "make a new one before (SECRETS.md)");
    case "tracked": {
      const remedy = `replace its secrets, then git rm --cached -- ${shellWord(finding.file)}`;
      return worded(`Git tracks ${finding.file}: who has the repository has its values`, remedy);
    }
    case "exposed": {
      const file = printable(finding.file);
      return worded(`${file} is world-readable`, `chmod 600 ${shellWord(file)}`);
    }
    case "repository-secret": {
      const { name, app } = finding;
      const shown = app === "actions" ? "Actions" : "Codespaces";
      return worded(`${name} is not among the repository's secrets for ${shown}`, `gh secret set ${name} --app ${app}`);
    }
  }
}
