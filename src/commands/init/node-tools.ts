/** The package managers of Node.js: what each is called with, wherever `init` writes or says it. */
import { NODE_PACKAGE, NPX, YARN_PACKAGE } from "../../core/package-source.ts";
import type { NodeInstaller, NodeTool } from "./place.ts";

export interface NodeToolCommands {
  /** Adds sophia-run to the dependencies. */
  readonly add: string;
  /** The same in the root of a workspace, where some refuse it without being told. */
  readonly addToRoot?: string;
  /** What stands before a command of the project's packages, where nothing has put them on the `PATH`. */
  readonly run: string;
  /** Any one of them is enough: by it an installation is the same everywhere. */
  readonly locks: readonly string[];
  readonly image: {
    /** Lines of the Dockerfile in front of the installation. */
    readonly setUp: readonly string[];
    /** What the installation reads. */
    readonly files: string;
    /** Installs what a build needs, too. */
    readonly installAll: string;
    readonly install: string;
    /** Runs the script of this name in the root. */
    readonly script: (name: string) => string;
    /** Runs the script in a package of the workspace, by its path. */
    readonly scriptIn: (name: string, member: string) => string;
    /** What starts a program. */
    readonly runtime: "node" | "bun";
  };
  readonly devcontainer: { readonly install: string; readonly check: string };
  readonly workflow: {
    readonly cache?: string;
    readonly setUp?: string;
    readonly install: string;
    readonly check: string;
  };
}

const CHECK = "sophia-run check";

/** Corepack comes with Node.js 24, and takes the version from package.json. To enable it would need root in a devcontainer. */
export const NODE_TOOLS: Readonly<Record<NodeTool, NodeToolCommands>> = {
  npm: {
    add: `npm install --save-prod ${NODE_PACKAGE}`,
    run: NPX,
    locks: ["package-lock.json"],
    image: {
      setUp: [],
      files: "package*.json",
      installAll: "npm ci",
      install: "npm ci --omit=dev",
      script: (name) => `npm run ${name}`,
      scriptIn: (name, member) => `npm run ${name} --workspace ./${member}`,
      runtime: "node",
    },
    devcontainer: { install: "npm install", check: CHECK },
    workflow: { cache: "npm", install: "npm ci", check: `node_modules/.bin/${CHECK}` },
  },
  pnpm: {
    add: `pnpm add ${NODE_PACKAGE}`,
    addToRoot: `pnpm add --workspace-root ${NODE_PACKAGE}`,
    run: "pnpm exec ",
    locks: ["pnpm-lock.yaml"],
    image: {
      setUp: [],
      files: "package.json pnpm-*.yaml",
      installAll: "corepack pnpm install --frozen-lockfile",
      install: "corepack pnpm install --frozen-lockfile --prod",
      script: (name) => `corepack pnpm run ${name}`,
      // With the packages that it needs, in their order.
      scriptIn: (name, member) => `corepack pnpm --filter ./${member}... run ${name}`,
      runtime: "node",
    },
    devcontainer: { install: "corepack pnpm install", check: CHECK },
    workflow: { install: "corepack pnpm install --frozen-lockfile", check: `corepack pnpm exec ${CHECK}` },
  },
  yarn: {
    add: `yarn add ${YARN_PACKAGE}`,
    run: "yarn run ",
    locks: ["yarn.lock"],
    image: {
      // A program that is started by itself finds its packages in node_modules alone; Yarn's own file is not there yet.
      setUp: ["ENV YARN_NODE_LINKER=node-modules YARN_IGNORE_PATH=1"],
      files: "package.json yarn.lock .yarnrc.y*ml",
      installAll: "corepack yarn install --immutable",
      install: "corepack yarn install --immutable",
      script: (name) => `corepack yarn run ${name}`,
      scriptIn: (name, member) => `corepack yarn --cwd ${member} run ${name}`,
      runtime: "node",
    },
    devcontainer: { install: "corepack yarn install", check: `corepack yarn run ${CHECK}` },
    workflow: { install: "corepack yarn install --immutable", check: `corepack yarn run ${CHECK}` },
  },
  "yarn 1": {
    add: `yarn add ${NODE_PACKAGE}`,
    addToRoot: `yarn add --ignore-workspace-root-check ${NODE_PACKAGE}`,
    run: "yarn run ",
    locks: ["yarn.lock"],
    image: {
      setUp: [],
      files: "package.json yarn.lock",
      installAll: "corepack yarn install --frozen-lockfile",
      install: "corepack yarn install --frozen-lockfile --production",
      script: (name) => `corepack yarn run ${name}`,
      scriptIn: (name, member) => `corepack yarn --cwd ${member} run ${name}`,
      runtime: "node",
    },
    devcontainer: { install: "corepack yarn install", check: CHECK },
    workflow: { install: "corepack yarn install --frozen-lockfile", check: `node_modules/.bin/${CHECK}` },
  },
  bun: {
    add: `bun add ${NODE_PACKAGE}`,
    run: "bunx --no-install ",
    locks: ["bun.lock", "bun.lockb"],
    image: {
      setUp: ["COPY --from=oven/bun:1 /usr/local/bin/bun /usr/local/bin/bun"],
      files: "package.json bun.lock*",
      installAll: "bun install --frozen-lockfile",
      install: "bun install --frozen-lockfile --production",
      script: (name) => `bun run ${name}`,
      scriptIn: (name, member) => `bun run --cwd ${member} ${name}`,
      runtime: "bun",
    },
    devcontainer: { install: "npm install --global --prefix ~/.local bun@1 && ~/.local/bin/bun install", check: CHECK },
    workflow: {
      setUp: "npm install --global bun@1",
      install: "bun install --frozen-lockfile",
      check: `bunx --no-install ${CHECK}`,
    },
  },
};

/** In this order, where package.json names none. */
const BY_LOCK = ["npm", "pnpm", "yarn", "bun"] as const satisfies readonly NodeTool[];
/** Files of settings that say the same as a lock file, which may not be there yet. */
const BY_SETTINGS = [
  ["yarn", ".yarnrc.yml"],
  ["pnpm", "pnpm-workspace.yaml"],
  ["bun", "bunfig.toml"],
] as const satisfies readonly (readonly [NodeTool, string])[];

/**
 * Which package manager installs a project: that of package.json's `packageManager`, else that whose lock file or file of
 * settings is there, else npm.
 *
 * @param named the value of `packageManager`
 * @param yarnLock the text of yarn.lock
 */
export function nodeTool(
  named: unknown,
  yarnLock: string | undefined,
  isThere: (file: string) => boolean,
): NodeInstaller {
  const [, name, major] = /^(npm|pnpm|yarn|bun)@(\d+)\./.exec(typeof named === "string" ? named : "") ?? [];
  const hasLock = (tool: NodeTool): boolean => NODE_TOOLS[tool].locks.some(isThere);
  const chosen =
    BY_LOCK.find((tool) => tool === name) ??
    BY_LOCK.find(hasLock) ??
    BY_SETTINGS.find(([, file]) => isThere(file))?.[0] ??
    "npm";
  if (chosen !== "yarn") return { name: chosen, isLocked: hasLock(chosen) };
  const isLocked = hasLock("yarn");
  if (major === "1" || (name === undefined && /^# yarn lockfile v1$/m.test(yarnLock ?? ""))) {
    return { name: "yarn 1", isLocked };
  }
  return name === undefined ? { name: "yarn", isLocked, yarnVersion: yarnMajor(yarnLock) } : { name: "yarn", isLocked };
}

/** Yarn 3 wrote version 6 of its lock file, and Yarn 4 version 8. */
function yarnMajor(lock = ""): string {
  return /^ {2}version: [4-7]$/m.test(lock) ? "3" : "4";
}

/** Has a command's Corepack take the version of Yarn that the project is for. */
export function withYarnVersion(command: string, { yarnVersion }: NodeInstaller): string {
  return yarnVersion === undefined ? command : command.replaceAll("corepack yarn ", `corepack yarn@${yarnVersion} `);
}
