/**
 * The extras of `init`: files besides the contract that `init --with` creates, which are a Dockerfile, a devcontainer.json
 * and a workflow of GitHub Actions. For a file that exists init only prints the lines to add. Tests compare the new files
 * with those in examples/.
 */
import { parse } from "jsonc-parser";
import { shellWord } from "../../core/shell.ts";
import { adviseOnDockerfile, createDockerfileSteps } from "./dockerfile.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { objectOf } from "./package-json.ts";
import type { Project, Survey } from "./project-survey.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { createRefusalStep, type SetupStep } from "./setup-step.ts";
import { createWorkflowStep, WORKFLOW_NAMES } from "./workflow.ts";

/** The values of `--with`, each with a description for the user. */
export const EXTRAS = {
  docker: "Dockerfile and .dockerignore",
  devcontainer: "a devcontainer that runs the check",
  actions: "a workflow that runs the check",
  "actions-oidc": "the workflow without a stored token, by the action of sophia-run",
  "auth-actions": "the workflow without a stored token, by pulumi/auth-actions",
} as const;
export type Extra = keyof typeof EXTRAS;
/** The names in the order in which init offers and creates the files. */
export const EXTRA_NAMES: readonly Extra[] = ["docker", "devcontainer", ...WORKFLOW_NAMES];

/** Returns the advice for a Dockerfile and a devcontainer.json that exist. */
export function adviseOnExistingFiles({ project, dockerfile, devcontainer, usesEsc }: Survey): readonly SetupStep[] {
  return [
    ...(dockerfile === undefined ? [] : [adviseOnDockerfile(dockerfile, project)]),
    ...(devcontainer.text === undefined
      ? []
      : [adviseOnDevcontainer(devcontainer.file, devcontainer.text, project, usesEsc)]),
  ];
}

/** Returns the steps that create the files of an extra; none if they exist already. */
export function createExtraSteps(extra: Extra, survey: Survey): readonly SetupStep[] {
  const { dockerfile, devcontainer, workflows } = survey;
  switch (extra) {
    case "docker":
      return dockerfile === undefined ? createDockerfileSteps(survey) : [];
    case "devcontainer":
      return devcontainer.text === undefined ? [newDevcontainer(survey)] : [];
    case "actions":
    case "actions-oidc":
    case "auth-actions":
      return workflows.some((text) => /\bsophia-run\b/.test(text)) ? [] : [createWorkflowStep(extra, survey)];
  }
}

/** Returns the step that creates a devcontainer.json, or advice that says why init cannot create it. */
function newDevcontainer({ project, devcontainer: { file }, usesEsc }: Survey): SetupStep {
  const { manifest, node, workspace, name } = project;
  const { devcontainer, lockFiles } = commandsFor(node);
  if (manifest === undefined) return createRefusalStep(file, "there is no package.json");
  if (workspace.member !== "")
    return createRefusalStep(file, "it belongs in the root of the workspace: start init there");
  if (!node.isLocked) return createRefusalStep(file, `there is no ${lockFiles[0]}`);
  return { kind: "create", file, text: devcontainerText(name, devcontainer, usesEsc) };
}

/** A command in devcontainer.json that installs packages. */
const INSTALL_COMMAND =
  /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|uv sync|(?:pip|poetry|pdm) install)\b/;

/**
 * Returns the advice for a devcontainer.json that exists: the keys that the user must add. For a key that the file has
 * already, the advice contains its present value as well, so that the user can replace it.
 */
export function adviseOnDevcontainer(file: string, text: string, project: Project, usesEsc: boolean): SetupStep {
  if (/\bsophia-run\b/.test(text)) return { kind: "ready", file };
  const config = objectOf(parse(text, [], { allowTrailingComma: true })) ?? {};
  const isNode = project.manifest !== undefined;
  const pythonTool = project.python === undefined ? undefined : PYTHON_TOOLS[project.python];
  const { install, check } = isNode
    ? commandsFor(project.node).devcontainer
    : { install: pythonTool?.install, check: `${pythonTool?.runPrefix ?? ""}sophia-run check` };
  const createCommand = config["postCreateCommand"];
  const isInstalledAlready = install === undefined || INSTALL_COMMAND.test(JSON.stringify(createCommand ?? ""));
  const variables = {
    // oxlint-disable no-template-curly-in-string -- the devcontainer's own variables
    ...(usesEsc ? { ESC_ENV: "${localEnv:ESC_ENV}", ESC_TOKEN: "${localEnv:ESC_TOKEN}" } : {}),
    ...(isNode ? { PATH: "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}" } : {}),
    // oxlint-enable no-template-curly-in-string
  };
  const newKeys = {
    // JSON.stringify leaves out members that are undefined.
    postCreateCommand: isInstalledAlready ? undefined : withCommand(createCommand, install),
    postStartCommand: withCommand(config["postStartCommand"], check),
    remoteEnv: Object.keys(variables).length === 0 ? undefined : { ...variables, ...objectOf(config["remoteEnv"]) },
  };
  const replacesKeys = Object.entries(newKeys).some(([key, value]) => value !== undefined && key in config);
  // Without the braces, since the lines go into the object of the file.
  const lines = JSON.stringify(newKeys, undefined, 2).split("\n").slice(1, -1);
  const title = replacesKeys ? "add, replacing the keys that it has already" : "add";
  return { kind: "advise", file, title, lines: lines.map((line) => line.slice(2)) };
}

/**
 * Adds a command to an existing one. That may be a text for a shell, a list of words, or an object of commands that run in
 * parallel: https://containers.dev/implementors/json_reference/
 */
function withCommand(existing: unknown, command: string): unknown {
  if (typeof existing === "string" && existing.trim() !== "") return `${existing} && ${command}`;
  if (Array.isArray(existing) && existing.length > 0) {
    return `${existing.map((word) => shellWord(String(word))).join(" ")} && ${command}`;
  }
  const parallelCommands = objectOf(existing);
  return parallelCommands === undefined ? command : { ...parallelCommands, "sophia-run": command };
}

/** The parts of a new devcontainer.json that pass the caller's access to ESC into the container. */
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
