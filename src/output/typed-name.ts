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
 * their scripts, Yarn 4 adds the folder in BERRY_BIN_FOLDER, and uv and PDM that of the virtual environment. The result never
 * contains text from a variable.
 */
export function typedName({ environment, cwd }: Pick<Context, "environment" | "cwd">): string {
  const path = (environment.get("PATH") ?? "").split(process.platform === "win32" ? ";" : ":");
  // The folder of pnpm is relative.
  const folderOnPath = path.find((folder) => folder !== "" && hasCommand(resolve(cwd, folder)));
  const python =
    folderOnPath !== undefined && folderOnPath === folderOfPython(environment) ? pythonRunner(environment) : undefined;
  if (python !== undefined) return `${python} ${NAME}`;
  const isManaged =
    folderOnPath === undefined
      ? isInstalledAbove(cwd)
      : folderOnPath === environment.get("BERRY_BIN_FOLDER") ||
        /(?:^|[\\/])node_modules[\\/]\.bin[\\/]?$/.test(folderOnPath);
  if (!isManaged) return NAME;
  const agent = /^(\w+)\//.exec(environment.get("npm_config_user_agent") ?? "")?.[1] ?? "";
  const runner = RUNNERS.get(agent);
  // The user has added node_modules/.bin to the search path.
  if (runner === undefined && folderOnPath !== undefined) return NAME;
  return `${runner ?? "npx --no-install"} ${NAME}`;
}

/** Returns the folder of the virtual environment, which `uv run` and `pdm run` put in front of the search path. */
function folderOfPython(environment: Context["environment"]): string | undefined {
  const virtual = environment.get("VIRTUAL_ENV");
  return virtual === undefined ? undefined : join(virtual, process.platform === "win32" ? "Scripts" : "bin");
}

/** `poetry run` sets the same variables as an activated environment, in which the name alone is a command. */
function pythonRunner(environment: Context["environment"]): string | undefined {
  if (environment.has("UV_RUN_RECURSION_DEPTH")) return "uv run";
  return environment.has("PDM_RUN_CWD") ? "pdm run" : undefined;
}

function hasCommand(folder: string): boolean {
  return FILES.some((file) => existsSync(join(folder, file)));
}

function isInstalledAbove(folder: string): boolean {
  if (hasCommand(join(folder, "node_modules", ".bin"))) return true;
  const parent = dirname(folder);
  return parent !== folder && isInstalledAbove(parent);
}
