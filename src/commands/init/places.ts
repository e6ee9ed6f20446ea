/**
 * Dockerfile, devcontainer and workflow. For those that exist the lines to add are printed; a file is created only if the
 * user asks for it.
 */
import { parse } from "jsonc-parser";
import { REPOSITORY, WHEEL_IN_IMAGE } from "../../core/package-source.ts";
import { shellWord } from "../../core/shell.ts";
import { newImage } from "./image.ts";
import { commandsFor } from "./node-tools.ts";
import { impossible, objectOf, type Place } from "./place.ts";
import type { Project, Survey } from "./project.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { devcontainerText, workflowText } from "./templates.ts";

/** The values of `--with` with the files that each creates. */
export const EXTRAS = {
  docker: "Dockerfile and .dockerignore",
  devcontainer: "a devcontainer that runs the check",
  actions: "a workflow that runs the check",
} as const;
export type Extra = keyof typeof EXTRAS;
export const EXTRA_NAMES: readonly Extra[] = ["docker", "devcontainer", "actions"];

const WORKFLOW = ".github/workflows/configuration.yml";

export function existingPlaces({ project, dockerfile, devcontainer }: Survey): readonly Place[] {
  return [
    ...(dockerfile === undefined ? [] : existingImage(dockerfile, project)),
    ...(devcontainer.text === undefined ? [] : existingDevcontainer(devcontainer.file, devcontainer.text, project)),
  ];
}

/** Returns the files of an extra that are missing; nothing if they are there. */
export function newPlaces(extra: Extra, survey: Survey): readonly Place[] {
  const { dockerfile, devcontainer, workflows } = survey;
  switch (extra) {
    case "docker":
      return dockerfile === undefined ? newImage(survey) : [];
    case "devcontainer":
      return devcontainer.text === undefined ? [newDevcontainer(survey)] : [];
    case "actions":
      return workflows.some((text) => /\bsophia-run\b/.test(text)) ? [] : [newWorkflow(survey)];
  }
}

function existingImage(text: string, { manifest, python }: Project): readonly Place[] {
  const file = "Dockerfile";
  if (/^\s*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) return [{ kind: "ready", file }];
  const workdir = /^\s*WORKDIR\s+(\/\S*)\s*$/im.exec(text)?.[1] ?? "/app";
  const current = /^\s*ENTRYPOINT\s+\[(.*)\]\s*$/im.exec(text)?.[1]?.trim() ?? "";
  const lines = [
    ...(manifest === undefined && python !== undefined ? [`RUN pip install --no-cache-dir ${WHEEL_IN_IMAGE}`] : []),
    ...(manifest === undefined ? [] : [`ENV PATH=${workdir.replace(/\/$/, "")}/node_modules/.bin:$PATH`]),
    `ENTRYPOINT ["sophia-run", "--"${current === "" ? "" : `, ${current}`}]`,
  ];
  return [{ kind: "advise", file, lines }];
}

function newDevcontainer({ project, devcontainer: { file } }: Survey): Place {
  const { manifest, node, workspace, name } = project;
  const { devcontainer, locks } = commandsFor(node);
  if (manifest === undefined) return impossible(file, "there is no package.json");
  if (workspace.member !== "") return impossible(file, "it belongs in the root of the workspace: start init there");
  if (!node.isLocked) return impossible(file, `there is no ${locks[0]}`);
  return { kind: "create", file, text: devcontainerText(name, devcontainer) };
}

/** A command that installs packages: a second one is not needed. */
const INSTALLS =
  /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|uv sync|(?:pip|poetry|pdm) install)\b/;

/** Returns the keys that a devcontainer.json lacks, joined with those that it has. */
export function existingDevcontainer(file: string, text: string, project: Project): readonly Place[] {
  if (/\bsophia-run\b/.test(text)) return [{ kind: "ready", file }];
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
    postCreateCommand: isInstalled ? undefined : joined(create, install),
    postStartCommand: joined(config["postStartCommand"], check),
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
  const title = isThere ? "add, in place of what it has under the same keys" : "add";
  return [{ kind: "advise", file, title, lines: lines.map((line) => line.slice(2)) }];
}

/** Joins two commands in the form that the first has: https://containers.dev/implementors/json_reference/. */
function joined(former: unknown, command: string): unknown {
  if (typeof former === "string" && former.trim() !== "") return `${former} && ${command}`;
  if (Array.isArray(former) && former.length > 0)
    return `${former.map((word) => shellWord(String(word))).join(" ")} && ${command}`;
  const parallel = objectOf(former);
  return parallel === undefined ? command : { ...parallel, "sophia-run": command };
}

function newWorkflow({ project, isRepository }: Survey): Place {
  const { manifest, node, workspace } = project;
  const { locks, workflow, install } = commandsFor(node);
  if (manifest === undefined) {
    const other = `${REPOSITORY}/blob/main/docs/github-action.md`;
    return impossible(WORKFLOW, `there is no package.json; ${other} has one without`);
  }
  if (workspace.member !== "" || !isRepository)
    return impossible(WORKFLOW, "it belongs in the root of the repository: start init there");
  if (!node.isLocked) return impossible(WORKFLOW, `there is no ${locks[0]}`);
  return { kind: "create", file: WORKFLOW, text: workflowText({ ...workflow, install }) };
}
