/**
 * Collects the steps by which `init` sets a project up besides its contract: the work on package.json, .gitignore,
 * Dockerfile, …
 */
import { FETCH_TARBALL_COMMANDS, TARBALL_NAME } from "../parts/package-source.ts";
import { readFileIn } from "../parts/project-files.ts";
import { createAgentStep, type Agent } from "./agent-hooks.ts";
import { adviseOnExistingFiles, createExtraSteps, type Extra } from "./extras.ts";
import { createLinkSteps } from "./link-step.ts";
import { appendLines } from "./manifest-edits.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { createPackageSteps, startsPackageManager } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { createPythonSteps } from "./python.ts";
import type { SetupStep } from "./setup-step.ts";

interface SetupOptions {
  /** The extras that the user wants. */
  readonly extras: readonly Extra[];
  /** The agents whose settings get hooks. */
  readonly agents: readonly Agent[];
  /** True with `--edit-scripts`: init changes the start scripts of package.json without a question. */
  readonly editsScripts: boolean;
}

/**
 * Returns all steps. Advice comes last, so that the user finds what is left to do at the end of the output.
 *
 * @throws SophiaError (file, 125) for an agent's settings that cannot be changed
 */
export async function collectSetupSteps(survey: Survey, options: SetupOptions): Promise<readonly SetupStep[]> {
  const steps = [
    ...(await projectSteps(survey, options.editsScripts)),
    ...adviseOnExistingFiles(survey),
    ...options.extras.flatMap((extra) => createExtraSteps(extra, survey)),
    ...(await Promise.all(options.agents.map((agent) => createAgentStep(agent, survey)))),
  ];
  const isAdvice = ({ kind }: SetupStep): boolean => kind === "advise";
  return [...steps.filter((step) => !isAdvice(step)), ...steps.filter(isAdvice)];
}

/** Returns the steps for the files that declare dependencies and scripts, and for .gitignore. */
async function projectSteps(survey: Survey, editsScripts: boolean): Promise<readonly SetupStep[]> {
  const { project, packageJson, pyproject, fileExists, read } = survey;
  const { add, addToRoot = add } = NODE_TOOLS[project.node.name];
  const { hasMembers, member, root } = project.workspace;
  const isWorkspaceRoot = hasMembers && member === "";
  const pythonFile = pyproject === undefined ? "requirements.txt" : "pyproject.toml";
  return [
    ...createPackageSteps(packageJson, {
      addCommands: [...(fileExists(TARBALL_NAME) ? [] : FETCH_TARBALL_COMMANDS), isWorkspaceRoot ? addToRoot : add],
      editsScripts: editsScripts,
      fileExists,
      isStartedByPackageManager: startsPackageManager(survey.dockerfile, await read("Procfile")),
      hasRootDependency: usesRootsDependency(project),
    }),
    ...createPythonSteps(pythonFile, pyproject ?? (await read(pythonFile)), project.python, fileExists),
    ...gitignoreSteps(fileExists(".git"), await read(".gitignore")),
    ...createLinkSteps(project, await readFileIn(root, ".yarnrc.yml")),
  ];
}

/** Returns an offer to ignore `.env` and `.env.override`, unless lines such as `.env*` or `/.env` ignore them already. */
function gitignoreSteps(isRepository: boolean, text = ""): readonly SetupStep[] {
  const isIgnored = (suffix: string): boolean => new RegExp(`^[/*]*\\.env(?:\\.?\\*|${suffix}\\s*$)`, "m").test(text);
  const lines = [...(isIgnored("") ? [] : [".env"]), ...(isIgnored("\\.override") ? [] : [".env.override"])];
  if (!isRepository || lines.length === 0) return [];
  const title = "add, so that no value is committed";
  const edit = (currentText: string): string => appendLines(currentText, lines);
  return [{ kind: "offer", file: ".gitignore", title, lines, replaced: [], edit, isLink: false }];
}
