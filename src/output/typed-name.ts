/** Finds the words by which the user can type the command `sophia-run`, for commands to paste in messages. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Context } from "../core/context.ts";

const COMMAND_NAME = "sophia-run";
const FILE_NAMES = process.platform === "win32" ? [`${COMMAND_NAME}.cmd`, `${COMMAND_NAME}.exe`] : [COMMAND_NAME];

/** How package managers run the command of an installed package, by the first word of npm_config_user_agent. */
const PACKAGE_RUNNERS: ReadonlyMap<string, string> = new Map([
  ["npm", "npx --no-install"],
  ["pnpm", "pnpm exec"],
  ["yarn", "yarn"],
  ["bun", "bunx --no-install"],
]);

/**
 * Returns the command as the user can type it: `sophia-run`, or with a runner, such as `npx --no-install sophia-run`.
 *
 * A package manager puts a folder of its own on the search path of its scripts, and the user's shell does not have it. npm, pnpm,
 * Yarn 1 and Bun add `node_modules/.bin`, Yarn 4 adds the folder in BERRY_BIN_FOLDER, and uv and PDM add the folder of the virtual
 * environment. The result never contains text from a variable.
 */
export function findTypedName({ environment, cwd }: Pick<Context, "environment" | "cwd">): string {
  const folders = (environment.get("PATH") ?? "").split(process.platform === "win32" ? ";" : ":");
  // The path that pnpm adds is relative.
  const folderOnPath = folders.find((folder) => folder !== "" && hasCommand(resolve(cwd, folder)));
  const isInVirtualEnvironment = folderOnPath !== undefined && folderOnPath === virtualEnvironmentFolder(environment);
  const pythonRunner = isInVirtualEnvironment ? findPythonRunner(environment) : undefined;
  if (pythonRunner !== undefined) return `${pythonRunner} ${COMMAND_NAME}`;
  const isOfPackageManager =
    folderOnPath === undefined ? isInstalledAbove(cwd) : isPackageFolder(folderOnPath, environment);
  if (!isOfPackageManager) return COMMAND_NAME;
  const agent = /^(\w+)\//.exec(environment.get("npm_config_user_agent") ?? "")?.[1] ?? "";
  const runner = PACKAGE_RUNNERS.get(agent);
  // No package manager runs this process, so that the user has added node_modules/.bin to the search path.
  if (runner === undefined && folderOnPath !== undefined) return COMMAND_NAME;
  return `${runner ?? "npx --no-install"} ${COMMAND_NAME}`;
}

/** Returns true for a folder that a package manager of JavaScript puts on the search path. */
function isPackageFolder(folder: string, environment: Context["environment"]): boolean {
  if (folder === environment.get("BERRY_BIN_FOLDER")) return true;
  return /(?:^|[\\/])node_modules[\\/]\.bin[\\/]?$/.test(folder);
}

/** Returns the folder with the commands of the virtual environment. `uv run` and `pdm run` put it in front of the search path. */
function virtualEnvironmentFolder(environment: Context["environment"]): string | undefined {
  const virtual = environment.get("VIRTUAL_ENV");
  return virtual === undefined ? undefined : join(virtual, process.platform === "win32" ? "Scripts" : "bin");
}

/** Returns the runner that started this process. `poetry run` cannot be told from an activated environment, which needs no runner. */
function findPythonRunner(environment: Context["environment"]): string | undefined {
  if (environment.has("UV_RUN_RECURSION_DEPTH")) return "uv run";
  return environment.has("PDM_RUN_CWD") ? "pdm run" : undefined;
}

function hasCommand(folder: string): boolean {
  return FILE_NAMES.some((file) => existsSync(join(folder, file)));
}

/** Returns true if the package is installed in the folder or in one above. */
function isInstalledAbove(folder: string): boolean {
  if (hasCommand(join(folder, "node_modules", ".bin"))) return true;
  const parent = dirname(folder);
  return parent !== folder && isInstalledAbove(parent);
}
