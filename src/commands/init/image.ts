/** The image as a place of use: a Dockerfile that follows package.json, or one line that says why there is none. */
import { relative, sep } from "node:path";
import { IS_ON_REGISTRIES, REPOSITORY } from "../../core/package-source.ts";
import { NODE_TOOLS, withYarnVersion } from "./node-tools.ts";
import { objectOf, type Manifest, type Place, type Project } from "./place.ts";
import { startCommand, type StartSurroundings } from "./start-command.ts";
import { DOCKERIGNORE, dockerfileText, type ImagePlan } from "./templates.ts";

const FILE = "Dockerfile";

/** The facts of a folder that an image depends on besides package.json. */
export interface ImageSurroundings extends Omit<StartSurroundings, "runtime" | "isBuilt"> {
  /** Looks in the folder of the lock file. */
  readonly isInRoot: (file: string) => boolean;
  /** The contract that applies to the folder; undefined if the folder will have its own. */
  readonly contract: string | undefined;
}

/** The Dockerfile for a project that has none, and what keeps secrets out of what the builder is sent. */
export function newImage(project: Project, surroundings: ImageSurroundings): readonly Place[] {
  const plan = imagePlan(project, surroundings);
  if (typeof plan === "string") return [{ kind: "impossible", file: FILE, why: plan }];
  const { member } = project.workspace;
  // BuildKit looks for a .dockerignore of the Dockerfile's own first; the other would be that of the root.
  const ignore = member === "" ? ".dockerignore" : "Dockerfile.dockerignore";
  const up = member
    .split("/")
    .map(() => "..")
    .join("/");
  const remark = member === "" ? {} : { remark: `build it by: docker build --file ${FILE} ${up}` };
  return [
    { kind: "create", file: FILE, text: dockerfileText(plan), ...remark },
    ...(surroundings.isThere(ignore) ? [] : [{ kind: "create", file: ignore, text: DOCKERIGNORE } as const]),
  ];
}

/** Returns the plan of the image, or why none can be made. */
function imagePlan(project: Project, surroundings: ImageSurroundings): ImagePlan | string {
  const { manifest, node, python, workspace } = project;
  if (manifest === undefined) {
    return python === undefined
      ? "there is no package.json"
      : `for Python adapt that of ${REPOSITORY}/tree/main/examples/python`;
  }
  const { image, locks } = NODE_TOOLS[node.name];
  if (!node.isLocked) return `there is no ${locks[0] ?? "lock file"}, which says what to install`;
  const { contract, isInRoot } = surroundings;
  if (contract !== undefined && relative(workspace.root, contract).startsWith(`..${sep}`)) {
    return "the contract is in a folder above, which the image would not have";
  }
  const command = buildCommand(project);
  const isBuilt = command !== undefined;
  const start = startCommand(manifest, { ...surroundings, runtime: image.runtime, isBuilt });
  if (start.kind === "none") return start.why;
  const installing = (install: string): string =>
    withYarnVersion(prepares(workspace.manifest) ? `npm pkg delete scripts.prepare && ${install}` : install, node);
  const isWhole = workspace.hasMembers || readsOtherFiles(manifest, isInRoot);
  return {
    setUp: image.setUp,
    files: isWhole ? undefined : filesOf(image.files, manifest),
    install: installing(image.install),
    ...(command === undefined
      ? {}
      : { build: { install: installing(image.installAll), command: withYarnVersion(command, node) } }),
    member: workspace.member,
    options: start.options,
    start: start.words,
  };
}

/** The build of the workspace's root is that of all its packages; else the package's own. */
function buildCommand({ manifest = {}, node, workspace }: Project): string | undefined {
  const { script, scriptIn } = NODE_TOOLS[node.name].image;
  if (hasScript(workspace.manifest, "build")) return script("build");
  return hasScript(manifest, "build") ? scriptIn("build", workspace.member) : undefined;
}

function hasScript(manifest: Manifest, name: string): boolean {
  return typeof objectOf(manifest["scripts"])?.[name] === "string";
}

/** A `prepare` script is for checkouts: it calls what devDependencies bring, or reads sources that are not copied yet. */
function prepares(manifest: Manifest): boolean {
  return hasScript(manifest, "prepare");
}

/** Patches and packages in folders: an installation reads more than manifests and the lock file. */
function readsOtherFiles(manifest: Manifest, isInRoot: (file: string) => boolean): boolean {
  const versions = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((group) =>
    Object.values(objectOf(manifest[group]) ?? {}),
  );
  return (
    [".yarn/patches", ".yarn/plugins", "patches"].some(isInRoot) ||
    versions.some(
      (version) => typeof version === "string" && /^(?:file|link|portal):(?!.*\.t(?:ar\.)?gz$)/.test(version),
    )
  );
}

/** Returns the files of an installation with the tarballs beside package.json from which it installs packages: that of sophia-run by any version. */
function filesOf(files: string, manifest: Manifest): string {
  const versions = Object.values(objectOf(manifest["dependencies"]) ?? {});
  const tarballs = versions.flatMap((version) =>
    typeof version === "string"
      ? (/^(?:[\w-]*@?file:)?(?:\.\/)?([\w.-]+\.t(?:ar\.)?gz)$/.exec(version)?.[1] ?? [])
      : [],
  );
  const others = tarballs.filter((name) => !/^sophia-run-.*\.tgz$/.test(name));
  const own = IS_ON_REGISTRIES && others.length === tarballs.length ? [] : ["sophia-run-*.tgz"];
  return [files, ...others, ...own].join(" ");
}
