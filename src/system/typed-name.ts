import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Context } from "../core/context.ts";

const NAME = "sophia-run";
const FILES = process.platform === "win32" ? [`${NAME}.cmd`, `${NAME}.exe`] : [NAME];

/** Commands that run an installed package's command, by the first word of npm_config_user_agent. */
const RUNNERS: ReadonlyMap<string, string> = new Map([
  ["npm", "npx --no-install"],
  ["pnpm", "pnpm exec"],
  ["yarn", "yarn"],
  ["bun", "bunx --no-install"],
]);

/**
 * Returns the command as the user can type it. npm, pnpm, Yarn 1 and Bun add `node_modules/.bin` to the search path of
 * their scripts, Yarn 4 adds the folder in BERRY_BIN_FOLDER, and uv that of its virtual environment. The result never
 * contains text from a variable.
 */
export function typedName({ environment, cwd }: Pick<Context, "environment" | "cwd">): string {
  const path = (environment.get("PATH") ?? "").split(process.platform === "win32" ? ";" : ":");
  // The folder of pnpm is relative.
  const found = path.find((folder) => folder !== "" && hasCommand(resolve(cwd, folder)));
  if (found !== undefined && found === folderOfUv(environment)) return `uv run ${NAME}`;
  const isManaged =
    found === undefined
      ? isInstalledAbove(cwd)
      : found === environment.get("BERRY_BIN_FOLDER") || /(?:^|[\\/])node_modules[\\/]\.bin[\\/]?$/.test(found);
  if (!isManaged) return NAME;
  const agent = /^(\w+)\//.exec(environment.get("npm_config_user_agent") ?? "")?.[1] ?? "";
  const runner = RUNNERS.get(agent);
  // The user has added node_modules/.bin to the search path.
  if (runner === undefined && found !== undefined) return NAME;
  return `${runner ?? "npx --no-install"} ${NAME}`;
}

/** Returns the folder that `uv run` puts in front of the search path; undefined if this is no process of it. */
function folderOfUv(environment: Context["environment"]): string | undefined {
  const virtual = environment.get("VIRTUAL_ENV");
  if (virtual === undefined || environment.get("UV_RUN_RECURSION_DEPTH") === undefined) return undefined;
  return join(virtual, process.platform === "win32" ? "Scripts" : "bin");
}

function hasCommand(folder: string): boolean {
  return FILES.some((file) => existsSync(join(folder, file)));
}

function isInstalledAbove(folder: string): boolean {
  if (hasCommand(join(folder, "node_modules", ".bin"))) return true;
  const parent = dirname(folder);
  return parent !== folder && isInstalledAbove(parent);
}
