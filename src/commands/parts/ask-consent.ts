/**
 * Asks the user for consent if a file in the repository names a Pulumi ESC environment: the user's token would open that
 * environment for the code of the repository. This file is loaded only for such a question.
 */
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { EscAccess, Proposal } from "../../esc/settings/access-settings.ts";
import { isInCi } from "../../access/unattended.ts";
import { askYesOrNo, canAskUser } from "./confirm.ts";
import { findAgentVariable } from "../run/agents.ts";

/** The answer: `yes`, or the reason why there is no consent. */
type ConsentAnswer = "yes" | Extract<EscAccess, { readonly kind: "unconsented" }>["why"];

/**
 * Asks at the terminal. There is no question under a coding agent, which could answer in the user's place, nor in CI, where there
 * is no user.
 *
 * @param isLasting true if the consent will be stored; false if it holds for this start only
 */
export async function askConsent(proposal: Proposal, isLasting: boolean, context: Context): Promise<ConsentAnswer> {
  const { environment } = context;
  if (findAgentVariable(environment) !== undefined) return "agent";
  if (!canAskUser(context) || isInCi(environment)) return "not-asked";
  const question = isLasting ? "Allow it, from now on?" : "Allow it, for this start?";
  return (await askYesOrNo([...describeProposal(proposal), question], context)) ? "yes" : "declined";
}

/** Describes which environments would be opened, which files name them, and which token opens them. */
export function describeProposal({ environments, choices, credential }: Proposal): readonly string[] {
  const [noun, pronoun] = environments.length > 1 ? ["environments", "They"] : ["environment", "It"];
  const files = enumerate(choices.map(({ name, file }) => `${name} in ${printable(file)}`));
  const token = credential.file === undefined ? credential.name : `${credential.name} in ${printable(credential.file)}`;
  return [
    `${files} names the ESC ${noun}`,
    ...environments.map((name) => `  ${printable(name)}`),
    `${pronoun} would be opened with your token (${token}), for the code of this project.`,
  ];
}
