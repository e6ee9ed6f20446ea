/**
 * The command `sophia-run link`. It makes `node_modules/.bin/sophia-run`, which npm scripts start, a symbolic link to the
 * package's executable for Linux, which starts faster than Node.js. With `--node` the link is to the file for Node.js
 * again.
 */
import { randomBytes } from "node:crypto";
import { readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { attempt, codeOrThrow } from "../../system/errors.ts";
import { entryExists, within } from "../../system/paths.ts";
import { printLines } from "../../output/stderr.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { conflictError } from "../parts/usage-errors.ts";
import { DIST_FOLDER, PACKAGE_NAME, COMMAND_FILE, findNpmPackage, type NpmPackage } from "../parts/npm-package.ts";
import { type Bin, findBins, listFoldersUpwards } from "./bins.ts";
import { findExecutable, lacksExecutable, findStartObstacle } from "./executable.ts";

/** Returns 0; with `--check` 1 if scripts do not start the executable. @throws SophiaError (125) */
export const link: Command = async ({ options }, context) => {
  const wantsNode = options["node"] === true;
  const isCheck = options["check"] === true;
  if (wantsNode && isCheck) throw conflictError("--node", "--check");
  const { verbose } = resolveSettings(options, context.environment);
  const npmPackage = findNpmPackage();
  const bins = npmPackage === undefined ? [] : findBins(npmPackage, context.cwd);
  const [nearestBin] = bins;
  if (npmPackage === undefined || nearestBin === undefined) {
    const reason = npmPackage === undefined ? "this sophia-run is in no npm package" : describeMissingBin(context);
    if (isCheck) printReport(context, [`There is nothing to link: ${reason}`]);
    else if (verbose) printLines(context, [`nothing is linked: ${reason}`]);
    return isCheck ? ExitStatus.unmet : ExitStatus.ok;
  }
  if (isCheck) return reportBin(nearestBin, npmPackage, context);
  const executable = wantsNode ? undefined : await findUsableExecutable(npmPackage, verbose, context);
  for (const bin of bins) {
    const line = replaceBin(bin, executable, wantsNode);
    if (verbose) printLines(context, [line]);
  }
  return ExitStatus.ok;
};

/** Returns the name of the executable that scripts will start. If there is none, prints the reason, and returns undefined. */
async function findUsableExecutable(
  npmPackage: NpmPackage,
  verbose: boolean,
  context: Context,
): Promise<string | undefined> {
  const executable = await findExecutable(npmPackage);
  if ("name" in executable) return executable.name;
  // Only a package that was packed without its executable is always reported, because the user can pack it again.
  if (lacksExecutable(npmPackage))
    printLines(context, [`this package has no executable for ${process.arch}: Node.js starts it`]);
  if (verbose) printLines(context, [executable.why]);
  return undefined;
}

/** Returns the reason why there is no command to link. */
function describeMissingBin({ cwd }: Context): string {
  const isPlugAndPlay = listFoldersUpwards(cwd).some(({ folder }) => entryExists(within(folder, ".pnp.cjs")));
  if (isPlugAndPlay) return "with Plug'n'Play there is no node_modules/.bin";
  return "no node_modules/.bin, here or in a folder above, has the command of this package";
}

/**
 * Replaces a command if that changes what the command starts. If this machine cannot start the executable, a link to it
 * becomes one to the file for Node.js.
 *
 * @param executable the name of the executable; undefined if the command must start Node.js
 * @param wantsNode true with `--node`
 * @returns what was done, for `--verbose`
 * @throws SophiaError (file, 125) if the command cannot be replaced with `--node`
 */
function replaceBin(
  { state, shownPath, folder, pathToPackage }: Bin,
  executable: string | undefined,
  wantsNode: boolean,
): string {
  if (state.kind === "foreign") return `${shownPath} stays as it is: it is ${state.description}`;
  const startsExecutable = executable !== undefined;
  if (state.kind === "node" && !startsExecutable) return `${shownPath} starts Node.js, as before`;
  const target = `${pathToPackage}/${startsExecutable ? `${DIST_FOLDER}/${executable}` : COMMAND_FILE}`;
  const errorCode = replaceByLink(within(folder, PACKAGE_NAME), target);
  if (errorCode === undefined)
    return `${shownPath} starts ${startsExecutable ? "the executable" : "Node.js"}: it is a link to ${target}`;
  if (!wantsNode) return `${shownPath} stays as it is: it cannot be replaced (${errorCode})`;
  throw new SophiaError({
    code: "file",
    message: `${shownPath} cannot be replaced (${errorCode})`,
    hint: "check its folder's permissions, then run the command again",
  });
}

/**
 * Replaces a command by a link, unless it is that link already. The link is made under another name and then renamed, so
 * that a start at the same time finds either the former command or the new one.
 *
 * @returns the error code if that fails
 */
function replaceByLink(path: string, target: string): string | undefined {
  if (attempt(() => readlinkSync(path)) === target) return undefined;
  const temporaryPath = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    symlinkSync(target, temporaryPath);
    renameSync(temporaryPath, path);
    return undefined;
  } catch (error) {
    attempt(() => unlinkSync(temporaryPath));
    return codeOrThrow(error);
  }
}

/** Prints what the scripts in the working directory start, and how to change it. @returns the exit status of `--check` */
async function reportBin({ state, shownPath }: Bin, npmPackage: NpmPackage, context: Context): Promise<number> {
  if (state.kind === "foreign") {
    printReport(context, [`${shownPath} is foreign: it is ${state.description}`]);
    return ExitStatus.unmet;
  }
  if (state.kind === "executable") {
    const obstacle = await findStartObstacle(state.file, npmPackage.version);
    if (obstacle === undefined) {
      printReport(context, [`${shownPath} starts the executable`]);
      return ExitStatus.ok;
    }
    printReport(context, [
      { text: `${shownPath} starts nothing: the executable ${obstacle}`, hangingIndent: 2 },
      "to put the file for Node.js back:",
      "  sophia-run link --node",
    ]);
    return ExitStatus.unmet;
  }
  const executable = await findExecutable(npmPackage);
  const remedy =
    "why" in executable
      ? [`The executable cannot be used: ${executable.why}`]
      : ["To start the executable instead:", "  sophia-run link"];
  printReport(context, [`${shownPath} starts Node.js`, ...remedy]);
  return ExitStatus.unmet;
}
