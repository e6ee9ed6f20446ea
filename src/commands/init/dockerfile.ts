/**
 * The steps of `init` for a Dockerfile, so that the image starts its program with sophia-run. For a Dockerfile that exists,
 * adviseOnDockerfile() returns the lines that the user must add. Otherwise createDockerfileSteps() creates one that runs the build
 * script and the start script of package.json.
 */
import { relative, sep } from "node:path";
import { IS_ON_REGISTRIES, REPOSITORY_URL, WHEEL_DOCKERFILE_LINES } from "../parts/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { dependenciesIn, scriptOf, type Manifest } from "./package-json.ts";
import type { Project, Survey } from "./project-survey.ts";
import { createRefusalStep, type SetupStep } from "./setup-step.ts";
import { findStartCommand, type StartCommand } from "./start-command.ts";

const FILE = "Dockerfile";
const BASE_IMAGE = "FROM node:24-bookworm-slim";
/**
 * The path of the executable in an image. An image must name the path, since the name `sophia-run` alone would find the
 * script of the package in node_modules, which is first on PATH and needs Node.js.
 */
const EXECUTABLE = "/usr/local/bin/sophia-run";
const DOCKERIGNORE = `# No file with a secret is sent to the builder.
**/.env*
.git
**/node_modules
`;

/** Matches a command that needs no shell: no word has a special character, and the first word is not an assignment. */
const PLAIN_COMMAND = /^(?!\w+=)[\w./:@,=+ -]+$/;

/** Returns the advice for a Dockerfile that exists: the lines that start its program with sophia-run. */
export function adviseOnDockerfile(text: string, { manifest, python }: Project): SetupStep {
  const shellCommand = shellFormCommand("CMD", text);
  if (/^[ \t]*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) return adviceForShellForm(text, shellCommand);
  const workdir = /^[ \t]*WORKDIR[ \t]+(\/\S*)[ \t]*$/im.exec(text)?.[1] ?? "/app";
  const execForm = /^[ \t]*ENTRYPOINT[ \t]+\[(.*)\][ \t]*$/im.exec(text)?.[1]?.trim();
  // The words without the brackets, so that those of sophia-run can be put in front.
  const currentEntrypoint = execForm ?? execFormOf(execWords(shellFormCommand("ENTRYPOINT", text))).slice(1, -1);
  const entrypointRest = currentEntrypoint === "" ? "" : `, ${currentEntrypoint}`;
  const needsNoShell = shellCommand !== undefined && !/^exec\s/.test(shellCommand) && PLAIN_COMMAND.test(shellCommand);
  const lines = [
    ...(manifest === undefined && python !== undefined ? WHEEL_DOCKERFILE_LINES : []),
    ...(manifest === undefined ? [] : [`ENV PATH=${workdir.replace(/\/$/, "")}/node_modules/.bin:$PATH`]),
    `ENTRYPOINT ["sophia-run", "--"${entrypointRest}]`,
    ...(needsNoShell ? [`CMD ${execFormOf(execWords(shellCommand))}`] : []),
  ];
  const remark = needsNoShell ? "CMD with brackets: otherwise a shell keeps SIGTERM from the program" : undefined;
  return { kind: "advise", file: FILE, lines, remark };
}

/**
 * Returns the advice for a Dockerfile that starts sophia-run already. In the shell form,
 * `CMD sophia-run -- node server.js`, it must add `exec`, since the shell would not pass SIGTERM on.
 */
function adviceForShellForm(text: string, cmdInShellForm: string | undefined): SetupStep {
  const shellEntrypoint = shellFormCommand("ENTRYPOINT", text);
  const instruction = shellEntrypoint === undefined ? "CMD" : "ENTRYPOINT";
  const command = shellEntrypoint ?? cmdInShellForm;
  if (command?.startsWith("sophia-run ") !== true) return { kind: "ready", file: FILE };
  const title = `a shell starts ${instruction}, and keeps SIGTERM from the program; write`;
  return { kind: "advise", file: FILE, title, lines: [`${instruction} exec ${command}`] };
}

/**
 * Returns the command of the last ENTRYPOINT or CMD if it has the shell form, `CMD node server.js`. For the exec form,
 * `CMD ["node", "server.js"]`, it returns undefined.
 */
function shellFormCommand(instruction: "ENTRYPOINT" | "CMD", text: string): string | undefined {
  // A HEALTHCHECK contains a CMD, often on a line of its own. Joined lines keep it from being taken for an instruction.
  const joinedLines = text.replaceAll(/\\[ \t]*\r?\n/g, " ");
  const instructions = joinedLines.matchAll(new RegExp(String.raw`^[ \t]*${instruction}[ \t]+(\S.*)`, "gim"));
  const command = Array.from(instructions, ([, argumentText = ""]) => argumentText.trimEnd()).at(-1);
  return command?.startsWith("[") === true ? undefined : command;
}

/**
 * Returns the words by which the exec form runs a command of the shell form. They start a shell only if the command needs
 * one.
 */
function execWords(shellCommand: string | undefined): readonly string[] {
  if (shellCommand === undefined) return [];
  const command = shellCommand.replace(/^exec\s+/, "");
  return PLAIN_COMMAND.test(command) ? command.split(/\s+/) : ["sh", "-c", shellCommand];
}

/** Returns the steps that create a Dockerfile and its .dockerignore, or advice that says why init cannot create them. */
export function createDockerfileSteps(survey: Survey): readonly SetupStep[] {
  const text = dockerfileText(survey);
  if (typeof text !== "string") return [createRefusalStep(FILE, text.obstacle)];
  const { member } = survey.project.workspace;
  // The usual .dockerignore is that of the folder from which the image is built: the root of the workspace. BuildKit looks
  // for one next to the Dockerfile first.
  const ignoreFile = member === "" ? ".dockerignore" : "Dockerfile.dockerignore";
  const pathToRoot = member.replaceAll(/[^/]+/g, "..");
  const remark = member === "" ? undefined : `build it by: docker build --file ${FILE} ${pathToRoot}`;
  return [
    { kind: "create", file: FILE, text, remark },
    ...(survey.fileExists(ignoreFile) ? [] : [{ kind: "create", file: ignoreFile, text: DOCKERIGNORE } as const]),
  ];
}

/** Returns the text of a new Dockerfile, or the reason why the project cannot have one. */
function dockerfileText(survey: Survey): string | { readonly obstacle: string } {
  const { project, contract, rootFileExists } = survey;
  const { manifest, node, python, workspace } = project;
  if (manifest === undefined) {
    const example = python === undefined ? "" : `; for Python adapt ${REPOSITORY_URL}/tree/main/examples/python`;
    return { obstacle: `there is no package.json${example}` };
  }
  const commands = commandsFor(node);
  if (!node.isLocked) return { obstacle: `there is no ${commands.lockFiles[0]}, which pins the packages` };
  if (contract !== undefined && relative(workspace.root, contract).startsWith(`..${sep}`)) {
    return { obstacle: "the contract is in a folder above, which is not copied into the image" };
  }
  const build = buildCommand(project, commands);
  const runtime = node.name === "bun" ? "bun" : "node";
  const start = findStartCommand(manifest, { ...survey, runtime, isBuilt: build !== undefined });
  if ("obstacle" in start) return start;
  const copiesAllFirst = workspace.hasMembers || readsOtherFiles(manifest, rootFileExists);
  // A `prepare` script is for checkouts: it needs devDependencies, or sources that are not copied yet.
  const hasPrepare = scriptOf(workspace.manifest, "prepare") !== undefined;
  const removePrepare = hasPrepare ? "npm pkg delete scripts.prepare && " : "";
  const installLines = (command: string): readonly string[] => [
    ...(commands.imageSetUp === undefined ? [] : [commands.imageSetUp]),
    copiesAllFirst ? "COPY . ." : `COPY ${filesToInstall(commands.installationFiles, manifest)} ./`,
    `RUN ${removePrepare}${command}`,
  ];
  const plan: ImagePlan = { member: workspace.member, build, copiesAllFirst, installLines };
  return `${[...buildStageLines(plan, commands), "", ...finalStageLines(plan, commands, start)].join("\n")}\n`;
}

/** The facts on which both stages of a new Dockerfile depend. */
interface ImagePlan {
  /** The path of the package in its workspace; empty if it is the root. */
  readonly member: string;
  /** The command that builds the project; undefined if it has no build script. */
  readonly build: string | undefined;
  /**
   * True if all files are copied before the packages are installed, since the installation reads more than package.json and
   * the lock file: in a workspace, and with patches or local packages.
   */
  readonly copiesAllFirst: boolean;
  /** Returns the instructions that install packages by a command. */
  readonly installLines: (command: string) => readonly string[];
}

/** Returns the stage that installs all packages, gets the executable of sophia-run, and builds the project. */
function buildStageLines(
  { member, build, copiesAllFirst, installLines }: ImagePlan,
  { install }: NodeToolCommands,
): readonly string[] {
  const removeModules = copiesAllFirst ? "find . -name node_modules -prune -exec rm -rf {} +" : "rm -rf node_modules";
  const buildLines = [
    ...(copiesAllFirst ? [] : ["COPY . ."]),
    `RUN ${build}`,
    "# The packages that only the build needs are not copied to the image.",
    `RUN ${removeModules}`,
  ];
  return [
    `${BASE_IMAGE} AS build`,
    "WORKDIR /app",
    ...installLines(install),
    "# The executable of sophia-run for Linux, which needs no Node.js. A package that was packed without it is started by Node.js.",
    ...executableLines(member),
    ...(build === undefined ? [] : buildLines),
  ];
}

/** Returns the stage that becomes the image: the packages without devDependencies, the project's files, and the start. */
function finalStageLines(
  { member, build, copiesAllFirst, installLines }: ImagePlan,
  { installProduction }: NodeToolCommands,
  start: Exclude<StartCommand, { readonly obstacle: string }>,
): readonly string[] {
  const memberFolder = member === "" ? "" : `/app/${member}`;
  const copyFiles = build === undefined ? "COPY . ." : "COPY --from=build /app ./";
  const areFilesCopied = build === undefined && copiesAllFirst;
  return [
    BASE_IMAGE,
    "WORKDIR /app",
    "",
    `COPY --from=build ${EXECUTABLE} ${EXECUTABLE}`,
    ...installLines(installProduction),
    `ENV PATH=${memberFolder && `${memberFolder}/node_modules/.bin:`}/app/node_modules/.bin:$PATH`,
    ...(areFilesCopied ? [] : ["", copyFiles]),
    ...(memberFolder === "" ? [] : [`WORKDIR ${memberFolder}`]),
    "USER node",
    "",
    "# As PID 1 a program without a handler for SIGTERM does not end at `docker stop`, but ten seconds later, by SIGKILL. So",
    "# sophia-run stays PID 1: it needs 20 kB, passes signals on and reaps orphans.",
    "ENV SOPHIA_MODE=spawn",
    "# The exec form: the container runtime starts the program without a shell. The image contains no secret.",
    `ENTRYPOINT ${execFormOf([EXECUTABLE, ...start.options, "--"])}`,
    `CMD ${execFormOf(start.words)}`,
  ];
}

/**
 * Returns the instruction that copies the executable to where the image starts it. If the package was packed without an
 * executable for this processor, the instruction writes a script there that starts the package with Node.js.
 */
function executableLines(member: string): readonly string[] {
  const printScript = (packagePath: string): string =>
    String.raw`printf '#!/usr/local/bin/node --\nrequire("${packagePath}/bin/sophia-run.cjs");\n'`;
  const copyOrPrint = (packageFolder: string, print: string): readonly [string, string, string] => [
    `cp "${packageFolder}/dist/sophia-run-linux-$(node -p process.arch)" ${EXECUTABLE} || \\`,
    `    { ${print} > ${EXECUTABLE} && \\`,
    `    chmod 755 ${EXECUTABLE}; }`,
  ];
  if (member === "") {
    const [copy, ...print] = copyOrPrint("node_modules/sophia-run", printScript("/app/node_modules/sophia-run"));
    return [`RUN ${copy}`, ...print];
  }
  // In a workspace the package is in the member's folder, in a folder above, or in the store of pnpm.
  const [copy, print, setMode] = copyOrPrint("$package", `${printScript("%s")} "$package"`);
  const findPackage = `package=$(node -p 'path.dirname(require.resolve("sophia-run/package.json"))')`;
  return [`RUN cd ${member} && ${findPackage} && \\`, `    { ${copy}`, print, `${setMode}; }`];
}

/** Returns words in the exec form of an instruction: `["node", "server.js"]`. */
function execFormOf(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}

/** Returns the command that builds the project: the build script of the workspace's root, otherwise that of the package. */
function buildCommand({ manifest = {}, workspace }: Project, { scriptCommand }: NodeToolCommands): string | undefined {
  if (scriptOf(workspace.manifest, "build") !== undefined) return scriptCommand("build", "");
  return scriptOf(manifest, "build") === undefined ? undefined : scriptCommand("build", workspace.member);
}

/** Returns true if the installation reads patches or plugins, or packages that are folders: `file:../shared`. */
function readsOtherFiles(manifest: Manifest, rootFileExists: (file: string) => boolean): boolean {
  const folderVersion = /^(?:file|link|portal):(?!.*\.t(?:ar\.)?gz$)/;
  const dependencies = dependenciesIn(manifest, "dependencies", "devDependencies", "optionalDependencies");
  return (
    [".yarn/patches", ".yarn/plugins", "patches"].some(rootFileExists) ||
    [...dependencies.values()].some((version) => typeof version === "string" && folderVersion.test(version))
  );
}

/**
 * Returns the files that must be copied before the installation: those of the package manager, and the tarballs in the
 * folder that are dependencies. The tarball of sophia-run is copied in any version, so that an update needs no change of
 * the Dockerfile.
 */
function filesToInstall(installationFiles: string, manifest: Manifest): string {
  const tarballVersion = /^(?:[\w-]*@?file:)?(?:\.\/)?([\w.-]+\.t(?:ar\.)?gz)$/;
  const versions = [...dependenciesIn(manifest, "dependencies").values()];
  const tarballs = versions.flatMap((version) => {
    return typeof version === "string" ? (tarballVersion.exec(version)?.[1] ?? []) : [];
  });
  const otherTarballs = tarballs.filter((name) => !/^sophia-run-.*\.tgz$/.test(name));
  const needsSophiaRunTarball = !IS_ON_REGISTRIES || otherTarballs.length < tarballs.length;
  return [installationFiles, ...otherTarballs, ...(needsSophiaRunTarball ? ["sophia-run-*.tgz"] : [])].join(" ");
}
