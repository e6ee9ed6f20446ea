/**
 * The places of use besides package.json: Dockerfile, devcontainer, workflow. What exists is never overwritten, and nothing
 * is said of files that a project has no use for: they are created only where a lock file says what is installed in them.
 */
import { NODE_TOOLS } from "./node-tools.ts";
import { objectOf, type Manifest, type Place, type Project } from "./place.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { devcontainerText, DOCKERIGNORE, dockerfileText, workflowText } from "./templates.ts";

/** @param text undefined where there is none */
export function dockerfile(text: string | undefined, { manifest, node, python }: Project): readonly Place[] {
  const file = "Dockerfile";
  if (text === undefined) {
    if (manifest === undefined || !node.isLocked) return [];
    return [{ kind: "create", file, text: dockerfileText(NODE_TOOLS[node.name], tarballOf(manifest)) }];
  }
  if (/^\s*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) return [{ kind: "ready", file }];
  const workdir = /^\s*WORKDIR\s+(\/\S*)\s*$/im.exec(text)?.[1] ?? "/app";
  const current = /^\s*ENTRYPOINT\s+\[(.*)\]\s*$/im.exec(text)?.[1]?.trim() ?? "";
  const lines = [
    ...(manifest === undefined && python !== undefined ? ["RUN pip install --no-cache-dir sophia-run"] : []),
    ...(manifest === undefined ? [] : [`ENV PATH=${workdir.replace(/\/$/, "")}/node_modules/.bin:$PATH`]),
    `ENTRYPOINT ["sophia-run", "--"${current === "" ? "" : `, ${current}`}]`,
  ];
  return [{ kind: "advise", file, lines }];
}

/** Beside a Dockerfile of ours, which copies the whole folder: without it a `.env` file would be in the image. */
export function dockerignore(exists: boolean, [image]: readonly Place[]): readonly Place[] {
  return exists || image?.kind !== "create" ? [] : [{ kind: "create", file: ".dockerignore", text: DOCKERIGNORE }];
}

/**
 * @param file the one that exists, else the one to create
 * @param text undefined where there is none
 */
export function devcontainer(file: string, text: string | undefined, project: Project): readonly Place[] {
  const isNode = project.manifest !== undefined;
  const node = NODE_TOOLS[project.node.name].devcontainer;
  if (text === undefined) {
    return isNode && project.node.isLocked
      ? [{ kind: "create", file, text: devcontainerText(project.name, node) }]
      : [];
  }
  if (/\bsophia-run\b/.test(text)) return [{ kind: "ready", file }];
  const tool = isNode || project.python === undefined ? undefined : PYTHON_TOOLS[project.python];
  const install = isNode ? node.install : tool?.install;
  const variables = [
    // oxlint-disable no-template-curly-in-string -- the devcontainer's own variables
    '"ESC_ENV": "${localEnv:ESC_ENV}"',
    '"ESC_TOKEN": "${localEnv:ESC_TOKEN}"',
    ...(isNode ? ['"PATH": "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}"'] : []),
    // oxlint-enable no-template-curly-in-string
  ];
  const lines = [
    ...(install === undefined ? [] : [`"postCreateCommand": "${install}",`]),
    `"postStartCommand": "${isNode ? node.check : `${tool?.run ?? ""}sophia-run check`}",`,
    '"remoteEnv": {',
    ...variables.map((line, index) => `  ${line}${index < variables.length - 1 ? "," : ""}`),
    "}",
  ];
  return [{ kind: "advise", file, lines }];
}

/**
 * The workflow that checks the configuration.
 *
 * @param workflows the texts of those that the repository has; undefined where it has no .github
 */
export function workflow(workflows: readonly string[] | undefined, project: Project): readonly Place[] {
  const file = ".github/workflows/configuration.yml";
  if (workflows === undefined || project.manifest === undefined || !project.node.isLocked) return [];
  return workflows.some((text) => /\bsophia-run\b/.test(text))
    ? []
    : [{ kind: "create", file, text: workflowText(NODE_TOOLS[project.node.name]) }];
}

/** The tarball beside package.json from which npm installs sophia-run, if it does. */
function tarballOf(manifest: Manifest): string | undefined {
  const version = objectOf(manifest["dependencies"])?.["sophia-run"];
  return typeof version === "string" ? /^(?:file:)?(?:\.\/)?([\w.-]+\.tgz)$/.exec(version)?.[1] : undefined;
}
