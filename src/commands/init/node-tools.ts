/**
 * The package managers of Node.js, with the commands that `init` writes into files or prints. findNodeInstaller() finds out
 * which package manager a project uses, and commandsFor() returns its commands.
 */
import { NODE_PACKAGE_ARGUMENT, NPX_PREFIX, YARN_PACKAGE_ARGUMENT } from "../parts/package-source.ts";

/** The names of the package managers. `yarn` is Yarn 2 and later, a different program from `yarn 1`. */
type NodeTool = "npm" | "pnpm" | "yarn" | "yarn 1" | "bun";

/** The package manager of a project. */
export interface NodeInstaller {
  readonly name: NodeTool;
  /** True if the project has the lock file of this package manager. */
  readonly isLocked: boolean;
  /**
   * The major version of Yarn 2 or later, if package.json does not name it. The commands must then name the version to
   * Corepack, which would otherwise start Yarn 1.
   */
  readonly yarnVersion?: string;
}

export interface NodeToolCommands {
  /** Adds sophia-run to the dependencies. */
  readonly add: string;
  /** Adds it to the dependencies of a workspace's root, if that takes another command than `add`. */
  readonly addToRoot?: string;
  /** The words, with a space, before a command of an installed package. */
  readonly runPrefix: string;
  /** The names of the lock file. */
  readonly lockFiles: readonly [string, ...string[]];
  /** The files that an image needs before it installs packages, as arguments of COPY. */
  readonly installationFiles: string;
  /** Installs exactly what the lock file pins. */
  readonly install: string;
  /** Installs what the lock file pins, without devDependencies. */
  readonly installProduction: string;
  /**
   * Returns the command that runs a script of a package. `member` is the package's path in the workspace, empty for the
   * root.
   */
  readonly scriptCommand: (name: string, member: string) => string;
  /** An instruction of a Dockerfile that must come before the installation. */
  readonly imageSetUp?: string;
  /** The commands of devcontainer.json. */
  readonly devcontainer: { readonly install: string; readonly check: string };
  /** The commands of a GitHub Actions workflow, and the cache of actions/setup-node. */
  readonly workflow: { readonly cache?: string; readonly setUp?: string; readonly check: string };
}

const CHECK = "sophia-run check";

/**
 * The commands by the name of the package manager. Corepack, which is part of Node.js 24, starts pnpm and Yarn. The shorter
 * commands that `corepack enable` installs would need root.
 */
export const NODE_TOOLS: Readonly<Record<NodeTool, NodeToolCommands>> = {
  npm: {
    add: `npm install --save-prod ${NODE_PACKAGE_ARGUMENT}`,
    runPrefix: NPX_PREFIX,
    lockFiles: ["package-lock.json"],
    installationFiles: "package*.json",
    install: "npm ci",
    installProduction: "npm ci --omit=dev",
    scriptCommand: (name, member) => `npm run ${name}${member && ` --workspace ./${member}`}`,
    devcontainer: { install: "npm install", check: CHECK },
    workflow: { cache: "npm", check: `node_modules/.bin/${CHECK}` },
  },
  pnpm: {
    add: `pnpm add ${NODE_PACKAGE_ARGUMENT}`,
    addToRoot: `pnpm add --workspace-root ${NODE_PACKAGE_ARGUMENT}`,
    runPrefix: "pnpm exec ",
    lockFiles: ["pnpm-lock.yaml"],
    installationFiles: "package.json pnpm-*.yaml",
    install: "corepack pnpm install --frozen-lockfile",
    installProduction: "corepack pnpm install --frozen-lockfile --prod",
    // `...` also runs the script of the packages on which this one depends, in the right order.
    scriptCommand: (name, member) => `corepack pnpm ${member && `--filter ./${member}... `}run ${name}`,
    devcontainer: { install: "corepack pnpm install", check: CHECK },
    workflow: { check: `corepack pnpm exec ${CHECK}` },
  },
  yarn: modernYarnCommands("corepack yarn"),
  "yarn 1": {
    add: `yarn add ${NODE_PACKAGE_ARGUMENT}`,
    addToRoot: `yarn add --ignore-workspace-root-check ${NODE_PACKAGE_ARGUMENT}`,
    runPrefix: "yarn run ",
    lockFiles: ["yarn.lock"],
    installationFiles: "package.json yarn.lock",
    install: "corepack yarn install --frozen-lockfile",
    installProduction: "corepack yarn install --frozen-lockfile --production",
    scriptCommand: (name, member) => `corepack yarn ${member && `--cwd ${member} `}run ${name}`,
    devcontainer: { install: "corepack yarn install", check: CHECK },
    workflow: { check: `node_modules/.bin/${CHECK}` },
  },
  bun: {
    add: `bun add ${NODE_PACKAGE_ARGUMENT}`,
    runPrefix: "bunx --no-install ",
    lockFiles: ["bun.lock", "bun.lockb"],
    installationFiles: "package.json bun.lock*",
    install: "bun install --frozen-lockfile",
    installProduction: "bun install --frozen-lockfile --production",
    scriptCommand: (name, member) => `bun run ${member && `--cwd ${member} `}${name}`,
    imageSetUp: "COPY --from=oven/bun:1 /usr/local/bin/bun /usr/local/bin/bun",
    devcontainer: { install: "npm install --global --prefix ~/.local bun@1 && ~/.local/bin/bun install", check: CHECK },
    workflow: { setUp: "npm install --global bun@1", check: `bunx --no-install ${CHECK}` },
  },
};

/** Returns the commands of Yarn 2 and later. `yarn` is the command that starts it. */
function modernYarnCommands(yarn: string): NodeToolCommands {
  return {
    add: `yarn add ${YARN_PACKAGE_ARGUMENT}`,
    runPrefix: "yarn run ",
    lockFiles: ["yarn.lock"],
    installationFiles: "package.json yarn.lock .yarnrc.y*ml",
    install: `${yarn} install --immutable`,
    installProduction: `${yarn} install --immutable`,
    scriptCommand: (name, member) => `${yarn} ${member && `--cwd ${member} `}run ${name}`,
    // The image starts programs from node_modules. The release of Yarn in the repository is not copied yet at that point.
    imageSetUp: "ENV YARN_NODE_LINKER=node-modules YARN_IGNORE_PATH=1",
    devcontainer: { install: `${yarn} install`, check: `${yarn} run ${CHECK}` },
    workflow: { check: `${yarn} run ${CHECK}` },
  };
}

/** Returns the commands of a project's package manager. */
export function commandsFor({ name, yarnVersion }: NodeInstaller): NodeToolCommands {
  return yarnVersion === undefined ? NODE_TOOLS[name] : modernYarnCommands(`corepack yarn@${yarnVersion}`);
}

/** The package managers that packageManager of package.json may name. Here `yarn` stands for every version of Yarn. */
const NAMEABLE_TOOLS = ["npm", "pnpm", "yarn", "bun"] as const satisfies readonly NodeTool[];
/** The settings files that show the package manager of a project without a lock file. */
const SETTINGS_FILES = [
  ["yarn", ".yarnrc.yml"],
  ["pnpm", "pnpm-workspace.yaml"],
  ["bun", "bunfig.toml"],
] as const satisfies readonly (readonly [NodeTool, string])[];

/**
 * Returns the package manager of a project: the one that package.json names, otherwise that of the lock file, otherwise
 * that of a settings file, otherwise npm.
 *
 * @param packageManager the field of package.json, such as `pnpm@10.2.0`
 * @param yarnLock the text of yarn.lock, which shows the version of Yarn
 */
export function findNodeInstaller(
  packageManager: unknown,
  yarnLock: string | undefined,
  fileExists: (file: string) => boolean,
): NodeInstaller {
  const field = typeof packageManager === "string" ? packageManager : "";
  const [, namedTool, namedMajor] = /^(npm|pnpm|yarn|bun)@(\d+)\./.exec(field) ?? [];
  const hasLock = (tool: NodeTool): boolean => NODE_TOOLS[tool].lockFiles.some(fileExists);
  const tool =
    NAMEABLE_TOOLS.find((name) => name === namedTool) ??
    NAMEABLE_TOOLS.find(hasLock) ??
    SETTINGS_FILES.find(([, file]) => fileExists(file))?.[0] ??
    "npm";
  const isLocked = hasLock(tool);
  if (tool !== "yarn") return { name: tool, isLocked };
  const isYarn1 = namedMajor === "1" || (namedTool === undefined && /^# yarn lockfile v1$/m.test(yarnLock ?? ""));
  if (isYarn1) return { name: "yarn 1", isLocked };
  if (namedTool !== undefined) return { name: "yarn", isLocked };
  // Yarn 3 wrote version 6 of its lock file, and Yarn 4 writes version 8.
  const isYarn3 = /^ {2}version: [4-7]$/m.test(yarnLock ?? "");
  return { name: "yarn", isLocked, yarnVersion: isYarn3 ? "3" : "4" };
}
