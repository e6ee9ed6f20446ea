/** Dockerfile, devcontainer and workflow: lines to add to those that exist, and new ones that the user asks for. */
import { parse } from "jsonc-parser";
import { REPOSITORY } from "../../core/package-source.ts";
import { shellWord } from "../../core/shell.ts";
import { dockerfileAdvice, newDockerfile } from "./dockerfile.ts";
import { commandsFor } from "./node-tools.ts";
import { objectOf } from "./package-json.ts";
import type { Project, Survey } from "./project.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { impossible, type SetupStep } from "./setup-step.ts";
import { devcontainerText, workflowText } from "./templates.ts";

/** The values of `--with`, and the files that each creates. */
export const EXTRAS = {
  docker: "Dockerfile and .dockerignore",
  devcontainer: "a devcontainer that runs the check",
  actions: "a workflow that runs the check",
} as const;
export type Extra = keyof typeof EXTRAS;
export const EXTRA_NAMES: readonly Extra[] = ["docker", "devcontainer", "actions"];

const WORKFLOW = ".github/workflows/configuration.yml";

export function adviceForExisting({ project, dockerfile, devcontainer }: Survey): readonly SetupStep[] {
  return [
    ...(dockerfile === undefined ? [] : [dockerfileAdvice(dockerfile, project)]),
    ...(devcontainer.text === undefined ? [] : [devcontainerAdvice(devcontainer.file, devcontainer.text, project)]),
  ];
}

/** Returns the steps that create the missing files of an extra. */
export function stepsForExtra(extra: Extra, survey: Survey): readonly SetupStep[] {
  const { dockerfile, devcontainer, workflows } = survey;
  switch (extra) {
    case "docker":
      return dockerfile === undefined ? newDockerfile(survey) : [];
    case "devcontainer":
      return devcontainer.text === undefined ? [newDevcontainer(survey)] : [];
    case "actions":
      return workflows.some((text) => /\bsophia-run\b/.test(text)) ? [] : [newWorkflow(survey)];
  }
}

function newDevcontainer({ project, devcontainer: { file } }: Survey): SetupStep {
  const { manifest, node, workspace, name } = project;
  const { devcontainer, locks } = commandsFor(node);
  if (manifest === undefined) return impossible(file, "there is no package.json");
  if (workspace.member !== "") return impossible(file, "it belongs in the root of the workspace: start init there");
  if (!node.isLocked) return impossible(file, `there is no ${locks[0]}`);
  return { kind: "create", file, text: devcontainerText(name, devcontainer) };
}

/** A command that installs packages already, so that none is added. */
const INSTALLS =
  /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|uv sync|(?:pip|poetry|pdm) install)\b/;

/** Returns the keys that a devcontainer.json lacks, merged with those that it has. */
export function devcontainerAdvice(file: string, text: string, project: Project): SetupStep {
  if (/\bsophia-run\b/.test(text)) return { kind: "ready", file };
  const config = objectOf(parse(text, [], { allowTrailingComma: true })) ?? {};
  const isNode = project.manifest !== undefined;
  const tool = project.python === undefined ? undefined : PYTHON_TOOLS[project.python];
  const { install, check } = isNode
    ? commandsFor(project.node).devcontainer
    : { install: tool?.install, check: `${tool?.run ?? ""}sophia-run check` };
  const create = config["postCreateCommand"];
  const isInstalled = install === undefined || INSTALLS.test(JSON.stringify(create ?? ""));
  const changed = {
    // JSON.stringify leaves out what is undefined.
    postCreateCommand: isInstalled ? undefined : merged(create, install),
    postStartCommand: merged(config["postStartCommand"], check),
    remoteEnv: {
      // oxlint-disable no-template-curly-in-string -- the devcontainer's own variables
      ESC_ENV: "${localEnv:ESC_ENV}",
      ESC_TOKEN: "${localEnv:ESC_TOKEN}",
      ...(isNode ? { PATH: "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}" } : {}),
      // oxlint-enable no-template-curly-in-string
      ...objectOf(config["remoteEnv"]),
    },
  };
  const isThere = Object.entries(changed).some(([key, value]) => value !== undefined && key in config);
  const lines = JSON.stringify(changed, undefined, 2).split("\n").slice(1, -1);
  const title = isThere ? "add, replacing the keys that it has already" : "add";
  return { kind: "advise", file, title, lines: lines.map((line) => line.slice(2)) };
}

/** Adds a command to one of any form that https://containers.dev/implementors/json_reference/ allows. */
function merged(former: unknown, command: string): unknown {
  if (typeof former === "string" && former.trim() !== "") return `${former} && ${command}`;
  if (Array.isArray(former) && former.length > 0)
    return `${former.map((word) => shellWord(String(word))).join(" ")} && ${command}`;
  const parallel = objectOf(former);
  return parallel === undefined ? command : { ...parallel, "sophia-run": command };
}

function newWorkflow({ project, isRepository }: Survey): SetupStep {
  const { manifest, node, workspace } = project;
  const { locks, workflow, install } = commandsFor(node);
  if (manifest === undefined) {
    return impossible(WORKFLOW, `there is no package.json; see ${REPOSITORY}/blob/main/docs/github-action.md`);
  }
  if (workspace.member !== "" || !isRepository)
    return impossible(WORKFLOW, "it belongs in the root of the repository: start init there");
  if (!node.isLocked) return impossible(WORKFLOW, `there is no ${locks[0]}`);
  return { kind: "create", file: WORKFLOW, text: workflowText({ ...workflow, install }) };
}
