import type { Values } from "../../command-line/options.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Resolution } from "../../core/model.ts";
import { launch, type Preparation, type SecretFile } from "../../launch/index.ts";
import { say, sayDown } from "../../output/stderr.ts";
import { assessed } from "../assessed.ts";

/**
 * `sophia-run -- command`: resolves, checks and launches. Returns only by throwing: a launch ends this process.
 *
 * @throws SophiaError when nothing was started
 */
export async function run(
  { flags, command }: { readonly flags: Values; readonly command: readonly [string, ...string[]] },
  context: Context,
  preparation: Preparation,
): Promise<never> {
  const { settings, assessment } = await assessed(flags, context);
  const { esc, notices, selected, violations } = assessment;
  if (settings.enforceContract && violations.length > 0) {
    say(context, settings, notices);
    const { wordUnmet } = await import("../../output/unmet.ts");
    const consequence = `${command[0] === "" ? "''" : command[0]} was not started`;
    throw new SophiaError(wordUnmet(assessment, consequence), ExitStatus.config);
  }
  sayDown(context, esc);
  say(context, settings, notices);
  const { environment, files } = delivery(selected);
  const { mode, killAfterMs, dieWithLauncher, restoreNofile } = settings;
  return launch({
    command,
    environment,
    files,
    options: { mode, ...(killAfterMs === undefined ? {} : { killAfterMs }), dieWithLauncher, restoreNofile },
    preparation,
  });
}

/** Splits the variables into those passed by value and those passed as the path of a private file. */
function delivery(selected: Resolution): { environment: Map<string, string>; files: SecretFile[] } {
  const environment = new Map<string, string>();
  const files: SecretFile[] = [];
  for (const { name, value, delivery: how } of selected.values()) {
    if (how === "file") files.push({ name, content: value });
    else environment.set(name, value);
  }
  return { environment, files };
}
