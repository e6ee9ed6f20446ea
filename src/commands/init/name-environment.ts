/**
 * The questions and hints of `init` about the ESC environments in a new contract. A contract can name the environments that
 * have its values, so that its users need no `ESC_ENV`.
 */
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate } from "../../core/text.ts";
import { findConsentPath } from "../../access/consent.ts";
import { replaceConsents, mergeConsents } from "../../access/remembered-consents.ts";
import { askYesOrNo, canAskUser } from "../parts/confirm.ts";
import { findAgentVariable } from "../run/agents.ts";

/**
 * Asks whether the new contract names the ESC environments from which its variables come. Without a terminal, or if a
 * coding agent runs init, there is no question, and the contract does not name them.
 */
export async function askEnvironment(environments: readonly string[], context: Context): Promise<boolean> {
  if (environments.length === 0 || !canAskUser(context) || findAgentVariable(context.environment) !== undefined)
    return false;
  return askYesOrNo(
    [
      `The values are in ESC: ${enumerate(environments)}.`,
      "A contract that names this needs no ESC_ENV: each user's own token opens it, once the user has allowed that.",
      "Write it into the contract?",
    ],
    context,
  );
}

/**
 * Remembers that the user has allowed the new contract to open these environments, since the user has just agreed to write
 * them. Otherwise the next start would ask.
 *
 * @returns lines for the user if the consent could not be saved
 */
export async function allowWrittenEnvironments(
  environments: readonly string[],
  { environment, project }: Context,
): Promise<readonly Line[]> {
  const file = findConsentPath(CONTRACT_FILE_NAME, { cwd: project });
  // No consent can be saved for this file, so that each start asks.
  if (file === undefined) return [];
  const fault = await replaceConsents(environment, (consents) =>
    mergeConsents(
      consents,
      environments.map((name) => ({ file, environment: name })),
    ),
  );
  return fault === undefined ? [] : [`  not remembered as allowed: ${fault}`];
}

/** Explains how ESC itself can check the values by the contract; empty if the project has no values in ESC. */
export function enforcementLines(environments: readonly string[]): readonly Line[] {
  if (environments.length === 0) return [];
  return [
    "  to have ESC itself refuse values that violate the contract, once it is refined:",
    ...environments.map((name) => ({ text: `    sophia-run enforce --in ${shellWord(name)}`, neverWraps: true })),
  ];
}

/** Explains how to write the environments into the contract later. */
export function environmentLines(environments: readonly string[]): readonly Line[] {
  if (environments.length === 0) return [];
  const [first, ...others] = environments;
  const value = JSON.stringify(others.length === 0 ? first : environments);
  return [
    "  to name the ESC environment for all users of the contract, write in it:",
    { text: `    "environment": ${value}`, neverWraps: true },
  ];
}
