/** The package managers that users install sophia-run with, at fixed versions, as npm has them. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fetchNpmPackages } from "./npm-packages.ts";

const root = join(import.meta.dirname, "../..");

/** These are no dependencies of this repository, because all together take 150 MB. */
const VERSIONS = { npm: "12.2.1", pnpm: "11.28.11", "@yarnpkg/cli-dist": "4.18.1", bun: "1.4.5" } as const;
const folder = folderOf(VERSIONS);

/**
 * Older and newer versions that are in use, by the names under which they are installed. They take 130 MB. pnpm 12 is an
 * executable.
 */
const FURTHER_VERSIONS = {
  npm10: "npm:npm@10.9.9",
  npm11: "npm:npm@11.21.2",
  pnpm9: "npm:pnpm@9.15.9",
  pnpm10: "npm:pnpm@10.34.9",
  pnpm12: `npm:@pnpm/exe.${process.platform}-${process.arch}@12.21.0`,
  yarn: "1.22.22",
} as const;
const furtherFolder = folderOf(FURTHER_VERSIONS);

/** Returns the folder for these versions. */
function folderOf(versions: Readonly<Record<string, string>>): string {
  const names = Object.values(versions).map((version) => /[^@]+$/.exec(version)?.[0]);
  return join(root, ".cache", "clients", names.join("-"));
}

/** A package manager, and how a project uses it. */
export interface Client {
  readonly name: string;
  /** The value of package.json's `packageManager`. */
  readonly packageManager: string;
  /** The files of a project besides package.json. */
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly [string, ...string[]];
  /** Returns the arguments that add a tarball, which is in the project's folder. */
  readonly add: (tarball: string) => readonly string[];
  /** The arguments in front of an installed command. */
  readonly exec: readonly string[];
  /** The name of the command in messages of sophia-run. */
  readonly typed: string;
}

/**
 * Writes commands into a folder that stand in for those of the package manager: `corepack`, `npm` and the like, as the files that
 * `init` writes call them.
 *
 * @returns the folder
 */
export function writeStandIns(path: string, { command }: Client): string {
  const words = command.map((word) => `'${word}'`).join(" ");
  const scripts = {
    corepack: `shift; exec ${words} "$@"`,
    // The image's npm changes manifests, too, even if another package manager is used.
    npm: `exec ${command.some((word) => word.includes("npm-cli")) ? words : clientNpm()} "$@"`,
    npx: `exec ${clientNpm().replace("npm-cli", "npx-cli")} "$@"`,
    pnpm: `exec ${words} "$@"`,
    yarn: `exec ${words} "$@"`,
    bun: `exec ${words} "$@"`,
    bunx: `exec ${words} x "$@"`,
  };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return path;
}

/** Returns the command of npm, as words of a shell. */
function clientNpm(): string {
  return `'${nodeForClients()}' '${join(folder, "node_modules/npm/bin/npm-cli.js")}'`;
}

/** Returns the package managers. They are fetched from npm unless an earlier run has done so. */
export function availableClients(): readonly Client[] {
  fetchNpmPackages(folder, VERSIONS);
  const script = (path: string): Client["command"] => [nodeForClients(), join(folder, "node_modules", path)];
  const yarn = (linker: string): Omit<Client, "name"> => ({
    packageManager: `yarn@${VERSIONS["@yarnpkg/cli-dist"]}`,
    files: {
      ".yarnrc.yml": `nodeLinker: ${linker}\nenableGlobalCache: false\nenableTelemetry: false\n`,
      "yarn.lock": "",
    },
    command: script("@yarnpkg/cli-dist/bin/yarn.js"),
    add: (tarball) => ["add", `sophia-run@file:./${tarball}`],
    exec: ["run"],
    typed: "yarn sophia-run",
  });
  const add = (tarball: string): readonly string[] => ["add", `./${tarball}`];
  return [
    {
      name: "npm 12",
      packageManager: `npm@${VERSIONS.npm}`,
      files: {},
      command: script("npm/bin/npm-cli.js"),
      add: (tarball) => ["install", `./${tarball}`],
      exec: ["exec", "--"],
      typed: "npx --no-install sophia-run",
    },
    {
      name: "pnpm 11",
      packageManager: `pnpm@${VERSIONS.pnpm}`,
      files: {},
      command: script("pnpm/bin/pnpm.mjs"),
      add,
      exec: ["exec"],
      typed: "pnpm exec sophia-run",
    },
    { name: "Yarn 4", ...yarn("node-modules") },
    { name: "Yarn 4 with PnP", ...yarn("pnp") },
    {
      name: "Bun",
      packageManager: `bun@${VERSIONS.bun}`,
      files: {},
      command: [bun()],
      add,
      exec: ["run"],
      typed: "bunx --no-install sophia-run",
    },
  ];
}

/** Returns other versions of npm and pnpm, and Yarn 1, which are fetched in the same way. */
export function furtherPackageManagers(): readonly Client[] {
  fetchNpmPackages(furtherFolder, FURTHER_VERSIONS);
  const usual = availableClients();
  const further = (like: string, installedAs: keyof typeof FURTHER_VERSIONS, file: string, name: string): Client => {
    const client = usual.find(({ packageManager }) => packageManager.startsWith(`${like}@`));
    if (client === undefined) throw new Error(`no ${like}`);
    const path = join(furtherFolder, "node_modules", installedAs, file);
    const version = /[^@]+$/.exec(FURTHER_VERSIONS[installedAs])?.[0] ?? "";
    return {
      ...client,
      name,
      packageManager: `${like}@${version}`,
      // The entry for Yarn has the files of Yarn 4.
      files: {},
      command: file.endsWith("js") ? [nodeForClients(), path] : [path],
    };
  };
  return [
    further("npm", "npm10", "bin/npm-cli.js", "npm 10"),
    further("npm", "npm11", "bin/npm-cli.js", "npm 11"),
    further("pnpm", "pnpm9", "bin/pnpm.cjs", "pnpm 9"),
    further("pnpm", "pnpm10", "bin/pnpm.cjs", "pnpm 10"),
    further("pnpm", "pnpm12", "pnpm", "pnpm 12"),
    further("yarn", "yarn", "bin/yarn.js", "Yarn 1"),
  ];
}

/** npm itself waits up to 15 minutes for each answer of a registry. */
const INSTALL_MS = 300_000;

/** Returns an environment for package managers: without any user's configuration, and all that they store is below `home`. */
export function packageManagerEnvironment(home: string, node: string = nodeForClients()): Record<string, string> {
  return {
    PATH: [dirname(node), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
    HOME: home,
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    npm_config_fund: "false",
    // The package has no dependencies, so that no registry is needed.
    npm_config_offline: "true",
    YARN_ENABLE_NETWORK: "false",
  };
}

/** Returns a Node.js for the package managers. npm 12 and pnpm 11 need a later version than this package does. */
function nodeForClients(): string {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath;
  const script = join(root, "test/conformance/fetch-node.sh");
  const lines = execFileSync("sh", [script, "24"], { encoding: "utf8", timeout: INSTALL_MS }).trim().split("\n");
  return lines.at(-1) ?? process.execPath;
}

function bun(): string {
  const processor = process.arch === "arm64" ? "aarch64" : process.arch;
  return join(folder, "node_modules/@oven", `bun-${process.platform}-${processor}`, "bin/bun");
}
