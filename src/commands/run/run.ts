/**
 * Runs `sophia-run -- command`: works out the settings and the program's variables (`resolve/stages.ts`), and launches the program.
 * attendants.ts adds what options such as `--broker` need. main.ts calls `run`.
 */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { recordPhaseEnd } from "../../core/phases.ts";
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
    if (!invocation.hasDashes) await (await import("./first-word.ts")).adviseOnFirstWord(invocation, context);
    return await launchProgram(invocation, context, preparation);
  } catch (error) {
    if (!(error instanceof SophiaError) || error.status !== ExitStatus.notFound) throw error;
    // There is no such program. The user may have mistyped the name of a command of sophia-run, so the hint names similar ones.
    const { addStartHint } = await import("../parts/usage-errors.ts");
    throw addStartHint(error, invocation.command[0], !invocation.hasDashes);
  }
}

async function launchProgram({ flags, command }: Run, context: Context, preparation: Preparation): Promise<never> {
  const settings = resolveSettings(flags, context.environment);
  const requestedRun = { flags, command, settings, context };
  const preparedAdditions = await prepareAttendants(requestedRun);
  recordPhaseEnd("options settled");
  const located = await locateCommand(command[0], settings, context);
  recordPhaseEnd("command found");

  const start = await resolveCommandStart(settings, context);
  recordPhaseEnd("contract checked");
  const { outputMasking, watch, broker } = await attend(requestedRun, preparedAdditions, start);

  const { environment, files } = broker?.firstDelivery ?? createDelivery(start);
  return launch({
    command,
    environment,
    files,
    options: settings,
    outputMasking,
    watch,
    broker: broker?.launchBroker,
    preparation,
    located,
  });
}

/**
 * Looks up the program before ESC is asked, so that a mistyped name is reported at once.
 *
 * @returns undefined if the launch must look up the program, because a source may set `PATH` (on Windows also `PATHEXT`) to another
 *   value
 * @throws SophiaError (126, 127) if there is no such program, or it cannot be executed
 */
async function locateCommand(
  command: string,
  settings: Settings,
  { environment }: Context,
): Promise<LocatedCommand | undefined> {
  const searchPath = environment.get("PATH") ?? "";
  const isPathFinal =
    searchPath !== "" &&
    settings.prefer === "environment" &&
    settings.scope === undefined &&
    (settings.exclude.length === 0 || !createMatcher(settings.exclude)("PATH"));
  // A name with a slash is a path, which PATH does not affect.
  if (!(isPathFinal || command.includes("/"))) return undefined;
  if (process.platform === "win32") {
    (await import("../../launch/windows/find.ts")).fileOnWindows(command, environment);
    // PATHEXT may still change, so the launch looks up the program again. This search only reports a program that does not exist.
    return undefined;
  }
  return { file: await findExecutable(command, searchPath), searchPath };
}
