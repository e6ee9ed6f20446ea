/**
 * The Dockerfile of a project: dockerfileAdvice() returns the lines that one lacks, and newDockerfile() creates one that runs the
 * build and start scripts of package.json.
 */
import { relative, sep } from "node:path";
import { IS_ON_REGISTRIES, REPOSITORY, WHEEL_IN_IMAGE } from "../parts/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { dependenciesIn, scriptOf, type Manifest } from "./package-json.ts";
import type { Project, Survey } from "./project-survey.ts";
import { notCreatedStep, type SetupStep } from "./setup-step.ts";
import { startCommand } from "./start-command.ts";

const FILE = "Dockerfile";
const BASE_IMAGE = "FROM node:24-bookworm-slim";
/** The path of the executable in an image. By its name alone PATH would find the script for Node.js in node_modules first. */
const EXECUTABLE = "/usr/local/bin/sophia-run";
const DOCKERIGNORE = `# No file with a secret is sent to the builder.
**/.env*
.git
**/node_modules
`;

/** A command of words that mean nothing to the shell. Its first word is not an assignment. */
const PLAIN_COMMAND = /^(?!\w+=)[\w./:@,=+ -]+$/;

/** Returns the advice for a Dockerfile that exists: the lines that start its program with sophia-run. */
export function dockerfileAdvice(text: string, { manifest, python }: Project): SetupStep {
  const shellCommand = shellFormCommand("CMD", text);
  if (/^[ \t]*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) return adviceForExec(text, shellCommand);
  const workdir = /^[ \t]*WORKDIR[ \t]+(\/\S*)[ \t]*$/im.exec(text)?.[1] ?? "/app";
  const execForm = /^[ \t]*ENTRYPOINT[ \t]+\[(.*)\][ \t]*$/im.exec(text)?.[1]?.trim();
  // Without the brackets, so that the words of sophia-run can be put in front.
  const currentEntrypoint = execForm ?? execFormOf(execWords(shellFormCommand("ENTRYPOINT", text))).slice(1, -1);
  const entrypointRest = currentEntrypoint === "" ? "" : `, ${currentEntrypoint}`;
  const needsNoShell = shellCommand !== undefined && !/^exec\s/.test(shellCommand) && PLAIN_COMMAND.test(shellCommand);
  const lines = [
    ...(manifest === undefined && python !== undefined ? WHEEL_IN_IMAGE : []),
    ...(manifest === undefined ? [] : [`ENV PATH=${workdir.replace(/\/$/, "")}/node_modules/.bin:$PATH`]),
    `ENTRYPOINT ["sophia-run", "--"${entrypointRest}]`,
    ...(needsNoShell ? [`CMD ${execFormOf(execWords(shellCommand))}`] : []),
  ];
  const remark = needsNoShell ? "CMD with brackets: otherwise a shell keeps SIGTERM from the program" : undefined;
  return { kind: "advise", file: FILE, lines, remark };
}

/**
 * Returns the advice for a Dockerfile that starts sophia-run already. In the shell form, `CMD sophia-run -- node server.js`,
 * it must add `exec`, since the shell would not pass SIGTERM on.
 */
function adviceForExec(text: string, shellCmd: string | undefined): SetupStep {
  const shellEntrypoint = shellFormCommand("ENTRYPOINT", text);
  const instruction = shellEntrypoint === undefined ? "CMD" : "ENTRYPOINT";
  const command = shellEntrypoint ?? shellCmd;
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

/** Returns the words of the exec form for a command of the shell form. They start a shell only if the command needs one. */
function execWords(shellCommand: string | undefined): readonly string[] {
  if (shellCommand === undefined) return [];
  const command = shellCommand.replace(/^exec\s+/, "");
  return PLAIN_COMMAND.test(command) ? command.split(/\s+/) : ["sh", "-c", shellCommand];
}

/** Returns the steps that create a Dockerfile and its .dockerignore, or advice that says why init cannot create them. */
export function newDockerfile(survey: Survey): readonly SetupStep[] {
  const text = dockerfileText(survey);
  if (typeof text !== "string") return [notCreatedStep(FILE, text.why)];
  const { member } = survey.project.workspace;
  // The usual .dockerignore is that of the folder from which the image is built: the root of the workspace. BuildKit looks for
  // one next to the Dockerfile first.
  const ignoreFile = member === "" ? ".dockerignore" : "Dockerfile.dockerignore";
  const pathToRoot = member.replaceAll(/[^/]+/g, "..");
  const remark = member === "" ? undefined : `build it by: docker build --file ${FILE} ${pathToRoot}`;
  return [
    { kind: "create", file: FILE, text, remark },
    ...(survey.fileExists(ignoreFile) ? [] : [{ kind: "create", file: ignoreFile, text: DOCKERIGNORE } as const]),
  ];
}

/** Returns the text of a new Dockerfile, or the reason why the project cannot have one. */
function dockerfileText(survey: Survey): string | { readonly why: string } {
  const { project, contract, rootFileExists } = survey;
  const { manifest, node, python, workspace } = project;
  const { member } = workspace;
  if (manifest === undefined) {
    const example = python === undefined ? "" : `; for Python adapt ${REPOSITORY}/tree/main/examples/python`;
    return { why: `there is no package.json${example}` };
  }
  const commands = commandsFor(node);
  if (!node.isLocked) return { why: `there is no ${commands.locks[0]}, which pins the packages` };
  if (contract !== undefined && relative(workspace.root, contract).startsWith(`..${sep}`)) {
    return { why: "the contract is in a folder above, which is not copied into the image" };
  }
  const build = buildCommand(project, commands);
  const runtime = node.name === "bun" ? "bun" : "node";
  const start = startCommand(manifest, { ...survey, runtime, isBuilt: build !== undefined });
  if ("why" in start) return start;
  // In a workspace, and with patches or local packages, the installation reads more than package.json and the lock file. Then
  // all files are copied before it.
  const copiesAllFirst = workspace.hasMembers || readsOtherFiles(manifest, rootFileExists);
  // A `prepare` script is for checkouts: it needs devDependencies, or sources that are not copied yet.
  const prefix = scriptOf(workspace.manifest, "prepare") === undefined ? "" : "npm pkg delete scripts.prepare && ";
  const installLines = (command: string): readonly string[] => [
    ...(commands.imageSetUp === undefined ? [] : [commands.imageSetUp]),
    copiesAllFirst ? "COPY . ." : `COPY ${filesToInstall(commands.files, manifest)} ./`,
    `RUN ${prefix}${command}`,
  ];
  const memberFolder = member === "" ? "" : `/app/${member}`;
  return `${[
    `${BASE_IMAGE} AS build`,
    "WORKDIR /app",
    ...installLines(commands.install),
    "# The executable of sophia-run for Linux, which needs no Node.js. A package that was packed without it is started by Node.js.",
    ...executableLines(member),
    ...(build === undefined
      ? []
      : [
          ...(copiesAllFirst ? [] : ["COPY . ."]),
          `RUN ${build}`,
          "# The packages that only the build needs are not copied to the image.",
          `RUN ${copiesAllFirst ? "find . -name node_modules -prune -exec rm -rf {} +" : "rm -rf node_modules"}`,
        ]),
    "",
    BASE_IMAGE,
    "WORKDIR /app",
    "",
    `COPY --from=build ${EXECUTABLE} ${EXECUTABLE}`,
    ...installLines(commands.installProduction),
    `ENV PATH=${memberFolder && `${memberFolder}/node_modules/.bin:`}/app/node_modules/.bin:$PATH`,
    ...(build === undefined && copiesAllFirst
      ? []
      : ["", build === undefined ? "COPY . ." : "COPY --from=build /app ./"]),
    ...(memberFolder === "" ? [] : [`WORKDIR ${memberFolder}`]),
    "USER node",
    "",
    "# As PID 1 a program without a handler for SIGTERM does not end at `docker stop`, but ten seconds later, by SIGKILL. So",
    "# sophia-run stays PID 1: it needs 20 kB, passes signals on and reaps orphans.",
    "ENV SOPHIA_MODE=spawn",
    "# The exec form: the container runtime starts the program without a shell. The image contains no secret.",
    `ENTRYPOINT ${execFormOf([EXECUTABLE, ...start.options, "--"])}`,
    `CMD ${execFormOf(start.words)}`,
  ].join("\n")}\n`;
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
function buildCommand({ manifest = {}, workspace }: Project, { script }: NodeToolCommands): string | undefined {
  if (scriptOf(workspace.manifest, "build") !== undefined) return script("build", "");
  return scriptOf(manifest, "build") === undefined ? undefined : script("build", workspace.member);
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

/** Adds the tarballs in the folder that are dependencies. The tarball of sophia-run is copied in any version. */
function filesToInstall(files: string, manifest: Manifest): string {
  const tarballVersion = /^(?:[\w-]*@?file:)?(?:\.\/)?([\w.-]+\.t(?:ar\.)?gz)$/;
  const versions = [...dependenciesIn(manifest, "dependencies").values()];
  const tarballs = versions.flatMap((version) => {
    return typeof version === "string" ? (tarballVersion.exec(version)?.[1] ?? []) : [];
  });
  const otherTarballs = tarballs.filter((name) => !/^sophia-run-.*\.tgz$/.test(name));
  const hasOwnTarball = !IS_ON_REGISTRIES || otherTarballs.length < tarballs.length;
  return [files, ...otherTarballs, ...(hasOwnTarball ? ["sophia-run-*.tgz"] : [])].join(" ");
}
