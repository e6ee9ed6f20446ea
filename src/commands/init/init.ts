import { existsSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { enumerate } from "../../core/text.ts";
import type { Command } from "../command.ts";
import { canAsk } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { refuseLinks } from "../parts/project-files.ts";
import { AGENT_NAMES } from "./agent-hooks.ts";
import { askNames } from "./init-questions.ts";
import { EXTRA_NAMES, EXTRAS, stepsForExtra, type Extra } from "./extras.ts";
import { createContract } from "./new-contract.ts";
import { perform, printNext } from "./init-outcome.ts";
import { survey, type Survey } from "./project-survey.ts";
import { WORKFLOW_NAMES } from "./workflow.ts";
import { setupSteps } from "./setup.ts";
import { consented, makeOffers } from "./offers.ts";
import { targetFile, type SetupStep } from "./setup-step.ts";

export const init: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const { from, with: given } = options;
  const wanted = Array.isArray(given) ? given : undefined;
  const surveyed = await survey(
    settings,
    Array.isArray(from) && from.some((one) => one === "builtin" || one === "esc"),
    context,
  );
  const possible = possibleExtras(surveyed);
  const extras = wanted === undefined ? await askExtras(possible, context) : extrasIn(wanted);
  const agents = AGENT_NAMES.filter((name) => wanted?.includes(name));
  const steps = await setupSteps(surveyed, { extras, agents, edits: options["edit-scripts"] === true });
  const consents = { changes: options["yes"] === true, link: options["link"] === true };
  const offers = steps.filter((step) => step.kind === "offer");
  const made = consented(offers, consents);
  // Before the first file is written: a later refusal would leave the work half done.
  refuseLinkedFiles([...steps.filter(({ kind }) => kind === "create" || kind === "edit"), ...made], context);
  const { title, workspace } = surveyed.project;
  await createContract(Array.isArray(from) ? from : [], settings, { name: title, root: workspace.root }, context);
  for (const step of steps) if (step.kind !== "offer") perform(step, context);
  await makeOffers(offers, consents, context);
  const hasWorkflow = extras.some(isWorkflow);
  const left = possible.filter((name) => !extras.includes(name) && !(hasWorkflow && isWorkflow(name)));
  printNext(surveyed, left, context);
  return ExitStatus.ok;
};

/** Returns the extras of `--with`; `all` has the workflow with a stored token unless another one is named. */
function extrasIn(wanted: readonly string[]): readonly Extra[] {
  const named = EXTRA_NAMES.filter((name) => wanted.includes(name));
  const workflow = oneWorkflow(named);
  if (!wanted.includes("all")) return named;
  return EXTRA_NAMES.filter((name) => !isWorkflow(name) || name === (workflow ?? WORKFLOW_NAMES[0]));
}

/** @throws SophiaError (usage, 125) for two ways to the same file */
function oneWorkflow(names: readonly Extra[]): Extra | undefined {
  const [workflow, ...others] = names.filter(isWorkflow);
  if (others.length === 0) return workflow;
  throw usageError(`${enumerate(names.filter(isWorkflow))} write the same file`, "choose one of them");
}

function isWorkflow(name: Extra): boolean {
  return WORKFLOW_NAMES.some((workflow) => workflow === name);
}

/**
 * Returns the extras that init offers. A project that uses ESC has three workflows to choose from, wherever init offers one; a
 * project without ESC needs no token.
 */
function possibleExtras(surveyed: Survey): readonly Extra[] {
  const creates = (name: Extra): boolean => stepsForExtra(name, surveyed).some(({ kind }) => kind === "create");
  const [withStoredToken] = WORKFLOW_NAMES;
  const hasChoice = surveyed.usesEsc && creates(withStoredToken);
  return EXTRA_NAMES.filter((name) => creates(name) && (hasChoice || name === withStoredToken || !isWorkflow(name)));
}

async function askExtras(possible: readonly Extra[], context: Context): Promise<readonly Extra[]> {
  if (possible.length === 0 || !canAsk(context)) return [];
  const column = 14;
  const rows = possible.map((name) => name.padEnd(column) + EXTRAS[name]);
  const question = "Which? Numbers or names, `all`, or Enter for none:";
  const heading = "Besides the contract, init can create:";
  const chosen = await askNames(heading, rows, question, possible, context, column);
  // `all` means one workflow.
  const isAll = chosen.size === possible.length;
  const first = possible.find(isWorkflow);
  const extras = possible.filter((name) => chosen.has(name) && (!isAll || !isWorkflow(name) || name === first));
  oneWorkflow(extras);
  return extras;
}

function refuseLinkedFiles(written: readonly SetupStep[], context: Context): void {
  const contract = targetFile(CONTRACT_FILE_NAME, context);
  refuseLinks([
    ...(existsSync(contract.path) ? [] : [contract]),
    ...written.map(({ file }) => targetFile(file, context)),
  ]);
}
