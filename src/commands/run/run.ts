/** The main job in five steps: options, sources, precedence, contract, launch. The parts of options are in attendants.ts. */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { reached } from "../../core/phases.ts";
import { launch, type LocatedCommand, type Preparation } from "../../launch/index.ts";
import { findExecutable } from "../../launch/program/request.ts";
import { check } from "../../resolve/assess.ts";
import { precede } from "../../resolve/precede.ts";
import { readSources } from "../../resolve/read-sources.ts";
import { matcher } from "../../resolve/select.ts";
import { requestOf } from "../assessed.ts";
import { attend, prepareAttendants } from "./attendants.ts";
import { delivery } from "./delivery.ts";

/** `sophia-run -- command`, which ends this process. @throws SophiaError if that fails */
export async function run(invocation: Run, context: Context, preparation: Preparation): Promise<never> {
  try {
    if (!invocation.hasDashes) await (await import("./first-word.ts")).readFirstWord(invocation, context);
    return await start(invocation, context, preparation);
  } catch (error) {
    if (!(error instanceof SophiaError) || error.status !== ExitStatus.notFound) throw error;
    const { withHint } = await import("../mistakes.ts");
    throw withHint(error, invocation.command[0], !invocation.hasDashes);
  }
}

async function start({ flags, command }: Run, context: Context, preparation: Preparation): Promise<never> {
  // 1. Options: the command line, else variables, else defaults. A mistyped command is found before ESC is asked.
  const settings = resolveSettings(flags, context.environment);
  const asked = { flags, command, settings, context };
  const prepared = await prepareAttendants(asked);
  reached("options settled");
  const located = await locateFirst(command[0], settings, context);
  reached("command found");

  // 2. Sources: the process environment, ESC and `.env` files; with them the contract is read.
  const sources = await readSources(requestOf(settings, context));

  // 3. Precedence: each variable that is passed on has the value of the highest source.
  const preceded = await precede(sources);

  // 4. Contract: nothing is started while it is not met.
  const assessment = await check(preceded);
  reached("contract checked");
  const { redaction, watch, broker } = await attend(asked, prepared, assessment);

  // 5. Launch: this process is replaced by the program, or is its parent process.
  const { environment, files } = broker?.first ?? delivery(assessment);
  return launch({
    command,
    environment,
    files,
    options: settings,
    redaction,
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
