/**
 * The places of use besides package.json: Dockerfile, devcontainer, workflow. For those that exist the lines to add are said;
 * a file is created only where the user asks for it.
 */
import { existingDevcontainer, newDevcontainer } from "./devcontainer.ts";
import { newImage, type ImageSurroundings } from "./image.ts";
import { NODE_TOOLS, withYarnVersion } from "./node-tools.ts";
import type { Place, Project } from "./place.ts";
import { REPOSITORY, WHEEL_IN_IMAGE } from "../../core/package-source.ts";
import { workflowText } from "./templates.ts";

/** The values of `--with` with the files that each creates. */
export const EXTRAS = {
  docker: "Dockerfile and .dockerignore",
  devcontainer: "a devcontainer that runs the check",
  actions: "a workflow that runs the check",
} as const;
export type Extra = keyof typeof EXTRAS;
export const EXTRA_NAMES: readonly Extra[] = ["docker", "devcontainer", "actions"];

/** The files of the extras that a project has already. */
export interface Existing {
  readonly dockerfile: string | undefined;
  /** The one that exists, else the one to create. */
  readonly devcontainer: { readonly file: string; readonly text: string | undefined };
  /** The texts of the repository's workflows. */
  readonly workflows: readonly string[];
  /** The folder is that of the repository, as far as git knows. */
  readonly isRepository: boolean;
}

/** Returns the lines that existing files lack. */
export function existingPlaces(project: Project, { dockerfile, devcontainer }: Existing): readonly Place[] {
  return [
    ...(dockerfile === undefined ? [] : existingImage(dockerfile, project)),
    ...(devcontainer.text === undefined ? [] : existingDevcontainer(devcontainer.file, devcontainer.text, project)),
  ];
}

/** The files of an extra that are missing; nothing if they are there. */
export function newPlaces(
  extra: Extra,
  project: Project,
  existing: Existing,
  surroundings: ImageSurroundings,
): readonly Place[] {
  const { dockerfile, devcontainer } = existing;
  switch (extra) {
    case "docker":
      return dockerfile === undefined ? newImage(project, surroundings) : [];
    case "devcontainer":
      return devcontainer.text === undefined ? newDevcontainer(devcontainer.file, project) : [];
    case "actions":
      return newWorkflow(project, existing);
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

/** The workflow that checks the configuration; none where a workflow runs sophia-run already. */
function newWorkflow(project: Project, { workflows, isRepository }: Existing): readonly Place[] {
  const file = ".github/workflows/configuration.yml";
  const impossible = (why: string): readonly Place[] => [{ kind: "impossible", file, why }];
  if (workflows.some((text) => /\bsophia-run\b/.test(text))) return [];
  if (project.manifest === undefined)
    return impossible(`there is no package.json; ${REPOSITORY}/blob/main/docs/github-action.md has one without`);
  if (project.workspace.member !== "" || !isRepository)
    return impossible("it belongs in the root of the repository: start init there");
  const { locks, workflow } = NODE_TOOLS[project.node.name];
  if (!project.node.isLocked) return impossible(`there is no ${locks[0] ?? "lock file"}`);
  const { install, check, ...rest } = workflow;
  const { node } = project;
  const text = workflowText({ ...rest, install: withYarnVersion(install, node), check: withYarnVersion(check, node) });
  return [{ kind: "create", file, text }];
}
