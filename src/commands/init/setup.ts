/** The steps by which `init` sets a project up, besides its contract. */
import { FETCH_TARBALL, TARBALL } from "../parts/package-source.ts";
import { readIn } from "../parts/project-files.ts";
import { agentStep, type Agent } from "./agent-hooks.ts";
import { adviceForExisting, stepsForExtra, type Extra } from "./extras.ts";
import { linkSteps } from "./link-step.ts";
import { withLines } from "./manifest-edits.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { packageSteps, startsNpm } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { pythonSteps } from "./python.ts";
import type { SetupStep } from "./setup-step.ts";

interface Wishes {
  readonly extras: readonly Extra[];
  readonly agents: readonly Agent[];
  /** Scripts of package.json are changed, not only named. */
  readonly edits: boolean;
}

/** Returns all steps, those for the user last. @throws SophiaError (file, 125) for settings that cannot be changed */
export async function setupSteps(surveyed: Survey, { extras, agents, edits }: Wishes): Promise<readonly SetupStep[]> {
  const steps = [
    ...(await projectSteps(surveyed, edits)),
    ...adviceForExisting(surveyed),
    ...extras.flatMap((extra) => stepsForExtra(extra, surveyed)),
    ...(await Promise.all(agents.map((agent) => agentStep(agent, surveyed)))),
  ];
  const isAdvice = ({ kind }: SetupStep): number => Number(kind === "advise");
  return steps.toSorted((step, other) => isAdvice(step) - isAdvice(other));
}

async function projectSteps(surveyed: Survey, edits: boolean): Promise<readonly SetupStep[]> {
  const { project, packageJson, pyproject, isThere, read } = surveyed;
  const dependencies = pyproject === undefined ? "requirements.txt" : "pyproject.toml";
  const { add, addToRoot = add } = NODE_TOOLS[project.node.name];
  const { hasMembers, member, root } = project.workspace;
  const isRoot = hasMembers && member === "";
  return [
    ...packageSteps(packageJson, {
      add: [...(isThere(TARBALL) ? [] : FETCH_TARBALL), isRoot ? addToRoot : add],
      edit: edits,
      isThere,
      startsByNpm: startsNpm(surveyed.dockerfile, await read("Procfile")),
      isInRoot: usesRootsDependency(project),
    }),
    ...pythonSteps(dependencies, pyproject ?? (await read(dependencies)), project.python, isThere),
    ...gitignore(isThere(".git"), await read(".gitignore")),
    ...linkSteps(project, await readIn(root, ".yarnrc.yml")),
  ];
}

function gitignore(isRepository: boolean, text = ""): readonly SetupStep[] {
  const isIgnored = (end: string): boolean => new RegExp(`^[/*]*\\.env(?:\\.?\\*|${end}\\s*$)`, "m").test(text);
  const lines = [...(isIgnored("") ? [] : [".env"]), ...(isIgnored("\\.override") ? [] : [".env.override"])];
  if (!isRepository || lines.length === 0) return [];
  const title = "add, so that no value is committed";
  const edit = (current: string): string => withLines(current, lines);
  return [{ kind: "offer", file: ".gitignore", title, lines, replaced: [], edit, isLink: false }];
}
