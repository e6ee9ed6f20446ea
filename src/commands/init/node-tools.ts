/** The package managers of Node.js, with the commands that `init` writes or prints. */
import { NODE_PACKAGE, NPX, YARN_PACKAGE } from "../parts/package-source.ts";

/** From version 2 on Yarn is a different program. */
type NodeTool = "npm" | "pnpm" | "yarn" | "yarn 1" | "bun";

export interface NodeInstaller {
  readonly name: NodeTool;
  readonly isLocked: boolean;
  /** The major version for Corepack if package.json names none: it would use Yarn 1, which has a different lock file. */
  readonly yarnVersion?: string;
}

export interface NodeToolCommands {
  readonly add: string;
  readonly addToRoot?: string;
  /** The prefix of a command of an installed package. */
  readonly run: string;
  readonly locks: readonly [string, ...string[]];
  readonly files: string;
  readonly install: string;
  readonly installProduction: string;
  /** Runs a script of a package, by its path in the workspace; empty for the root. */
  readonly script: (name: string, member: string) => string;
  readonly imageSetUp?: string;
  readonly devcontainer: { readonly install: string; readonly check: string };
  readonly workflow: { readonly cache?: string; readonly setUp?: string; readonly check: string };
}

const CHECK = "sophia-run check";

/** Corepack is part of Node.js 24 and reads the version from package.json. `corepack enable` would need root. */
export const NODE_TOOLS: Readonly<Record<NodeTool, NodeToolCommands>> = {
  npm: {
    add: `npm install --save-prod ${NODE_PACKAGE}`,
    run: NPX,
    locks: ["package-lock.json"],
    files: "package*.json",
    install: "npm ci",
    installProduction: "npm ci --omit=dev",
    script: (name, member) => `npm run ${name}${member && ` --workspace ./${member}`}`,
    devcontainer: { install: "npm install", check: CHECK },
    workflow: { cache: "npm", check: `node_modules/.bin/${CHECK}` },
  },
  pnpm: {
    add: `pnpm add ${NODE_PACKAGE}`,
    addToRoot: `pnpm add --workspace-root ${NODE_PACKAGE}`,
    run: "pnpm exec ",
    locks: ["pnpm-lock.yaml"],
    files: "package.json pnpm-*.yaml",
    install: "corepack pnpm install --frozen-lockfile",
    installProduction: "corepack pnpm install --frozen-lockfile --prod",
    // `...` adds the packages that it depends on, in their order.
    script: (name, member) => `corepack pnpm ${member && `--filter ./${member}... `}run ${name}`,
    devcontainer: { install: "corepack pnpm install", check: CHECK },
    workflow: { check: `corepack pnpm exec ${CHECK}` },
  },
  yarn: modernYarn("corepack yarn"),
  "yarn 1": {
    add: `yarn add ${NODE_PACKAGE}`,
    addToRoot: `yarn add --ignore-workspace-root-check ${NODE_PACKAGE}`,
    run: "yarn run ",
    locks: ["yarn.lock"],
    files: "package.json yarn.lock",
    install: "corepack yarn install --frozen-lockfile",
    installProduction: "corepack yarn install --frozen-lockfile --production",
    script: (name, member) => `corepack yarn ${member && `--cwd ${member} `}run ${name}`,
    devcontainer: { install: "corepack yarn install", check: CHECK },
    workflow: { check: `node_modules/.bin/${CHECK}` },
  },
  bun: {
    add: `bun add ${NODE_PACKAGE}`,
    run: "bunx --no-install ",
    locks: ["bun.lock", "bun.lockb"],
    files: "package.json bun.lock*",
    install: "bun install --frozen-lockfile",
    installProduction: "bun install --frozen-lockfile --production",
    script: (name, member) => `bun run ${member && `--cwd ${member} `}${name}`,
    imageSetUp: "COPY --from=oven/bun:1 /usr/local/bin/bun /usr/local/bin/bun",
    devcontainer: { install: "npm install --global --prefix ~/.local bun@1 && ~/.local/bin/bun install", check: CHECK },
    workflow: { setUp: "npm install --global bun@1", check: `bunx --no-install ${CHECK}` },
  },
};

function modernYarn(yarn: string): NodeToolCommands {
  return {
    add: `yarn add ${YARN_PACKAGE}`,
    run: "yarn run ",
    locks: ["yarn.lock"],
    files: "package.json yarn.lock .yarnrc.y*ml",
    install: `${yarn} install --immutable`,
    installProduction: `${yarn} install --immutable`,
    script: (name, member) => `${yarn} ${member && `--cwd ${member} `}run ${name}`,
    // Programs need node_modules; the file of Yarn in the repository is not copied yet.
    imageSetUp: "ENV YARN_NODE_LINKER=node-modules YARN_IGNORE_PATH=1",
    devcontainer: { install: `${yarn} install`, check: `${yarn} run ${CHECK}` },
    workflow: { check: `${yarn} run ${CHECK}` },
  };
}

export function commandsFor({ name, yarnVersion }: NodeInstaller): NodeToolCommands {
  return yarnVersion === undefined ? NODE_TOOLS[name] : modernYarn(`corepack yarn@${yarnVersion}`);
}

const BY_LOCK = ["npm", "pnpm", "yarn", "bun"] as const satisfies readonly NodeTool[];
/** Settings files, for a project without a lock file. */
const BY_SETTINGS = [
  ["yarn", ".yarnrc.yml"],
  ["pnpm", "pnpm-workspace.yaml"],
  ["bun", "bunfig.toml"],
] as const satisfies readonly (readonly [NodeTool, string])[];

/** Returns the tool of `packageManager` (`named`), else that of the lock file or the settings file, else npm. */
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
  const isLocked = hasLock(chosen);
  if (chosen !== "yarn") return { name: chosen, isLocked };
  if (major === "1" || (name === undefined && /^# yarn lockfile v1$/m.test(yarnLock ?? ""))) {
    return { name: "yarn 1", isLocked };
  }
  if (name !== undefined) return { name: "yarn", isLocked };
  // Yarn 3 wrote version 6 of its lock file, and Yarn 4 version 8.
  return { name: "yarn", isLocked, yarnVersion: /^ {2}version: [4-7]$/m.test(yarnLock ?? "") ? "3" : "4" };
}
