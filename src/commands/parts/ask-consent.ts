/** Asks whether a file that was found may name an environment. Loaded only then. */
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { EscAccess, Proposal } from "../../esc/settings/access-settings.ts";
import { isInCi } from "../../access/unattended.ts";
import { ask, canAsk } from "./confirm.ts";
import { agentBy } from "../run/agents.ts";

/** A coding agent does not decide for its user, and what runs in CI has no user. */
export async function askConsent(
  proposal: Proposal,
  isLasting: boolean,
  context: Context,
): Promise<"yes" | Extract<EscAccess, { readonly kind: "unconsented" }>["why"]> {
  const { environment } = context;
  if (agentBy(environment) !== undefined) return "agent";
  if (!canAsk(context) || isInCi(environment)) return "not-asked";
  const question = [...proposalLines(proposal), isLasting ? "Allow it, from now on?" : "Allow it, for this start?"];
  return (await ask(question, context)) ? "yes" : "declined";
}

/** Says what would be opened, who chose it, and by which token. */
export function proposalLines({ environments, by, credential }: Proposal): readonly string[] {
  const many = environments.length > 1;
  const token = credential.file === undefined ? credential.name : `${credential.name} in ${printable(credential.file)}`;
  return [
    `${enumerate(by.map(({ name, file }) => `${name} in ${printable(file)}`))} names the ESC environment${many ? "s" : ""}`,
    ...environments.map((name) => `  ${printable(name)}`),
    `${many ? "They" : "It"} would be opened with your token (${token}), for the code of this project.`,
  ];
}
