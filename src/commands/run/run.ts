import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { reached } from "../../core/phases.ts";
import { findExecutable } from "../../launch/program/executable.ts";
import { launch, type LocatedCommand, type Preparation, type Redaction } from "../../launch/index.ts";
import type { Secret } from "../../masking/model.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { matcher } from "../../resolve/select.ts";
import { assessBy } from "../assessed.ts";
import { outputReader } from "./agents.ts";
import { delivery } from "./delivery.ts";

/** `sophia-run -- command`: resolves, checks and launches, which ends this process. @throws SophiaError if that fails */
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
  const settings = resolveSettings(flags, context.environment);
  const brokering =
    settings.broker || (flags["broker-to"] ?? flags["broker-except"]) !== undefined
      ? await import("./broker/broker.ts")
      : undefined;
  await brokering?.refuseBrokerStart(settings, flags);
  reached("options settled");
  const record =
    (settings.auditLog ?? settings.reason) === undefined
      ? undefined
      : (await import("../audit-log/record.ts")).recorderOf(settings, flags, context);
  const located = await locateFirst(command[0], settings, context);
  reached("command found");
  const assessment = await assessBy(settings, context);
  const { esc, notices, violations } = assessment;
  reached("contract checked");
  const isRefused = settings.enforceContract && violations.length > 0;
  // Before the record of the start, which names the brokered keys.
  const broker = isRefused ? undefined : await brokering?.openRunBroker(settings, flags, assessment, context);
  record?.({ event: "start", command: command[0], broker }, isRefused, assessment);
  if (isRefused) throw await (await import("./refusal.ts")).refusal(assessment, command[0], settings, context);
  // Before notices: with --redact=github it prints commands that mask all later output.
  const redaction = await redactionFor(settings, assessment, context, broker?.dummies());
  if (notices.length > 0 || esc.kind === "unavailable" || esc.kind === "refused") {
    const { printNotices, warnUnavailable } = await import("../../output/print-notices.ts");
    warnUnavailable(context, esc);
    printNotices(context, settings, notices);
  }
  const watch = settings.watch
    ? (await import("./watch/watch.ts")).watchOf(
        {
          invocation: { command, flags },
          settings,
          assessment,
          redaction,
          redact: redactionFor,
          record,
          broker,
        },
        context,
      )
    : undefined;
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
    !matcher(settings.exclude)("PATH");
  if (!(isCallers || command.includes("/"))) return undefined;
  if (process.platform === "win32") {
    (await import("../../launch/windows/find.ts")).fileOnWindows(command, environment);
    return undefined; // PATHEXT may still change
  }
  return { file: await findExecutable(command, searchPath), searchPath };
}

async function redactionFor(
  settings: Settings,
  assessment: Assessment,
  context: Context,
  dummies: readonly Secret[] = [],
): Promise<Redaction | undefined> {
  const reader = outputReader(context.environment);
  if (reader === undefined && (settings.redact === "auto" || settings.redact === "never")) return undefined;
  const { redactionOf } = await import("./redaction.ts");
  return redactionOf(settings, { ...assessment, dummies }, reader, context);
}
