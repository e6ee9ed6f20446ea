/** The Dockerfile of a project without one: it follows package.json, or one line says why there is none. */
import { relative, sep } from "node:path";
import { IS_ON_REGISTRIES, REPOSITORY } from "../../core/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { dependenciesIn, impossible, objectOf, type Manifest, type Place } from "./place.ts";
import type { Project, Survey } from "./project.ts";
import { startCommand } from "./start-command.ts";
import { DOCKERIGNORE, dockerfileText, type ImagePlan } from "./templates.ts";

const FILE = "Dockerfile";

/** Returns the Dockerfile, and the file that keeps secrets from the builder. */
export function newImage(survey: Survey): readonly Place[] {
  const plan = imagePlan(survey);
  if (typeof plan === "string") return [impossible(FILE, plan)];
  const { member } = plan;
  // BuildKit looks for a .dockerignore of the Dockerfile's own first; the other would be that of the root.
  const ignore = member === "" ? ".dockerignore" : "Dockerfile.dockerignore";
  const up = member.replaceAll(/[^/]+/g, "..");
  const remark = member === "" ? undefined : `build it by: docker build --file ${FILE} ${up}`;
  return [
    { kind: "create", file: FILE, text: dockerfileText(plan), remark },
    ...(survey.isThere(ignore) ? [] : [{ kind: "create", file: ignore, text: DOCKERIGNORE } as const]),
  ];
}

function imagePlan(survey: Survey): ImagePlan | string {
  const { project, contract, isInRoot } = survey;
  const { manifest, node, python, workspace } = project;
  if (manifest === undefined) {
    return python === undefined
      ? "there is no package.json"
      : `for Python adapt that of ${REPOSITORY}/tree/main/examples/python`;
  }
  const commands = commandsFor(node);
  if (!node.isLocked) return `there is no ${commands.locks[0]}, which says what to install`;
  if (contract !== undefined && relative(workspace.root, contract).startsWith(`..${sep}`)) {
    return "the contract is in a folder above, which the image would not have";
  }
  const build = buildCommand(project, commands);
  const runtime = node.name === "bun" ? "bun" : "node";
  const start = startCommand(manifest, { ...survey, runtime, isBuilt: build !== undefined });
  if (start.kind === "none") return start.why;
  // A `prepare` script is for checkouts: it needs devDependencies, or sources that are not copied yet.
  const prefix = hasScript(workspace.manifest, "prepare") ? "npm pkg delete scripts.prepare && " : "";
  return {
    setUp: commands.imageSetUp,
    files: workspace.hasMembers || readsOtherFiles(manifest, isInRoot) ? undefined : filesOf(commands.files, manifest),
    install: prefix + commands.installProduction,
    build: build === undefined ? undefined : { install: prefix + commands.install, command: build },
    member: workspace.member,
    options: start.options,
    start: start.words,
  };
}

/** Returns the build of the workspace's root, which is that of all its packages; else the package's own. */
function buildCommand({ manifest = {}, workspace }: Project, { script }: NodeToolCommands): string | undefined {
  if (hasScript(workspace.manifest, "build")) return script("build", "");
  return hasScript(manifest, "build") ? script("build", workspace.member) : undefined;
}

function hasScript(manifest: Manifest, name: string): boolean {
  return typeof objectOf(manifest["scripts"])?.[name] === "string";
}

/** Patches and packages in folders: an installation reads more than manifests and the lock file. */
function readsOtherFiles(manifest: Manifest, isInRoot: (file: string) => boolean): boolean {
  const isFolder = /^(?:file|link|portal):(?!.*\.t(?:ar\.)?gz$)/;
  const dependencies = dependenciesIn(manifest, "dependencies", "devDependencies", "optionalDependencies");
  return (
    [".yarn/patches", ".yarn/plugins", "patches"].some(isInRoot) ||
    [...dependencies.values()].some((version) => typeof version === "string" && isFolder.test(version))
  );
}

/** Adds the tarballs beside package.json from which packages are installed: that of sophia-run by any version. */
function filesOf(files: string, manifest: Manifest): string {
  const tarball = /^(?:[\w-]*@?file:)?(?:\.\/)?([\w.-]+\.t(?:ar\.)?gz)$/;
  const versions = [...dependenciesIn(manifest, "dependencies").values()];
  const tarballs = versions.flatMap((one) => (typeof one === "string" ? (tarball.exec(one)?.[1] ?? []) : []));
  const others = tarballs.filter((name) => !/^sophia-run-.*\.tgz$/.test(name));
  const own = IS_ON_REGISTRIES && others.length === tarballs.length ? [] : ["sophia-run-*.tgz"];
  return [files, ...others, ...own].join(" ");
}
