import { fstatSync } from "node:fs";
import type { Context } from "../../core/context.ts";
import type { Settings } from "../../command-line/settings.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { Redaction } from "../../launch/index.ts";
import { maskingOf } from "../../masking/masking.ts";
import { maskCommands } from "../../output/github-masks.ts";
import { layoutFor } from "../../output/layout.ts";
import { messageText, sayLines } from "../../output/stderr.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { secretsOf } from "../../resolve/secrets.ts";
import { keeperBy } from "./keepers.ts";

/**
 * Plans how secrets are kept out of the program's output.
 *
 * @param variable says who keeps the output; undefined on people's own terminals
 * @returns undefined if nothing is masked: it was turned off, or there is nothing to mask
 */
export function redactionOf(
  { redact, quiet }: Pick<Settings, "redact" | "quiet">,
  assessment: Assessment,
  variable: string | undefined,
  context: Context,
): Redaction | undefined {
  const keeper = variable === undefined ? undefined : keeperBy(variable);
  if (redact === "never") {
    if (keeper !== undefined) {
      sayLines(context, [`warning: --redact=never: ${keeper} sees the secrets printed`]);
    }
    return undefined;
  }
  const secrets = secretsOf(assessment);
  if (redact === "github") {
    refuseFile();
    context.err(maskCommands(secrets));
    return undefined;
  }
  const masking = maskingOf(secrets);
  if (masking.size === 0) return undefined;
  const base = { masking, secrets, requiresTerminal: redact === "always" };
  return redact === "always" || quiet ? base : { ...base, notice: onceFor(keeper ?? "auto", context) };
}

/** @throws SophiaError (redact-github, 125) if the commands, which hold the secrets, would stay */
function refuseFile(): void {
  const isFile = isRegularFile(2);
  const { isatty } = process.getBuiltinModule("node:tty");
  if (!isFile && !isatty(2)) return;
  throw new SophiaError({
    code: "redact-github",
    message: `--redact=github would write secrets to a ${isFile ? "file" : "terminal"}: it is for the standard error of a step in GitHub Actions`,
    hint: "leave the standard error to the runner, or use --redact, which masks the output itself",
  });
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** Returns the notice about a masked secret, for the first one only. */
function onceFor(keeper: string, context: Context): NonNullable<Redaction["notice"]> {
  let isSaid = false;
  // Once the program runs, the standard error of this process may be a different stream.
  const layout = layoutFor(context, 2);
  return (file) => {
    if (isSaid) return undefined;
    isSaid = true;
    const where = file === undefined ? "the output" : printable(file);
    return messageText(
      `secrets in ${where} appear as ***, since ${keeper} runs this; --redact=never turns it off`,
      layout,
    );
  };
}
