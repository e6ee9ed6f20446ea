import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate } from "../../core/text.ts";
import { placeOf } from "../../access/consent.ts";
import { replaceConsents, withConsents } from "../../access/remembered-consents.ts";
import { ask, canAsk } from "../parts/confirm.ts";
import { agentBy } from "../run/agents.ts";

/** Asks whether the new contract names the ESC environments, so that others need no `ESC_ENV`. Without a terminal it does not. */
export async function askEnvironment(environments: readonly string[], context: Context): Promise<boolean> {
  if (environments.length === 0 || !canAsk(context) || agentBy(context.environment) !== undefined) return false;
  return ask(
    [
      `The values are in ESC: ${enumerate(environments)}.`,
      "A contract that names this needs no ESC_ENV: each user's own token opens it, once the user has allowed that.",
      "Write it into the contract?",
    ],
    context,
  );
}

/** Remembers that the user has written the names. */
export async function allowWritten(
  environments: readonly string[],
  { environment, project }: Context,
): Promise<readonly Line[]> {
  const file = placeOf(CONTRACT_FILE_NAME, { cwd: project });
  // Each start asks.
  if (file === undefined) return [];
  const trouble = await replaceConsents(environment, (now) =>
    withConsents(
      now,
      environments.map((name) => ({ file, environment: name })),
    ),
  );
  return trouble === undefined ? [] : [`  not remembered as allowed: ${trouble}`];
}

/** Says how ESC itself checks the values by the contract, for a project whose values are there. */
export function enforceRemark(environments: readonly string[]): readonly Line[] {
  if (environments.length === 0) return [];
  return [
    "  to have ESC itself refuse values that violate the contract, once it is refined:",
    ...environments.map((name) => ({ text: `    sophia-run enforce --in ${shellWord(name)}`, whole: true })),
  ];
}

/** Says how to name the environments later. */
export function environmentRemark(environments: readonly string[]): readonly Line[] {
  if (environments.length === 0) return [];
  const [only, ...others] = environments;
  const value = JSON.stringify(others.length === 0 ? only : environments);
  return [
    "  to name the ESC environment for all users of the contract, write in it:",
    { text: `    "environment": ${value}`, whole: true },
  ];
}
