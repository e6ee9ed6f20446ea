/** The main job: settings, the stages of a start (`resolve/stages.ts`), launch. The parts of options are in attendants.ts. */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { reached } from "../../core/phases.ts";
import { launch, type LocatedCommand, type Preparation } from "../../launch/index.ts";
import { findExecutable } from "../../launch/program/find-executable.ts";
import { matcher } from "../../resolve/name-globs.ts";
import { startWith } from "../parts/command-start.ts";
import { attend, prepareAttendants } from "./attendants.ts";
import { delivery } from "./delivery.ts";

/** `sophia-run -- command`, which ends this process. @throws SophiaError if that fails */
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
  // Settings: the command line, else variables, else defaults. A mistyped command is found before ESC is asked.
  const settings = resolveSettings(flags, context.environment);
  const asked = { flags, command, settings, context };
  const prepared = await prepareAttendants(asked);
  reached("options settled");
  const located = await locateFirst(command[0], settings, context);
  reached("command found");

  // Places, files, store, values and verdict. Nothing is started while the contract is not met.
  const start = await startWith(settings, context);
  reached("contract checked");
  const { outputMasking, watch, broker } = await attend(asked, prepared, start);

  // Launch: this process is replaced by the program, or is its parent process.
  const { environment, files } = broker?.first ?? delivery(start);
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

/** Finds a mistyped command before ESC is asked; undefined if a source may change `PATH`. @throws SophiaError (126, 127) */
async function locateFirst(
  command: string,
  settings: Settings,
  { environment }: Context,
): Promise<LocatedCommand | undefined> {
  const searchPath = environment.get("PATH") ?? "";
  const isCallers =
    searchPath !== "" &&
    settings.prefer === "environment" &&
    settings.scope === undefined &&
    (settings.exclude.length === 0 || !matcher(settings.exclude)("PATH"));
  if (!(isCallers || command.includes("/"))) return undefined;
  if (process.platform === "win32") {
    (await import("../../launch/windows/find.ts")).fileOnWindows(command, environment);
    return undefined; // PATHEXT may still change
  }
  return { file: await findExecutable(command, searchPath), searchPath };
}
