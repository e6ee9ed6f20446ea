/** The package managers of Node.js: what each is called with, wherever `init` writes or says it. */
import type { NodeTool } from "./place.ts";

export interface NodeToolCommands {
  /** Adds sophia-run to the dependencies. */
  readonly add: string;
  /** What stands before a command of the project's packages, where nothing has put them on the `PATH`. */
  readonly run: string;
  /** Any one of them is enough: by it an installation is the same everywhere. */
  readonly locks: readonly string[];
  readonly image: {
    /** Lines of the Dockerfile in front of the installation. */
    readonly setUp: readonly string[];
    /** What the installation reads. */
    readonly files: string;
    readonly install: string;
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
    add: "npm install --save-prod sophia-run",
    run: "npx ",
    locks: ["package-lock.json"],
    image: { setUp: [], files: "package*.json", install: "npm ci --omit=dev", runtime: "node" },
    devcontainer: { install: "npm install", check: CHECK },
    workflow: { cache: "npm", install: "npm ci", check: `node_modules/.bin/${CHECK}` },
  },
  pnpm: {
    add: "pnpm add sophia-run",
    run: "pnpm exec ",
    locks: ["pnpm-lock.yaml"],
    image: {
      setUp: [],
      files: "package.json pnpm-*.yaml",
      install: "corepack pnpm install --frozen-lockfile --prod",
      runtime: "node",
    },
    devcontainer: { install: "corepack pnpm install", check: CHECK },
    workflow: { install: "corepack pnpm install --frozen-lockfile", check: `corepack pnpm exec ${CHECK}` },
  },
  yarn: {
    add: "yarn add sophia-run",
    run: "yarn run ",
    locks: ["yarn.lock"],
    image: {
      // A program that is started by itself finds its packages in node_modules alone; Yarn's own file is not there yet.
      setUp: ["ENV YARN_NODE_LINKER=node-modules YARN_IGNORE_PATH=1"],
      files: "package.json yarn.lock .yarnrc.y*ml",
      install: "corepack yarn install --immutable",
      runtime: "node",
    },
    devcontainer: { install: "corepack yarn install", check: `corepack yarn run ${CHECK}` },
    workflow: { install: "corepack yarn install --immutable", check: `corepack yarn run ${CHECK}` },
  },
  "yarn 1": {
    add: "yarn add sophia-run",
    run: "yarn run ",
    locks: ["yarn.lock"],
    image: {
      setUp: [],
      files: "package.json yarn.lock",
      install: "corepack yarn install --frozen-lockfile --production",
      runtime: "node",
    },
    devcontainer: { install: "corepack yarn install", check: CHECK },
    workflow: { install: "corepack yarn install --frozen-lockfile", check: `node_modules/.bin/${CHECK}` },
  },
  bun: {
    add: "bun add sophia-run",
    run: "bunx --no-install ",
    locks: ["bun.lock", "bun.lockb"],
    image: {
      setUp: ["COPY --from=oven/bun:1 /usr/local/bin/bun /usr/local/bin/bun"],
      files: "package.json bun.lock*",
      install: "bun install --frozen-lockfile --production",
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

/**
 * Which one installs a project: that of package.json's `packageManager`, else that whose lock file is there, else npm.
 *
 * @param named the value of `packageManager`
 * @param yarnLock the text of yarn.lock
 */
export function nodeTool(
  named: unknown,
  yarnLock: string | undefined,
  isThere: (file: string) => boolean,
): { readonly name: NodeTool; readonly isLocked: boolean } {
  const [, name, major] = /^(npm|pnpm|yarn|bun)@(\d+)\./.exec(typeof named === "string" ? named : "") ?? [];
  const hasLock = (tool: NodeTool): boolean => NODE_TOOLS[tool].locks.some(isThere);
  const chosen = BY_LOCK.find((tool) => tool === name) ?? BY_LOCK.find(hasLock) ?? "npm";
  if (chosen !== "yarn") return { name: chosen, isLocked: hasLock(chosen) };
  if (major === "1" || (name === undefined && /^# yarn lockfile v1$/m.test(yarnLock ?? ""))) {
    return { name: "yarn 1", isLocked: hasLock("yarn 1") };
  }
  // Without a version Corepack would take Yarn 1, which does not know the file.
  return { name: "yarn", isLocked: name !== undefined && hasLock("yarn") };
}
