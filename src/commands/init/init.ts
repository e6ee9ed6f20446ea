/**
 * The command `sophia-run init`. It examines the project, asks at a terminal which files to create, writes the contract,
 * and then creates or changes the other files, such as a Dockerfile or package.json.
 */
import { existsSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { enumerate } from "../../core/text.ts";
import type { Command } from "../command.ts";
import { canAskUser } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { refuseLinks } from "../parts/project-files.ts";
import { AGENT_NAMES } from "./agent-hooks.ts";
import { askNames } from "./init-questions.ts";
import { EXTRA_NAMES, EXTRAS, createExtraSteps, type Extra } from "./extras.ts";
import { createContract } from "./new-contract.ts";
import { performStep, printNextSteps } from "./init-outcome.ts";
import { surveyProject, type Survey } from "./project-survey.ts";
import { WORKFLOW_NAMES } from "./workflow.ts";
import { collectSetupSteps } from "./setup.ts";
import { agreedOffers, makeOffers } from "./offers.ts";
import { targetFile, type SetupStep } from "./setup-step.ts";

/**
 * Surveys the project, plans all changes, and then makes them. It always returns 0.
 *
 * @throws SophiaError (125) for wrong options, and for files that cannot be read or written
 */
export const init: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const sources = Array.isArray(options["from"]) ? options["from"] : [];
  const requestedFiles = Array.isArray(options["with"]) ? options["with"] : undefined;
  const isForEsc = sources.some((source) => source === "builtin" || source === "esc");
  const survey = await surveyProject(settings, isForEsc, context);

  const possibleExtras = findPossibleExtras(survey);
  const extras = requestedFiles === undefined ? await askExtras(possibleExtras, context) : parseExtras(requestedFiles);
  // `--with` names coding agents as well as extras. At the terminal, the user is asked only for extras.
  const agents = AGENT_NAMES.filter((name) => requestedFiles?.includes(name));
  const steps = await collectSetupSteps(survey, { extras, agents, editsScripts: options["edit-scripts"] === true });
  const offers = steps.filter((step) => step.kind === "offer");
  const consents = { changes: options["yes"] === true, link: options["link"] === true };

  // This must come before the first file is written: a later refusal would leave the work half done.
  const writingSteps = steps.filter(({ kind }) => kind === "create" || kind === "edit");
  refuseLinkedFiles([...writingSteps, ...agreedOffers(offers, consents)], context);
  const { title, workspace } = survey.project;
  await createContract(sources, settings, { name: title, root: workspace.root }, context);
  for (const step of steps) if (step.kind !== "offer") performStep(step, context);
  await makeOffers(offers, consents, context);
  printNextSteps(survey, listRemainingExtras(possibleExtras, extras), context);
  return ExitStatus.ok;
};

/** Returns the extras that the user may still create. All workflows write the same file, so that one is enough. */
function listRemainingExtras(possibleExtras: readonly Extra[], createdExtras: readonly Extra[]): readonly Extra[] {
  const hasWorkflow = createdExtras.some(isWorkflow);
  return possibleExtras.filter((extra) => !createdExtras.includes(extra) && !(hasWorkflow && isWorkflow(extra)));
}

/**
 * Returns the extras in the value of `--with`. `all` includes the workflow with a stored token, unless the user names
 * another workflow.
 */
function parseExtras(requestedFiles: readonly string[]): readonly Extra[] {
  const namedExtras = EXTRA_NAMES.filter((name) => requestedFiles.includes(name));
  // This call comes first, because it also refuses several workflows without `all`.
  const workflow = requireSingleWorkflow(namedExtras) ?? WORKFLOW_NAMES[0];
  if (!requestedFiles.includes("all")) return namedExtras;
  return EXTRA_NAMES.filter((name) => !isWorkflow(name) || name === workflow);
}

/**
 * Returns the workflow among the extras, or undefined if there is none.
 *
 * @throws SophiaError (usage, 125) for several workflows, which write the same file
 */
function requireSingleWorkflow(extras: readonly Extra[]): Extra | undefined {
  const workflows = extras.filter(isWorkflow);
  if (workflows.length <= 1) return workflows[0];
  throw usageError(`${enumerate(workflows)} write the same file`, "choose one of them");
}

function isWorkflow(extra: Extra): boolean {
  return WORKFLOW_NAMES.some((workflow) => workflow === extra);
}

/**
 * Returns the extras that init offers, since their files do not exist and can be created. A project that uses ESC may
 * choose among three workflows, which differ in the token for ESC. Other projects are offered one workflow, which needs no
 * token.
 */
function findPossibleExtras(survey: Survey): readonly Extra[] {
  const canCreate = (extra: Extra): boolean => createExtraSteps(extra, survey).some(({ kind }) => kind === "create");
  const [workflowWithStoredToken] = WORKFLOW_NAMES;
  const offersAllWorkflows = survey.usesEsc && canCreate(workflowWithStoredToken);
  return EXTRA_NAMES.filter((extra) => {
    const isOffered = !isWorkflow(extra) || offersAllWorkflows || extra === workflowWithStoredToken;
    return isOffered && canCreate(extra);
  });
}

/** The width of the column with the names of the extras: the longest name and two spaces. */
const NAME_COLUMNS = 14;

/** Asks at a terminal which extras to create. @throws SophiaError (usage, 125) if the user chooses several workflows */
async function askExtras(possibleExtras: readonly Extra[], context: Context): Promise<readonly Extra[]> {
  if (possibleExtras.length === 0 || !canAskUser(context)) return [];
  const heading = "Besides the contract, init can create:";
  const rows = possibleExtras.map((extra) => extra.padEnd(NAME_COLUMNS) + EXTRAS[extra]);
  const question = "Which? Numbers or names, `all`, or Enter for none:";
  const chosenNames = await askNames(
    { heading, names: possibleExtras, rows, rowIndent: NAME_COLUMNS, question },
    context,
  );
  // The answer `all` selects every row, but all workflows write the same file. So it stands for the first workflow.
  const choosesAll = chosenNames.size === possibleExtras.length;
  const firstWorkflow = possibleExtras.find(isWorkflow);
  const extras = possibleExtras.filter((extra) => {
    return chosenNames.has(extra) && (!choosesAll || !isWorkflow(extra) || extra === firstWorkflow);
  });
  requireSingleWorkflow(extras);
  return extras;
}

/** Refuses to write the contract or another file through a symbolic link. @throws SophiaError (file, 125) */
function refuseLinkedFiles(writingSteps: readonly SetupStep[], context: Context): void {
  const contract = targetFile(CONTRACT_FILE_NAME, context);
  const writtenFiles = writingSteps.map(({ file }) => targetFile(file, context));
  refuseLinks([...(existsSync(contract.path) ? [] : [contract]), ...writtenFiles]);
}
