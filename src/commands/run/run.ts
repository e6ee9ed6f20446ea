/**
 * Runs `sophia-run -- command`: resolves the settings, takes the stages of a start (`resolve/stages.ts`), and launches the program.
 * attendants.ts has what options such as `--broker` add.
 */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { reached } from "../../core/phases.ts";
import { launch, type LocatedCommand, type Preparation } from "../../launch/index.ts";
import { findExecutable } from "../../launch/program/find-executable.ts";
import { createMatcher } from "../../resolve/name-globs.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import { attend, prepareAttendants } from "./attendants.ts";
import { createDelivery } from "./delivery.ts";

/**
 * Starts the program, and never returns: the program replaces this process, or this process ends as the program does.
 *
 * @throws SophiaError if nothing was started
 */
export async function run(invocation: Run, context: Context, preparation: Preparation): Promise<never> {
  try {
    if (!invocation.hasDashes) await (await import("./first-word.ts")).readFirstWord(invocation, context);
    return await launchProgram(invocation, context, preparation);
  } catch (error) {
    if (!(error instanceof SophiaError) || error.status !== ExitStatus.notFound) throw error;
    const { addStartHint } = await import("../parts/usage-errors.ts");
    throw addStartHint(error, invocation.command[0], !invocation.hasDashes);
  }
}

async function launchProgram({ flags, command }: Run, context: Context, preparation: Preparation): Promise<never> {
  const settings = resolveSettings(flags, context.environment);
  const requestedRun = { flags, command, settings, context };
  const prepared = await prepareAttendants(requestedRun);
  reached("options settled");
  const located = await locateCommand(command[0], settings, context);
  reached("command found");

  const start = await resolveCommandStart(settings, context);
  reached("contract checked");
  const { outputMasking, watch, broker } = await attend(requestedRun, prepared, start);

  const { environment, files } = broker?.first ?? createDelivery(start);
  return launch({
    command,
    environment,
    files,
    options: settings,
    outputMasking,
    watch,
    broker: broker?.launch,
    preparation,
    located,
  });
}

/**
 * Looks up the command before ESC is asked, so that a mistyped command is reported at once. Returns undefined if a source may change
 * `PATH`, so that the launch must look it up.
 *
 * @throws SophiaError (126, 127)
 */
async function locateCommand(
  command: string,
  settings: Settings,
  { environment }: Context,
): Promise<LocatedCommand | undefined> {
  const searchPath = environment.get("PATH") ?? "";
  const willPathStay =
    searchPath !== "" &&
    settings.prefer === "environment" &&
    settings.scope === undefined &&
    (settings.exclude.length === 0 || !createMatcher(settings.exclude)("PATH"));
  if (!(willPathStay || command.includes("/"))) return undefined;
  if (process.platform === "win32") {
    (await import("../../launch/windows/find.ts")).fileOnWindows(command, environment);
    // PATHEXT may still change, so that the launch looks up the command again.
    return undefined;
  }
  return { file: await findExecutable(command, searchPath), searchPath };
}
