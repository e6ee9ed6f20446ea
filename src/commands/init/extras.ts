/** Dockerfile, devcontainer and workflow: additions, and new ones that tests compare with examples/. */
import { parse } from "jsonc-parser";
import { shellWord } from "../../core/shell.ts";
import { dockerfileAdvice, newDockerfile } from "./dockerfile.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { objectOf } from "./package-json.ts";
import type { Project, Survey } from "./project-survey.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { impossible, type SetupStep } from "./setup-step.ts";
import { newWorkflow, WORKFLOW_NAMES } from "./workflow.ts";

/** The values of `--with`, and the files that each creates. */
export const EXTRAS = {
  docker: "Dockerfile and .dockerignore",
  devcontainer: "a devcontainer that runs the check",
  actions: "a workflow that runs the check",
  "actions-oidc": "the workflow without a stored token, by the action of sophia-run",
  "auth-actions": "the workflow without a stored token, by pulumi/auth-actions",
} as const;
export type Extra = keyof typeof EXTRAS;
export const EXTRA_NAMES: readonly Extra[] = ["docker", "devcontainer", ...WORKFLOW_NAMES];

export function adviceForExisting({ project, dockerfile, devcontainer, usesEsc }: Survey): readonly SetupStep[] {
  return [
    ...(dockerfile === undefined ? [] : [dockerfileAdvice(dockerfile, project)]),
    ...(devcontainer.text === undefined
      ? []
      : [devcontainerAdvice(devcontainer.file, devcontainer.text, project, usesEsc)]),
  ];
}

export function stepsForExtra(extra: Extra, survey: Survey): readonly SetupStep[] {
  const { dockerfile, devcontainer, workflows } = survey;
  switch (extra) {
    case "docker":
      return dockerfile === undefined ? newDockerfile(survey) : [];
    case "devcontainer":
      return devcontainer.text === undefined ? [newDevcontainer(survey)] : [];
    case "actions":
    case "actions-oidc":
    case "auth-actions":
      return workflows.some((text) => /\bsophia-run\b/.test(text)) ? [] : [newWorkflow(extra, survey)];
  }
}

function newDevcontainer({ project, devcontainer: { file }, usesEsc }: Survey): SetupStep {
  const { manifest, node, workspace, name } = project;
  const { devcontainer, locks } = commandsFor(node);
  if (manifest === undefined) return impossible(file, "there is no package.json");
  if (workspace.member !== "") return impossible(file, "it belongs in the root of the workspace: start init there");
  if (!node.isLocked) return impossible(file, `there is no ${locks[0]}`);
  return { kind: "create", file, text: devcontainerText(name, devcontainer, usesEsc) };
}

/** A command that installs packages already, so that none is added. */
const INSTALLS =
  /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|uv sync|(?:pip|poetry|pdm) install)\b/;

/** Returns the keys that a devcontainer.json lacks, merged with those that it has. */
export function devcontainerAdvice(file: string, text: string, project: Project, usesEsc: boolean): SetupStep {
  if (/\bsophia-run\b/.test(text)) return { kind: "ready", file };
  const config = objectOf(parse(text, [], { allowTrailingComma: true })) ?? {};
  const isNode = project.manifest !== undefined;
  const tool = project.python === undefined ? undefined : PYTHON_TOOLS[project.python];
  const { install, check } = isNode
    ? commandsFor(project.node).devcontainer
    : { install: tool?.install, check: `${tool?.run ?? ""}sophia-run check` };
  const create = config["postCreateCommand"];
  const isInstalled = install === undefined || INSTALLS.test(JSON.stringify(create ?? ""));
  const variables = {
    // oxlint-disable no-template-curly-in-string -- the devcontainer's own variables
    ...(usesEsc ? { ESC_ENV: "${localEnv:ESC_ENV}", ESC_TOKEN: "${localEnv:ESC_TOKEN}" } : {}),
    ...(isNode ? { PATH: "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}" } : {}),
    // oxlint-enable no-template-curly-in-string
  };
  const changed = {
    // JSON.stringify leaves out what is undefined.
    postCreateCommand: isInstalled ? undefined : merged(create, install),
    postStartCommand: merged(config["postStartCommand"], check),
    remoteEnv: Object.keys(variables).length === 0 ? undefined : { ...variables, ...objectOf(config["remoteEnv"]) },
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

const DEVCONTAINER_ESC = {
  secrets: `
  // Codespaces sets these two as environment variables, and asks for missing ones.
  "secrets": {
    "ESC_ENV": { "description": "The Pulumi ESC environment, such as sophia/dev" },
    "ESC_TOKEN": { "description": "A Pulumi access token that may open this environment, and nothing else" }
  },

  // Elsewhere they come from the machine that runs the container. Empty values are unset.
`,
  variables: `    "ESC_ENV": "\${localEnv:ESC_ENV}",
    "ESC_TOKEN": "\${localEnv:ESC_TOKEN}",
`,
};

function devcontainerText(
  name: string,
  { install, check }: NodeToolCommands["devcontainer"],
  usesEsc: boolean,
): string {
  const { secrets, variables } = usesEsc ? DEVCONTAINER_ESC : { secrets: "\n", variables: "" };
  return `{
  "name": ${JSON.stringify(name)},
  "image": "node:24-bookworm",
  "remoteUser": "node",
${secrets}  "remoteEnv": {
${variables}    "PATH": "\${containerWorkspaceFolder}/node_modules/.bin:\${containerEnv:PATH}"
  },

  "postCreateCommand": ${JSON.stringify(install)},
  "postStartCommand": ${JSON.stringify(check)}
}
`;
}
