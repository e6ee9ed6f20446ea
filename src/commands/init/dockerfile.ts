/** The Dockerfile: lines for one that exists, or a new one that follows package.json. */
import { relative, sep } from "node:path";
import { IS_ON_REGISTRIES, REPOSITORY, WHEEL_IN_IMAGE } from "../parts/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import { dependenciesIn, scriptOf, type Manifest } from "./package-json.ts";
import type { Project, Survey } from "./project-survey.ts";
import { impossible, type SetupStep } from "./setup-step.ts";
import { startCommand } from "./start-command.ts";

const FILE = "Dockerfile";
const FROM = "FROM node:24-bookworm-slim";
/** The path of the executable in an image. PATH would first find the file for Node.js, in node_modules. */
const EXECUTABLE = "/usr/local/bin/sophia-run";
const DOCKERIGNORE = `# No file with a secret is sent to the builder.
**/.env*
.git
**/node_modules
`;

/** Words without a meaning for the shell, the first of which is no assignment. */
const PLAIN_WORDS = /^(?!\w+=)[\w./:@,=+ -]+$/;

export function dockerfileAdvice(text: string, { manifest, python }: Project): SetupStep {
  const command = shellForm("CMD", text);
  if (/^[ \t]*(?:ENTRYPOINT|CMD)\b.*\bsophia-run\b/im.test(text)) {
    const entrypoint = shellForm("ENTRYPOINT", text);
    const [name, started] = entrypoint === undefined ? ["CMD", command] : ["ENTRYPOINT", entrypoint];
    if (started?.startsWith("sophia-run ") !== true) return { kind: "ready", file: FILE };
    const title = `a shell starts ${name}, and keeps SIGTERM from the program; write`;
    return { kind: "advise", file: FILE, title, lines: [`${name} exec ${started}`] };
  }
  const workdir = /^[ \t]*WORKDIR[ \t]+(\/\S*)[ \t]*$/im.exec(text)?.[1] ?? "/app";
  const entrypoint = /^[ \t]*ENTRYPOINT[ \t]+\[(.*)\][ \t]*$/im.exec(text)?.[1]?.trim();
  const current = entrypoint ?? list(wordsOf(shellForm("ENTRYPOINT", text))).slice(1, -1);
  const isPlain = command !== undefined && !/^exec\s/.test(command) && PLAIN_WORDS.test(command);
  const lines = [
    ...(manifest === undefined && python !== undefined ? WHEEL_IN_IMAGE : []),
    ...(manifest === undefined ? [] : [`ENV PATH=${workdir.replace(/\/$/, "")}/node_modules/.bin:$PATH`]),
    `ENTRYPOINT ["sophia-run", "--"${current === "" ? "" : `, ${current}`}]`,
    ...(isPlain ? [`CMD ${list(wordsOf(command))}`] : []),
  ];
  const remark = isPlain ? "CMD with brackets: otherwise a shell keeps SIGTERM from the program" : undefined;
  return { kind: "advise", file: FILE, lines, remark };
}

/** Returns the command of the last such instruction, which a shell starts; undefined if it has brackets. */
function shellForm(name: "ENTRYPOINT" | "CMD", text: string): string | undefined {
  // HEALTHCHECK has a CMD, often on a line of its own.
  const whole = text.replaceAll(/\\[ \t]*\r?\n/g, " ");
  const instructions = whole.matchAll(new RegExp(String.raw`^[ \t]*${name}[ \t]+(\S.*)`, "gim"));
  const command = Array.from(instructions, ([, one = ""]) => one.trimEnd()).at(-1);
  return command?.startsWith("[") === true ? undefined : command;
}

/** Returns the words that start a command of the shell form, without a shell if it needs none. */
function wordsOf(command: string | undefined): readonly string[] {
  if (command === undefined) return [];
  const plain = command.replace(/^exec\s+/, "");
  return PLAIN_WORDS.test(plain) ? plain.split(/\s+/) : ["sh", "-c", command];
}

/** Returns a new Dockerfile, and the file that keeps secrets from the builder; or the reason why there is none. */
export function newDockerfile(survey: Survey): readonly SetupStep[] {
  const text = dockerfileText(survey);
  if (typeof text !== "string") return [impossible(FILE, text.why)];
  const { member } = survey.project.workspace;
  // BuildKit first looks for a .dockerignore next to the Dockerfile; the usual one would be that of the root.
  const ignore = member === "" ? ".dockerignore" : "Dockerfile.dockerignore";
  const up = member.replaceAll(/[^/]+/g, "..");
  const remark = member === "" ? undefined : `build it by: docker build --file ${FILE} ${up}`;
  return [
    { kind: "create", file: FILE, text, remark },
    ...(survey.isThere(ignore) ? [] : [{ kind: "create", file: ignore, text: DOCKERIGNORE } as const]),
  ];
}

function dockerfileText(survey: Survey): string | { readonly why: string } {
  const { project, contract, isInRoot } = survey;
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
  // Patches and local packages: the installation reads more than manifests and the lock file.
  const isWhole = workspace.hasMembers || readsOtherFiles(manifest, isInRoot);
  // A `prepare` script is for checkouts: it needs devDependencies, or sources that are not copied yet.
  const prefix = scriptOf(workspace.manifest, "prepare") === undefined ? "" : "npm pkg delete scripts.prepare && ";
  const install = (command: string): readonly string[] => [
    ...(commands.imageSetUp === undefined ? [] : [commands.imageSetUp]),
    isWhole ? "COPY . ." : `COPY ${filesOf(commands.files, manifest)} ./`,
    `RUN ${prefix}${command}`,
  ];
  const inMember = member === "" ? "" : `/app/${member}`;
  return `${[
    `${FROM} AS build`,
    "WORKDIR /app",
    ...install(commands.install),
    "# The executable of sophia-run for Linux, which needs no Node.js. A package that was packed without it is started by Node.js.",
    ...takeExecutable(member),
    ...(build === undefined
      ? []
      : [
          ...(isWhole ? [] : ["COPY . ."]),
          `RUN ${build}`,
          "# The packages that only the build needs are not copied to the image.",
          `RUN ${isWhole ? "find . -name node_modules -prune -exec rm -rf {} +" : "rm -rf node_modules"}`,
        ]),
    "",
    FROM,
    "WORKDIR /app",
    "",
    `COPY --from=build ${EXECUTABLE} ${EXECUTABLE}`,
    ...install(commands.installProduction),
    `ENV PATH=${inMember && `${inMember}/node_modules/.bin:`}/app/node_modules/.bin:$PATH`,
    ...(build === undefined && isWhole ? [] : ["", build === undefined ? "COPY . ." : "COPY --from=build /app ./"]),
    ...(inMember === "" ? [] : [`WORKDIR ${inMember}`]),
    "USER node",
    "",
    "# As PID 1 a program without a handler for SIGTERM does not end at `docker stop`, but ten seconds later, by SIGKILL. So",
    "# sophia-run stays PID 1: it needs 20 kB, passes signals on and reaps orphans.",
    "ENV SOPHIA_MODE=spawn",
    "# The exec form: the container runtime starts the program without a shell. The image contains no secret.",
    `ENTRYPOINT ${list([EXECUTABLE, ...start.options, "--"])}`,
    `CMD ${list(start.words)}`,
  ].join("\n")}\n`;
}

/** Returns the instruction that puts the executable, or a script that starts the package by Node.js, where the image starts it. */
function takeExecutable(member: string): readonly string[] {
  const script = (path: string): string =>
    String.raw`printf '#!/usr/local/bin/node --\nrequire("${path}/bin/sophia-run.cjs");\n'`;
  const take = (from: string, print: string): readonly [string, string, string] => [
    `cp "${from}/dist/sophia-run-linux-$(node -p process.arch)" ${EXECUTABLE} || \\`,
    `    { ${print} > ${EXECUTABLE} && \\`,
    `    chmod 755 ${EXECUTABLE}; }`,
  ];
  if (member === "") {
    const [copy, ...otherwise] = take("node_modules/sophia-run", script("/app/node_modules/sophia-run"));
    return [`RUN ${copy}`, ...otherwise];
  }
  // The package is in the member, in a folder above, or in the store of pnpm.
  const [copy, print, end] = take("$package", `${script("%s")} "$package"`);
  const find = `package=$(node -p 'path.dirname(require.resolve("sophia-run/package.json"))')`;
  return [`RUN cd ${member} && ${find} && \\`, `    { ${copy}`, print, `${end}; }`];
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}

/** Returns the build of the workspace's root, which builds all packages, else that of the package. */
function buildCommand({ manifest = {}, workspace }: Project, { script }: NodeToolCommands): string | undefined {
  if (scriptOf(workspace.manifest, "build") !== undefined) return script("build", "");
  return scriptOf(manifest, "build") === undefined ? undefined : script("build", workspace.member);
}

function readsOtherFiles(manifest: Manifest, isInRoot: (file: string) => boolean): boolean {
  const isFolder = /^(?:file|link|portal):(?!.*\.t(?:ar\.)?gz$)/;
  const dependencies = dependenciesIn(manifest, "dependencies", "devDependencies", "optionalDependencies");
  return (
    [".yarn/patches", ".yarn/plugins", "patches"].some(isInRoot) ||
    [...dependencies.values()].some((version) => typeof version === "string" && isFolder.test(version))
  );
}

/** Adds the tarballs in the folder that are dependencies; that of sophia-run in any version. */
function filesOf(files: string, manifest: Manifest): string {
  const tarball = /^(?:[\w-]*@?file:)?(?:\.\/)?([\w.-]+\.t(?:ar\.)?gz)$/;
  const versions = [...dependenciesIn(manifest, "dependencies").values()];
  const tarballs = versions.flatMap((one) => (typeof one === "string" ? (tarball.exec(one)?.[1] ?? []) : []));
  const others = tarballs.filter((name) => !/^sophia-run-.*\.tgz$/.test(name));
  const own = IS_ON_REGISTRIES && others.length === tarballs.length ? [] : ["sophia-run-*.tgz"];
  return [files, ...others, ...own].join(" ");
}
