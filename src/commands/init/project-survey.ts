/**
 * Examines a project for `init`: which package managers it uses, where the root of its workspace is, and which of the files
 * that init may change exist. All steps of init use this survey, so that each file is read once.
 */
import { existsSync, lstatSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { locateContract } from "../../contract/find-contract.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { contractFileUsesEsc, settingsUseEsc, mentionsEscSetting } from "../parts/esc-use.ts";
import { matchesGlob } from "../../resolve/name-globs.ts";
import { parentOf } from "../../system/paths.ts";
import { readFileIn, readWorkflowFiles } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import { findNodeInstaller, type NodeInstaller } from "./node-tools.ts";
import { dependenciesIn, hasDependency, objectOf, parseManifest, type Manifest } from "./package-json.ts";
import { parsePyproject, findPythonTool, type PythonTool } from "./python.ts";
import type { StartSurroundings } from "./start-command.ts";
import { parseYaml, topLevelEntry } from "./tools/yaml.ts";

/** The places of a devcontainer's settings. init creates a new file at the first one. */
const DEVCONTAINER_FILES = [join(".devcontainer", "devcontainer.json"), ".devcontainer.json"];

/** The tools of a project, and its place in a workspace. */
export interface Project {
  /** The name of the folder. */
  readonly name: string;
  /** The name in package.json, without its scope, or in pyproject.toml. */
  readonly title: string | undefined;
  /** The package.json of the folder; undefined if it does not exist. */
  readonly manifest: Manifest | undefined;
  readonly node: NodeInstaller;
  readonly workspace: Workspace;
  /** Undefined if the folder has no Python project. */
  readonly python: PythonTool | undefined;
}

/** A workspace: several packages with one lock file. A project outside of any workspace is the only package of its own. */
interface Workspace {
  /** The folder with the lock file. */
  readonly root: string;
  /** The path of the project from the root, with slashes; empty if the project is the root. */
  readonly member: string;
  /** The package.json of the root. */
  readonly manifest: Manifest;
  /** True if package.json or pnpm-workspace.yaml of the root lists packages. */
  readonly hasMembers: boolean;
}

/** The facts that init knows about a project. */
export interface Survey extends Pick<StartSurroundings, "fileExists" | "commandsOf"> {
  readonly project: Project;
  /** The text of package.json; undefined if it does not exist. */
  readonly packageJson: string | undefined;
  /** The text of pyproject.toml; undefined if it does not exist. */
  readonly pyproject: string | undefined;
  /** The text of Dockerfile; undefined if it does not exist. */
  readonly dockerfile: string | undefined;
  /** The devcontainer.json that exists, or the one that init would create. */
  readonly devcontainer: { readonly file: string; readonly text: string | undefined };
  /** The texts of the GitHub Actions workflows. */
  readonly workflows: readonly string[];
  /** True if the folder is the root of its repository. */
  readonly isRoot: boolean;
  /** The path of the contract that applies to the folder; undefined if there is none yet. */
  readonly contract: string | undefined;
  /**
   * True if the contract, a workflow or this computer has a setting of Pulumi ESC, or the user has asked for files that use
   * it.
   */
  readonly usesEsc: boolean;
  /** Returns true if a file exists in the root of the workspace. */
  readonly rootFileExists: (file: string) => boolean;
  /** Reads a file of the project; undefined if it does not exist. */
  readonly read: (file: string) => Promise<string | undefined>;
}

/**
 * Reads the files of a project; writes nothing.
 *
 * @param isForEsc true if the user has asked for files that use ESC, even if the project does not use ESC yet
 * @throws SophiaError (file, 125) for a file that cannot be read
 */
export async function surveyProject(settings: Settings, isForEsc: boolean, context: Context): Promise<Survey> {
  const { project } = context;
  const read = (file: string): Promise<string | undefined> => readFileIn(project, file);
  const fileExists = (file: string): boolean => existsSync(join(project, file));
  const packageJson = await read("package.json");
  const manifest = packageJson === undefined ? undefined : (parseManifest(packageJson) ?? {});
  const pyproject = await read("pyproject.toml");
  const python = pyproject === undefined ? undefined : parsePyproject(pyproject);
  const workspace = await findWorkspace(project);
  const rootFileExists = (file: string): boolean => existsSync(join(workspace.root, file));
  // A symbolic link without a target is found as well, since init cannot create a file in its place.
  const isLinkOrFile = (file: string): boolean =>
    lstatSync(join(project, file), { throwIfNoEntry: false }) !== undefined;
  const workflows = (await readWorkflowFiles(project)).map((file) => file.text);
  const contract = locateContract(undefined, project)?.path;
  const devcontainerFile = DEVCONTAINER_FILES.find(isLinkOrFile) ?? DEVCONTAINER_FILES[0] ?? "";
  return {
    project: {
      name: basename(project),
      title: shortTitle(manifest?.["name"] ?? python?.name),
      manifest,
      node: findNodeInstaller(
        workspace.manifest["packageManager"],
        await readFileIn(workspace.root, "yarn.lock"),
        rootFileExists,
      ),
      workspace,
      python: findPythonTool(python, fileExists),
    },
    packageJson,
    pyproject,
    dockerfile: await read("Dockerfile"),
    devcontainer: { file: devcontainerFile, text: await read(devcontainerFile) },
    workflows,
    isRoot: findProjectRoot(project) === project,
    contract,
    usesEsc:
      isForEsc ||
      (contract !== undefined && contractFileUsesEsc(contract)) ||
      workflows.some(mentionsEscSetting) ||
      (await settingsUseEsc(settings, context)),
    commandsOf: await installedCommands([project, workspace.root], manifest ?? {}),
    fileExists,
    rootFileExists,
    read,
  };
}

/** The limit on the name of a contract, in characters. */
const MAX_TITLE_LENGTH = 60;

/** Returns the name of a package without its scope; undefined if it is too long for a contract. */
function shortTitle(name: unknown): string | undefined {
  const title = typeof name === "string" ? name.replace(/^@.*\//, "") : "";
  return title === "" || title.length > MAX_TITLE_LENGTH ? undefined : title;
}

/** Reads the package.json of a folder; an empty object if it is missing or not JSON. */
async function manifestIn(folder: string): Promise<Manifest> {
  return parseManifest((await readFileIn(folder, "package.json")) ?? "") ?? {};
}

/**
 * Finds the commands that the dependencies install.
 *
 * @param folders the folders whose `node_modules` may have a package; the first one that has it is used
 */
async function installedCommands(folders: readonly string[], manifest: Manifest): Promise<Survey["commandsOf"]> {
  const nodeModules = folders.map((folder) => join(folder, "node_modules")).filter((path) => existsSync(path));
  const commands = new Map<string, readonly string[]>();
  for (const name of dependenciesIn(manifest, "dependencies", "devDependencies").keys()) {
    const packageFolders = nodeModules.map((path) => join(path, name));
    const packageFolder = packageFolders.find((folder) => existsSync(join(folder, "package.json")));
    const { bin } = packageFolder === undefined ? {} : await manifestIn(packageFolder);
    // `bin` is the path of one command, with the name of the package, or an object with several commands.
    commands.set(name, typeof bin === "string" ? [name.replace(/^@.*\//, "")] : Object.keys(objectOf(bin) ?? {}));
  }
  return (packages) =>
    nodeModules.length === 0 ? undefined : new Set(packages.flatMap((name) => commands.get(name) ?? []));
}

/**
 * Finds the workspace of a project. A project that lists packages is the root itself. Otherwise the root is the nearest
 * folder above that lists the project, up to the root of the repository.
 */
async function findWorkspace(project: string): Promise<Workspace> {
  const projectManifest = await manifestIn(project);
  const hasMembers = (await memberPatterns(project, projectManifest)) !== undefined;
  const projectAsRoot: Workspace = { root: project, member: "", manifest: projectManifest, hasMembers };
  if (hasMembers) return projectAsRoot;
  for (let folder = project; ;) {
    const parent = parentOf(folder);
    if (existsSync(join(folder, ".git")) || parent === folder) return projectAsRoot;
    folder = parent;
    const manifest = await manifestIn(folder);
    const member = relative(folder, project).replaceAll(sep, "/");
    if (isMember(member, (await memberPatterns(folder, manifest)) ?? [])) {
      return { root: folder, member, manifest, hasMembers: true };
    }
  }
}

/**
 * Returns the globs that list the packages of a workspace, such as `packages/*`; undefined if the folder is not the root of
 * a workspace. npm, Yarn and Bun have them in package.json, pnpm in pnpm-workspace.yaml.
 */
async function memberPatterns(folder: string, { workspaces }: Manifest): Promise<readonly string[] | undefined> {
  const fromManifest = Array.isArray(workspaces) ? workspaces : objectOf(workspaces)?.["packages"];
  const patterns = Array.isArray(fromManifest)
    ? fromManifest
    : pnpmPackages((await readFileIn(folder, "pnpm-workspace.yaml")) ?? "");
  return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === "string") : undefined;
}

/** Returns `packages` of pnpm-workspace.yaml. Without this entry the file has only settings. */
function pnpmPackages(text: string): unknown {
  return objectOf(parseYaml(topLevelEntry(text, "packages")))?.["packages"];
}

/**
 * Returns true if the globs list a package by its path: `*` is one folder, `**` any number, and a glob with `!` excludes.
 */
function isMember(member: string, patterns: readonly string[]): boolean {
  const matches = (pattern: string): boolean => {
    const glob = pattern.replace(/^\.\//, "").replace(/\/$/, "");
    // `**` may also stand for no folder at all.
    if (glob.includes("**")) return matchesGlob(glob, member) || matchesGlob(glob.replaceAll("**/", ""), member);
    return glob.split("/").length === member.split("/").length && matchesGlob(glob, member);
  };
  const isExclusion = (pattern: string): boolean => pattern.startsWith("!");
  const isIncluded = patterns.some((pattern) => !isExclusion(pattern) && matches(pattern));
  const isExcluded = patterns.some((pattern) => isExclusion(pattern) && matches(pattern.slice(1)));
  return isIncluded && !isExcluded;
}

/**
 * Returns true if the project is a package of a workspace, and can use sophia-run from the dependencies of the root. Yarn 2
 * and later do not allow that.
 */
export function usesRootsDependency({ node, workspace }: Project): boolean {
  return workspace.member !== "" && node.name !== "yarn" && hasDependency(workspace.manifest);
}
