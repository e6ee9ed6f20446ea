import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { parseManifest, type Place, type Project } from "./place.ts";
import { NODE_TOOLS, nodeTool } from "./node-tools.ts";
import { devcontainer, dockerfile, dockerignore, workflow } from "./places.ts";
import { pythonProject, pythonTool } from "./python.ts";
import { hasDependency, npmScripts, startsNpm } from "./scripts.ts";
import { settle } from "../../command-line/settings.ts";
import { ORIGINS, startContract } from "./start.ts";
import type { Command } from "../command.ts";
import { readIfThere, writeText, type TargetFile } from "../files.ts";
import { projectRoot } from "../project-root.ts";

const DEVCONTAINERS = [join(".devcontainer", "devcontainer.json"), ".devcontainer.json"];

/** `sophia-run init`: creates what is missing, prints what is to be added to files that exist. */
export const init: Command = async ({ options }, context) => {
  const settings = settle(options, context.environment);
  const { from } = options;
  const asked = ORIGINS.filter((name) => Array.isArray(from) && from.includes(name));
  await startContract(asked, settings, context);
  const { project, places } = await placesOf(options["edit-scripts"] === true, context);
  for (const place of places) settlePlace(place, context);
  // Where it is not installed, a package manager would ask a registry for it.
  const isInstalled = project.manifest !== undefined && hasDependency(project.manifest);
  const run = isInstalled ? NODE_TOOLS[project.node.name].run : "";
  context.out(`\nNext: refine the contract, then ${run}sophia-run check and ${run}sophia-run docs\n`);
  return ExitStatus.ok;
};

async function placesOf(
  edit: boolean,
  context: Context,
): Promise<{ readonly project: Project; readonly places: readonly Place[] }> {
  const read = (file: string): Promise<string | undefined> => readIfThere(named(file, context));
  const isThere = (file: string): boolean => existsSync(join(context.cwd, file));
  const text = await read("package.json");
  const pyproject = await read("pyproject.toml");
  // One that is not JSON is a manifest without anything in it.
  const manifest = text === undefined ? undefined : (parseManifest(text) ?? {});
  const project: Project = {
    name: basename(context.cwd),
    manifest,
    node: nodeTool(manifest?.["packageManager"], await read("yarn.lock"), isThere),
    python: pythonTool(pyproject, isThere),
  };
  const dependencies = pyproject === undefined ? "requirements.txt" : "pyproject.toml";
  const image = await read("Dockerfile");
  const images = dockerfile(image, project);
  const container = DEVCONTAINERS.find(isThere) ?? DEVCONTAINERS[0] ?? "";
  return {
    project,
    places: [
      ...npmScripts(text, {
        add: NODE_TOOLS[project.node.name].add,
        edit,
        isThere,
        startsByNpm: startsNpm(image, await read("Procfile")),
      }),
      ...pythonProject(dependencies, pyproject ?? (await read(dependencies)), project.python, isThere),
      ...images,
      ...dockerignore(isThere(".dockerignore"), images),
      ...devcontainer(container, await read(container), project),
      ...workflow(isThere(".github") ? await workflowsOf(context) : undefined, project),
    ],
  };
}

/** The texts of the repository's workflows. */
async function workflowsOf(context: Context): Promise<readonly string[]> {
  const folder = join(".github", "workflows");
  if (!existsSync(join(context.cwd, folder))) return [];
  const files = readdirSync(join(context.cwd, folder)).filter((name) => /\.ya?ml$/.test(name));
  const texts = await Promise.all(files.map((name) => readIfThere(named(join(folder, name), context))));
  return texts.filter((text) => text !== undefined);
}

function settlePlace(place: Place, context: Context): void {
  switch (place.kind) {
    case "create":
      writeText(named(place.file, context), place.text, "wx");
      context.out(`created ${place.file}\n`);
      return;
    case "edit":
      writeText(named(place.file, context), place.text);
      context.out(`changed ${place.file}: ${place.done}\n${remarkOf(place)}`);
      return;
    case "advise":
      context.out(
        `\n${place.file}: ${place.title ?? "add"}\n${place.lines.map((line) => `  ${line}\n`).join("")}${remarkOf(place)}`,
      );
      return;
    case "ready":
      context.out(`${place.file} uses sophia-run already\n`);
      return;
  }
}

function remarkOf({ remark }: { readonly remark?: string }): string {
  return remark === undefined ? "" : `  (${remark})\n`;
}

function named(file: string, { cwd }: Context): TargetFile {
  return { path: join(cwd, file), name: file, root: projectRoot(cwd) };
}
