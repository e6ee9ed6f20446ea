/** The survey of a folder for `init`: the project, and the places of use that exist. */
import { existsSync, lstatSync } from "node:fs";
import { basename, join } from "node:path";
import { findContract } from "../../contract/find.ts";
import type { Context } from "../../core/context.ts";
import { readIfThere } from "../files.ts";
import { projectRoot } from "../project-root.ts";
import { workflowsIn } from "../workflows.ts";
import type { ImageSurroundings } from "./image.ts";
import { installedCommands } from "./installed.ts";
import { nodeTool } from "./node-tools.ts";
import { parseManifest, type Project } from "./place.ts";
import type { Existing } from "./places.ts";
import { pythonTool } from "./python.ts";
import { workspaceOf } from "./workspace.ts";

const DEVCONTAINERS = [join(".devcontainer", "devcontainer.json"), ".devcontainer.json"];

/** The texts that decide, by the names of their files; undefined for one that is not there. */
export interface ProjectTexts {
  readonly manifest: string | undefined;
  readonly pyproject: string | undefined;
}

/** A folder as `init` sees it. */
export interface Survey {
  readonly project: Project;
  readonly texts: ProjectTexts;
  readonly existing: Existing;
  readonly image: ImageSurroundings;
  readonly isThere: (file: string) => boolean;
  readonly read: (file: string) => Promise<string | undefined>;
}

/** Reads what is there; writes nothing. @throws SophiaError (file, 125) for a file that cannot be read */
export async function survey({ cwd }: Context): Promise<Survey> {
  const read = (file: string): Promise<string | undefined> => readIfThere({ path: join(cwd, file), name: file });
  const isThere = (file: string): boolean => existsSync(join(cwd, file));
  const text = await read("package.json");
  // One that is not JSON is a manifest without anything in it.
  const manifest = text === undefined ? undefined : (parseManifest(text) ?? {});
  const pyproject = await read("pyproject.toml");
  const workspace = await workspaceOf(cwd);
  const inRoot = (file: string): string => join(workspace.root, file);
  const isInRoot = (file: string): boolean => existsSync(inRoot(file));
  const yarnLock = await readIfThere({ path: inRoot("yarn.lock"), name: "yarn.lock" });
  const container = DEVCONTAINERS.find((file) => isLinkOrFile(join(cwd, file))) ?? DEVCONTAINERS[0] ?? "";
  return {
    project: {
      name: basename(cwd),
      manifest,
      node: nodeTool(workspace.manifest["packageManager"], yarnLock, isInRoot),
      workspace,
      python: pythonTool(pyproject, isThere),
    },
    texts: { manifest: text, pyproject },
    existing: {
      dockerfile: await read("Dockerfile"),
      devcontainer: { file: container, text: await read(container) },
      workflows: (await workflowsIn(cwd)).map((file) => file.text),
      isRepository: projectRoot(cwd) === cwd,
    },
    image: {
      isThere,
      isInRoot,
      contract: findContract(cwd),
      commandsOf: await installedCommands([cwd, workspace.root], manifest ?? {}),
    },
    isThere,
    read,
  };
}

/** A link to nothing is there, too: no file can be created in its place. */
function isLinkOrFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
