import { assess, type Assessment } from "../../resolve/assess.ts";
import type { Invocation } from "../../command-line/command-line.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { launch, type Preparation, type SecretFile } from "../../launch/index.ts";
import type { Resolution } from "../../core/model.ts";
import { makeProgress } from "../../output/progress.ts";
import { say } from "../../output/stderr.ts";
import { settle } from "../../command-line/settings.ts";

/**
 * `sophia-run -- command`: resolves, checks and launches. Returns only by throwing: a launch ends this process.
 *
 * @throws SophiaError when nothing was started
 */
export async function run(
  { flags, command }: Extract<Invocation, { kind: "run" }>,
  context: Context,
  preparation: Preparation,
): Promise<never> {
  const settings = settle(flags, context.environment);
  const assessment = await assess({
    settings,
    environment: context.environment,
    cwd: context.cwd,
    progress: makeProgress(context, settings),
  });
  const { notices, selected } = assessment;
  if (settings.enforceContract && assessment.violations.length > 0) {
    // The failure names ESC's fault itself, next to what is missing because of it.
    say(
      context,
      settings,
      notices.filter(({ kind }) => kind !== "esc-unavailable"),
    );
    throw await unmet(assessment, command[0]);
  }
  say(context, settings, notices);
  const { environment, files } = delivery(selected);
  return launch({
    command,
    environment,
    files,
    options: {
      mode: settings.mode,
      ...(settings.killAfterMs === undefined ? {} : { killAfterMs: settings.killAfterMs }),
      dieWithLauncher: settings.dieWithLauncher,
      restoreNofile: settings.restoreNofile,
    },
    preparation,
  });
}

/** Splits the variables into those passed by value and those passed as the path of a private file. */
function delivery(selected: Resolution): { environment: Map<string, string>; files: SecretFile[] } {
  const environment = new Map<string, string>();
  const files: SecretFile[] = [];
  selected.forEach(({ name, value, delivery: how }) => {
    if (how === "file") files.push({ name, content: value });
    else environment.set(name, value);
  });
  return { environment, files };
}

async function unmet(assessment: Assessment, command: string): Promise<SophiaError> {
  const { wordUnmet } = await import("../../output/unmet.ts");
  return new SophiaError(
    wordUnmet(assessment, `${command === "" ? "''" : command} was not started`),
    ExitStatus.config,
  );
}
