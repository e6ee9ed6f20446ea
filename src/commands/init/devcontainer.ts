/** The devcontainer as a place of use: a new file, or what an existing one lacks, joined with what it has. */
import { parse } from "jsonc-parser";
import { shellWord } from "../../core/shell.ts";
import { NODE_TOOLS, withYarnVersion } from "./node-tools.ts";
import { objectOf, type Manifest, type Place, type Project } from "./place.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { devcontainerText } from "./templates.ts";

/** A command that installs packages: a second one is not needed. */
const INSTALLS =
  /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|uv sync|(?:pip|poetry|pdm) install)\b/;

/** @param file the one to create */
export function newDevcontainer(file: string, project: Project): readonly Place[] {
  const impossible = (why: string): readonly Place[] => [{ kind: "impossible", file, why }];
  if (project.manifest === undefined) return impossible("there is no package.json");
  if (project.workspace.member !== "") return impossible("it belongs in the root of the workspace: start init there");
  if (!project.node.isLocked) return impossible(`there is no ${NODE_TOOLS[project.node.name].locks[0] ?? "lock file"}`);
  return [{ kind: "create", file, text: devcontainerText(project.name, commandsFor(project)) }];
}

function commandsFor({ node }: Project): { readonly install: string; readonly check: string } {
  const { install, check } = NODE_TOOLS[node.name].devcontainer;
  return { install: withYarnVersion(install, node), check: withYarnVersion(check, node) };
}

/** Returns the keys that a devcontainer.json lacks, joined with those that it has. */
export function existingDevcontainer(file: string, text: string, project: Project): readonly Place[] {
  if (/\bsophia-run\b/.test(text)) return [{ kind: "ready", file }];
  const config = objectOf(parse(text, [], { allowTrailingComma: true })) ?? {};
  const isNode = project.manifest !== undefined;
  const tool = project.python === undefined ? undefined : PYTHON_TOOLS[project.python];
  const { install, check } = isNode
    ? commandsFor(project)
    : { install: tool?.install, check: `${tool?.run ?? ""}sophia-run check` };
  const variables: Record<string, string> = {
    // oxlint-disable no-template-curly-in-string -- the devcontainer's own variables
    ESC_ENV: "${localEnv:ESC_ENV}",
    ESC_TOKEN: "${localEnv:ESC_TOKEN}",
    ...(isNode ? { PATH: "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}" } : {}),
    // oxlint-enable no-template-curly-in-string
  };
  const create = config["postCreateCommand"];
  const changed = {
    ...(install === undefined || INSTALLS.test(JSON.stringify(create ?? ""))
      ? {}
      : { postCreateCommand: joined(create, install) }),
    postStartCommand: joined(config["postStartCommand"], check),
    remoteEnv: { ...variables, ...objectOf(config["remoteEnv"]) },
  };
  const isThere = Object.keys(changed).some((key) => key in config);
  const lines = JSON.stringify(changed, undefined, 2)
    .split("\n")
    .slice(1, -1)
    .map((line) => line.slice(2));
  return [{ kind: "advise", file, title: isThere ? "add, in place of what it has under the same keys" : "add", lines }];
}

/** One command after another, in the form that the first has: https://containers.dev/implementors/json_reference/. */
function joined(former: unknown, command: string): unknown {
  if (typeof former === "string" && former.trim() !== "") return `${former} && ${command}`;
  if (Array.isArray(former) && former.length > 0)
    return `${former.map((word) => shellWord(String(word))).join(" ")} && ${command}`;
  const parallel: Manifest | undefined = objectOf(former);
  return parallel === undefined ? command : { ...parallel, "sophia-run": command };
}
