/** Examines a folder for `init`: the project, its workspace, and the files that exist. */
import { existsSync, lstatSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { placeContract } from "../../contract/find-contract.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { fileUsesEsc, machineUsesEsc, namesEsc } from "../parts/esc-use.ts";
import { matchesGlob } from "../../resolve/name-globs.ts";
import { parentOf } from "../../system/paths.ts";
import { readIn, workflowsIn } from "../parts/project-files.ts";
import { projectRoot } from "../parts/project-root.ts";
import { nodeTool, type NodeInstaller } from "./node-tools.ts";
import { dependenciesIn, hasDependency, objectOf, parseManifest, type Manifest } from "./package-json.ts";
import { pyprojectOf, pythonTool, type PythonTool } from "./python.ts";
import type { StartSurroundings } from "./start-command.ts";
import { parseYaml, topEntry } from "./tools/yaml.ts";

const DEVCONTAINERS = [join(".devcontainer", "devcontainer.json"), ".devcontainer.json"];

export interface Project {
  readonly name: string;
  /** The name in package.json, without its scope, or in pyproject.toml. */
  readonly title: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly node: NodeInstaller;
  readonly workspace: Workspace;
  readonly python: PythonTool | undefined;
}

interface Workspace {
  /** The folder with the lock file: that of the project, unless it is a package of a workspace. */
  readonly root: string;
  /** The path of the project from the root, with slashes; empty for the root itself. */
  readonly member: string;
  readonly manifest: Manifest;
  /** The root's package.json or pnpm-workspace.yaml lists packages. */
  readonly hasMembers: boolean;
}

export interface Survey extends Omit<StartSurroundings, "runtime" | "isBuilt"> {
  readonly project: Project;
  /** The texts of files; undefined if they do not exist. */
  readonly packageJson: string | undefined;
  readonly pyproject: string | undefined;
  readonly dockerfile: string | undefined;
  /** The existing file, else the one to create. */
  readonly devcontainer: { readonly file: string; readonly text: string | undefined };
  readonly workflows: readonly string[];
  /** False in a folder below the root of a repository. */
  readonly isRoot: boolean;
  /** The path of the contract that applies to the folder; undefined if there is none yet. */
  readonly contract: string | undefined;
  /** The project uses Pulumi ESC: its contract, a workflow, or this machine has a setting of it. */
  readonly usesEsc: boolean;
  readonly isInRoot: (file: string) => boolean;
  readonly read: (file: string) => Promise<string | undefined>;
}

/**
 * Reads the files of a project; writes nothing.
 *
 * @param isForEsc what init creates is for ESC, whatever the project has
 * @throws SophiaError (file, 125) for a file that cannot be read
 */
export async function survey(settings: Settings, isForEsc: boolean, context: Context): Promise<Survey> {
  const { project } = context;
  const read = (file: string): Promise<string | undefined> => readIn(project, file);
  const isThere = (file: string): boolean => existsSync(join(project, file));
  const packageJson = await read("package.json");
  const manifest = packageJson === undefined ? undefined : (parseManifest(packageJson) ?? {});
  const pyproject = await read("pyproject.toml");
  const python = pyproject === undefined ? undefined : pyprojectOf(pyproject);
  const workspace = await workspaceOf(project);
  const isInRoot = (file: string): boolean => existsSync(join(workspace.root, file));
  // A dangling link counts as a file, since none can be created there.
  const isLinkOrFile = (file: string): boolean =>
    lstatSync(join(project, file), { throwIfNoEntry: false }) !== undefined;
  const workflows = (await workflowsIn(project)).map((file) => file.text);
  const contract = placeContract(undefined, project)?.path;
  const container = DEVCONTAINERS.find(isLinkOrFile) ?? DEVCONTAINERS[0] ?? "";
  return {
    project: {
      name: basename(project),
      title: titleOf(manifest?.["name"] ?? python?.name),
      manifest,
      node: nodeTool(workspace.manifest["packageManager"], await readIn(workspace.root, "yarn.lock"), isInRoot),
      workspace,
      python: pythonTool(python, isThere),
    },
    packageJson,
    pyproject,
    dockerfile: await read("Dockerfile"),
    devcontainer: { file: container, text: await read(container) },
    workflows,
    isRoot: projectRoot(project) === project,
    contract,
    usesEsc:
      isForEsc ||
      (contract !== undefined && fileUsesEsc(contract)) ||
      workflows.some(namesEsc) ||
      (await machineUsesEsc(settings, context)),
    commandsOf: await installedCommands([project, workspace.root], manifest ?? {}),
    isThere,
    isInRoot,
    read,
  };
}

const LONGEST_TITLE = 60;

function titleOf(name: unknown): string | undefined {
  const title = typeof name === "string" ? name.replace(/^@.*\//, "") : "";
  return title === "" || title.length > LONGEST_TITLE ? undefined : title;
}

async function manifestIn(folder: string): Promise<Manifest> {
  return parseManifest((await readIn(folder, "package.json")) ?? "") ?? {};
}

/** Reads the commands of the dependencies from `node_modules` of the folders, the nearest first. */
async function installedCommands(folders: readonly string[], manifest: Manifest): Promise<Survey["commandsOf"]> {
  const installed = folders.map((folder) => join(folder, "node_modules")).filter((one) => existsSync(one));
  const commands = new Map<string, readonly string[]>();
  for (const name of dependenciesIn(manifest, "dependencies", "devDependencies").keys()) {
    const folder = installed.map((one) => join(one, name)).find((one) => existsSync(join(one, "package.json")));
    const { bin } = folder === undefined ? {} : await manifestIn(folder);
    commands.set(name, typeof bin === "string" ? [name.replace(/^@.*\//, "")] : Object.keys(objectOf(bin) ?? {}));
  }
  return (packages) =>
    installed.length === 0 ? undefined : new Set(packages.flatMap((name) => commands.get(name) ?? []));
}

async function workspaceOf(cwd: string): Promise<Workspace> {
  const ownManifest = await manifestIn(cwd);
  const patterns = await memberPatterns(cwd, ownManifest);
  const alone: Workspace = { root: cwd, member: "", manifest: ownManifest, hasMembers: patterns !== undefined };
  if (patterns !== undefined) return alone;
  for (let folder = cwd; ;) {
    const parent = parentOf(folder);
    if (existsSync(join(folder, ".git")) || parent === folder) return alone;
    folder = parent;
    const manifest = await manifestIn(folder);
    const member = relative(folder, cwd).replaceAll(sep, "/");
    if (isMember(member, (await memberPatterns(folder, manifest)) ?? [])) {
      return { root: folder, member, manifest, hasMembers: true };
    }
  }
}

/** Returns the globs of a root's packages; undefined if the folder is no root. */
async function memberPatterns(folder: string, { workspaces }: Manifest): Promise<readonly string[] | undefined> {
  const own = Array.isArray(workspaces) ? workspaces : objectOf(workspaces)?.["packages"];
  const list = Array.isArray(own) ? own : pnpmPackages((await readIn(folder, "pnpm-workspace.yaml")) ?? "");
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : undefined;
}

/** Returns `packages` of pnpm-workspace.yaml; without it the file has only settings. */
function pnpmPackages(text: string): unknown {
  return objectOf(parseYaml(topEntry(text, "packages")))?.["packages"];
}

/** Matches a package's path: `*` is one folder, `**` any depth, and a pattern with `!` excludes. */
function isMember(member: string, patterns: readonly string[]): boolean {
  const fits = (pattern: string): boolean => {
    const glob = pattern.replace(/^\.\//, "").replace(/\/$/, "");
    if (glob.includes("**")) return matchesGlob(glob, member) || matchesGlob(glob.replaceAll("**/", ""), member);
    return glob.split("/").length === member.split("/").length && matchesGlob(glob, member);
  };
  const isExclusion = (pattern: string): boolean => pattern.startsWith("!");
  return (
    patterns.some((one) => !isExclusion(one) && fits(one)) &&
    !patterns.some((one) => isExclusion(one) && fits(one.slice(1)))
  );
}

/** Returns true if a package can use the dependency of its workspace's root, as with all but Yarn 2 and later. */
export function usesRootsDependency({ node, workspace }: Project): boolean {
  return workspace.member !== "" && node.name !== "yarn" && hasDependency(workspace.manifest);
}
