/** The parts of a project, besides its contract, that SECRETS.md can refer to. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.ts";
import { workflowsIn } from "../workflows.ts";
import type { ProjectFacts } from "./secrets-document.ts";

/** A step that runs the check, by the command or by the action. */
const RUNS_CHECK = /\bsophia-run check\b|\buses:\s*sophia-platform\/sophia-run@/;

/** Looks in the repository that the folder belongs to. */
export async function projectFacts(folder: string): Promise<ProjectFacts> {
  const root = projectRoot(folder);
  const workflows = (await workflowsIn(root)).filter(({ text }) => RUNS_CHECK.test(text));
  return { isOnGitHub: existsSync(join(root, ".github")), workflows: workflows.map(({ name }) => name) };
}
