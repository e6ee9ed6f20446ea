/**
 * Finds the facts about a project that SECRETS.md states besides its contract: whether the project is on GitHub, which
 * workflows check it, and whether its values are in Pulumi ESC.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../contract/contract-model.ts";
import { contractUsesEsc, mentionsEscSetting } from "../parts/esc-use.ts";
import type { WorkflowFile } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import { GITHUB_HEADING, type ProjectFacts } from "./secrets-document.ts";

/** Reads the workflows of the repository. */
export type ReadWorkflows = () => Promise<readonly WorkflowFile[]>;

/** Matches a workflow that runs `sophia-run check`, by a command or by the action. */
const RUNS_CHECK = /\bsophia-run check\b|\buses:\s*sophia-platform\/sophia-run@/;

/** Finds the facts in the project. @param folder the folder of the contract */
export async function findProjectFacts(
  folder: string,
  readWorkflows: ReadWorkflows,
  usesEsc: boolean,
): Promise<ProjectFacts> {
  const checkingWorkflows = (await readWorkflows()).filter(({ text }) => RUNS_CHECK.test(text));
  const isOnGitHub = existsSync(join(findProjectRoot(folder), ".github"));
  return { isOnGitHub, workflows: checkingWorkflows.map(({ name }) => name), usesEsc };
}

/** Returns the facts that a written document states, so that `--check` does not report a new workflow as out of date. */
export function factsInDocument(document: string, usesEsc: boolean): ProjectFacts {
  const workflowLines = document.matchAll(/^- `gh run list --workflow ([^`]+)`/gm);
  const workflows = Array.from(workflowLines, ([, name = ""]) => name);
  return { isOnGitHub: document.includes(`\n${GITHUB_HEADING}\n`), workflows, usesEsc };
}

/**
 * Decides whether the documents also describe ESC. A contract that uses ESC decides it first, and then the documents that
 * exist. So the result of `--check` is the same on each machine. Only for new documents do the workflows and this machine
 * decide.
 *
 * @param existingTexts the documents that exist
 */
export async function decideEscUse(
  contract: Contract,
  existingTexts: readonly string[],
  readWorkflows: ReadWorkflows,
  usesEscOnMachine: () => Promise<boolean>,
): Promise<boolean> {
  if (contractUsesEsc(contract)) return true;
  if (existingTexts.length > 0) return existingTexts.some(mentionsEscSetting);
  const workflows = await readWorkflows();
  return workflows.some(({ text }) => mentionsEscSetting(text)) || usesEscOnMachine();
}
