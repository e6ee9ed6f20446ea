/**
 * Creates the masking of the program's output by the option `--redact`: the launch then replaces secrets in the output by `***`.
 * With `--redact=github`, GitHub's runner masks the output instead, by commands that this file prints. It also prints the warnings.
 */
import { fstatSync } from "node:fs";
import type { Context } from "../../core/context.ts";
import type { Settings } from "../../command-line/settings.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { OutputMasking } from "../../launch/index.ts";
import { createMasking } from "../../masking/masking.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { createMaskCommands } from "../../output/workflow-commands.ts";
import { layoutFor } from "../../output/layout.ts";
import { layOutMessageText, printLines } from "../../output/stderr.ts";
import type { Start } from "../../resolve/start.ts";
import {
  PUBLIC_REMEDY,
  findPublicCredentials,
  collectSecrets,
  collectSecretBytes,
} from "../../resolve/secret-values.ts";
import { attempt } from "../../system/errors.ts";
import { readerName } from "./agents.ts";

/**
 * Returns the masking for the launch; undefined if sophia-run itself masks nothing.
 *
 * @param variable the variable by which `findOutputReader` recognized a coding agent or GitHub Actions
 * @throws SophiaError (redact-github, redact-size; 125)
 */
export function createOutputMasking(
  { redact, quiet }: Pick<Settings, "redact" | "quiet">,
  start: Start & { readonly dummies: readonly Secret[] },
  variable: string | undefined,
  context: Context,
): OutputMasking | undefined {
  const reader = variable === undefined ? undefined : readerName(variable);
  if (redact === "never") {
    if (reader !== undefined) {
      printLines(context, [`warning: --redact=never: ${reader} sees the secrets printed`]);
    }
    return undefined;
  }
  if (!quiet) warnOfPublicCredentials(start, context);
  if (redact === "github") {
    refuseFileOrTerminal();
    context.raw(2, createMaskCommands([...collectSecrets(start), ...start.dummies]));
    return undefined;
  }
  const secrets = [...collectSecretBytes(start), ...start.dummies];
  const masking = createMasking(secrets);
  if (masking.size === 0) return undefined;
  const isAlways = redact === "always";
  const outputMasking = { masking, secrets, requiresTerminal: isAlways };
  // A user who asked for masking expects `***`. In other cases a notice explains it.
  const needsNotice = !isAlways && !quiet;
  return needsNotice ? { ...outputMasking, notice: createNotice(reader ?? "auto", context) } : outputMasking;
}

/** Warns of variables that are masked, because they hold a credential, although the contract declares them public. */
function warnOfPublicCredentials(start: Start, context: Context): void {
  for (const { name, credential, reason } of findPublicCredentials(start)) {
    // With a reason in the contract, the value is really public, and is not masked.
    if (reason !== undefined) continue;
    printLines(context, [
      `warning: ${printable(name)} is masked: its value holds ${credential}, although the contract declares it public`,
      PUBLIC_REMEDY,
    ]);
  }
}

/**
 * Checks that GitHub's runner reads the standard error. The commands that are written there contain the secrets.
 *
 * @throws SophiaError (redact-github, 125)
 */
function refuseFileOrTerminal(): void {
  const isFile = isRegularFile(2);
  const { isatty } = process.getBuiltinModule("node:tty");
  if (!isFile && !isatty(2)) return;
  throw new SophiaError({
    code: "redact-github",
    message: `--redact=github would write secrets to a ${isFile ? "file" : "terminal"} (it is meant for a step of GitHub Actions)`,
    hint: "do not redirect the standard error, or use --redact, which masks the output itself",
  });
}

function isRegularFile(descriptor: number): boolean {
  return attempt(() => fstatSync(descriptor).isFile()) === true;
}

/** Returns a function that returns a notice for the first masked secret, and undefined for later ones. */
function createNotice(reader: string, context: Context): NonNullable<OutputMasking["notice"]> {
  let isPrinted = false;
  // The layout is found now, because the standard error may be another stream once the program runs.
  const layout = layoutFor(context, 2);
  return (file) => {
    if (isPrinted) return undefined;
    isPrinted = true;
    const where = file === undefined ? "the output" : printable(file);
    return layOutMessageText(
      `secrets in ${where} appear as *** (run by ${reader}); --redact=never turns this off`,
      layout,
    );
  };
}
