/** `sophia-run link`: lets `node_modules/.bin/sophia-run` start the executable of the package, or the file for Node.js. */
import { randomBytes } from "node:crypto";
import { readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { attempt, codeOrThrow } from "../../system/errors.ts";
import { isThere, within } from "../../system/paths.ts";
import { printLines } from "../../output/stderr.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { conflict } from "../parts/usage-errors.ts";
import { DIST_FOLDER, PACKAGE_NAME, COMMAND_FILE, findNpmPackage, type NpmPackage } from "../parts/npm-package.ts";
import { type Bin, findBins, foldersFrom } from "./bins.ts";
import { type Executable, findExecutable, lacksExecutable, findObstacle } from "./executable.ts";

export const link: Command = async ({ options }, context) => {
  const wantsNode = options["node"] === true;
  const isCheck = options["check"] === true;
  if (wantsNode && isCheck) throw conflict("--node", "--check");
  const { verbose } = resolveSettings(options, context.environment);
  const own = findNpmPackage();
  const bins = own === undefined ? [] : findBins(own, context.cwd);
  const [nearest] = bins;
  if (own === undefined || nearest === undefined) {
    const why = own === undefined ? "this sophia-run is in no npm package" : whyNoBin(context);
    if (isCheck) printReport(context, [`There is nothing to link: ${why}`]);
    else if (verbose) printLines(context, [`nothing is linked: ${why}`]);
    return isCheck ? ExitStatus.unmet : ExitStatus.ok;
  }
  if (isCheck) return reportNearest(nearest, own, context);
  const executable: Executable = wantsNode ? { why: "" } : await findExecutable(own);
  if (!wantsNode && "why" in executable) {
    // Only a package that was packed without its executable is always reported, because the user can pack it again.
    if (lacksExecutable(own))
      printLines(context, [`this package has no executable for ${process.arch}: Node.js starts it`]);
    if (verbose) printLines(context, [executable.why]);
  }
  for (const bin of bins) {
    const line = relink(bin, executable, wantsNode);
    if (verbose) printLines(context, [line]);
  }
  return ExitStatus.ok;
};

/** Returns the reason why there is no command to link. */
function whyNoBin({ cwd }: Context): string {
  const isPlugAndPlay = foldersFrom(cwd).some(({ folder }) => isThere(within(folder, ".pnp.cjs")));
  if (isPlugAndPlay) return "with Plug'n'Play there is no node_modules/.bin";
  return "no node_modules/.bin, here or in a folder above, has the command of this package";
}

/**
 * Replaces a command if that changes what the command starts. If this machine cannot start the executable, a link to it
 * becomes one to the file for Node.js.
 *
 * @returns what was done, for `--verbose`
 * @throws SophiaError (file, 125) if the command cannot be replaced with `--node`
 */
function relink({ current, shown, folder, toPackage }: Bin, executable: Executable, wantsNode: boolean): string {
  if (current.kind === "foreign") return `${shown} stays as it is: it is ${current.what}`;
  const isExecutable = "name" in executable;
  if (current.kind === "node" && !isExecutable) return `${shown} starts Node.js, as before`;
  const target = `${toPackage}/${isExecutable ? `${DIST_FOLDER}/${executable.name}` : COMMAND_FILE}`;
  const problem = replaceByLink(within(folder, PACKAGE_NAME), target);
  if (problem === undefined)
    return `${shown} starts ${isExecutable ? "the executable" : "Node.js"}: it is a link to ${target}`;
  if (!wantsNode) return `${shown} stays as it is: it cannot be replaced (${problem})`;
  throw new SophiaError({
    code: "file",
    message: `${shown} cannot be replaced (${problem})`,
    hint: "check its folder's permissions, then run the command again",
  });
}

/**
 * Replaces a command by a link, unless it is that link already. The link is made under another name and then renamed, so that
 * a start at the same time finds either the former command or the new one.
 *
 * @returns the error code if that fails
 */
function replaceByLink(path: string, target: string): string | undefined {
  if (attempt(() => readlinkSync(path)) === target) return undefined;
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    symlinkSync(target, temporary);
    renameSync(temporary, path);
    return undefined;
  } catch (error) {
    attempt(() => unlinkSync(temporary));
    return codeOrThrow(error);
  }
}

/** Prints what the scripts in the working directory start, and how to change it. @returns the exit status of `--check` */
async function reportNearest({ current, shown }: Bin, own: NpmPackage, context: Context): Promise<number> {
  if (current.kind === "foreign") {
    printReport(context, [`${shown} is foreign: it is ${current.what}`]);
    return ExitStatus.unmet;
  }
  if (current.kind === "executable") {
    const obstacle = await findObstacle(current.file, own.version);
    printReport(
      context,
      obstacle === undefined
        ? [`${shown} starts the executable`]
        : [
            { text: `${shown} starts nothing: the executable ${obstacle}`, hangingIndent: 2 },
            "to put the file for Node.js back:",
            "  sophia-run link --node",
          ],
    );
    return obstacle === undefined ? ExitStatus.ok : ExitStatus.unmet;
  }
  const executable = await findExecutable(own);
  const remedy =
    "why" in executable
      ? [`The executable cannot be used: ${executable.why}`]
      : ["To start the executable instead:", "  sophia-run link"];
  printReport(context, [`${shown} starts Node.js`, ...remedy]);
  return ExitStatus.unmet;
}
