/** Installs a release with each package manager, and runs the README's commands with what was installed. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { packageManagerEnvironment, availableClients } from "../../test/helpers/package-managers.ts";
import { fencedBlocksOf } from "../../test/helpers/markdown.ts";
import { PROJECT_FILES, README_EDITS } from "../demo/project.ts";
import { transcript } from "../demo/transcript.ts";

/** An installation, or a block of the README, takes at most this long. */
const LIMIT_MS = 300_000;

/** A way to install a release into a new project. */
interface Installation {
  readonly title: string;
  /** Commands for bash. They run in the project, in which the release's files are in `$RELEASE`. */
  readonly commands: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Files of the project that the package manager needs. */
  readonly files: Readonly<Record<string, string>>;
  /** The folder of commands, in the project. */
  readonly bin: string;
}

/**
 * Runs each installation, and prints a line about each.
 *
 * @param checkout of the release, whose README is used
 * @param release the folder with the release's files
 * @param work a folder for the projects
 * @returns the number of failures
 */
export function installEverywhere(checkout: string, release: string, work: string): number {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  let failures = 0;
  for (const installation of [...withClients(release, readme, work), ...withPython(release)]) {
    const problem = tryInstallation(installation, release, readme, join(work, installation.title));
    process.stdout.write(`${problem === undefined ? "works" : "fails"}: ${installation.title}\n`);
    if (problem === undefined) continue;
    failures += 1;
    process.stderr.write(`${problem}\n`);
  }
  return failures;
}

/** The package managers of Node.js. npm runs the README's own commands. */
function withClients(release: string, readme: string, work: string): readonly Installation[] {
  const tarball = fileIn(release, /^sophia-run-.*\.tgz$/);
  const readmeCommands = fencedBlocksOf(readme).find(({ text }) => text.includes(`npm install ./${tarball}\n`))?.text;
  if (readmeCommands === undefined) throw new Error(`the README does not install ${tarball}`);
  return availableClients()
    .filter(({ name }) => !name.endsWith("PnP"))
    .map(({ name, command, add, files }) => {
      const adding = [...command, ...add(tarball)].map((word) => `'${word}'`).join(" ");
      return {
        title: name,
        commands: name.startsWith("npm") ? readmeCommands : `cp "$RELEASE/${tarball}" . && ${adding}`,
        environment: packageManagerEnvironment(join(work, `home of ${name}`)),
        files,
        bin: "node_modules/.bin",
      };
    });
}

/** pip, and uv from PyPI. */
function withPython(release: string): readonly Installation[] {
  const processor = process.arch === "arm64" ? "aarch64" : "x86_64";
  const wheel = fileIn(release, new RegExp(`manylinux.*_${processor}\\.whl$`));
  const environment = { PATH: process.env["PATH"] ?? "", ...indexSettings() };
  const venv = "python3 -m venv venv && venv/bin/pip --quiet --disable-pip-version-check";
  return [
    { title: "pip", commands: `${venv} install --no-index "$RELEASE/${wheel}"` },
    {
      title: "uv",
      commands: `${venv} install uv && venv/bin/uv venv --quiet project && venv/bin/uv pip install --quiet --offline --python project/bin/python3 "$RELEASE/${wheel}"`,
    },
  ].map(({ title, commands }) => ({
    title,
    commands,
    environment,
    files: {},
    bin: title === "uv" ? "project/bin" : "venv/bin",
  }));
}

/** The user's settings of an index of Python packages. */
function indexSettings(): Readonly<Record<string, string>> {
  const names = ["HOME", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Returns what failed, with its output; undefined if nothing failed. */
function tryInstallation(
  { commands, environment, files, bin }: Installation,
  release: string,
  readme: string,
  folder: string,
): string | undefined {
  // As in the README, the project is the current folder.
  const project = join(folder, "my-app");
  mkdirSync(project, { recursive: true });
  write(project, { ...PROJECT_FILES, "package.json": `{ "name": "my-app", "private": true }\n`, ...files });
  // The README fetches the files of a release from GitHub.
  const fetch = `curl() { for address; do :; done; cp "$RELEASE/\${address##*/}" .; }\n`;
  const installing = bash(`${fetch}set -e\n${commands}`, project, {
    HOME: folder,
    ...environment,
    RELEASE: release,
  });
  if (installing.status !== 0) return installing.output;
  const blocks = fencedBlocksOf(readme).filter(({ language }) => language === "console");
  if (blocks.length !== README_EDITS.length) return `the README has ${blocks.length} blocks with output`;
  for (const [index, { text }] of blocks.entries()) {
    write(project, README_EDITS[index] ?? {});
    const path = [join(project, bin), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
    const { output } = bash(transcript(text), project, { PATH: path, HOME: folder });
    if (output !== text) return `expected:\n${text}\nprinted:\n${output}`;
  }
  return undefined;
}

function write(project: string, files: Readonly<Record<string, string>>): void {
  // Other users must not read the .env.
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text, { mode: 0o600 });
}

function bash(script: string, cwd: string, env: Readonly<Record<string, string>>) {
  const { status, stdout, error } = spawnSync("bash", ["-c", `exec 2>&1\n${script}`], {
    cwd,
    env,
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  return { status, output: `${stdout}${error?.message ?? ""}` };
}

/** Returns the name of the one file of a folder that a pattern matches. */
function fileIn(folder: string, pattern: RegExp): string {
  const [name, ...others] = readdirSync(folder).filter((each) => pattern.test(each));
  if (name === undefined || others.length > 0) throw new Error(`${folder} has not exactly one file ${pattern.source}`);
  return name;
}
