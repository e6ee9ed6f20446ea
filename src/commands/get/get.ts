import { isUtf8 } from "node:buffer";
import { fstatSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import { namesOfViolation } from "../../contract/check-contract.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Resolved } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { maskCommands } from "../../output/workflow-commands.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import type { Start } from "../../resolve/start.ts";
import { originalValue } from "../../resolve/secret-values.ts";
import { withheldWords } from "../../output/withheld-words.ts";
import { attempt } from "../../system/errors.ts";
import { startWith } from "../parts/command-start.ts";
import { createAuditRecorder } from "../parts/audit-log/audit-record.ts";
import type { Command } from "../command.ts";
import { isSecretValue } from "../export/exported.ts";
import { refuseUnknownVariables } from "../parts/unknown-variables.ts";
import { refuseAgent, refuseTerminal, noticeRealKeys } from "../parts/secret-output.ts";
import { GITHUB_VARIABLE } from "../run/agents.ts";

const PRINTER = {
  prints: "get would print a value",
  underAgent: "--reveal prints it anyway; sophia-run explain NAME shows where it comes from",
  atTerminal: "send the output to a program or a file, or allow this with --reveal",
} as const;

export const getValue: Command = async ({ options, positionals: [name = ""] }, context) => {
  if (options["reveal"] !== true) {
    refuseAgent(PRINTER, context);
    refuseTerminal(PRINTER, context);
  }
  const settings = resolveSettings(options, context.environment);
  const record = createAuditRecorder(settings, options, context);
  const start = await startWith(settings, context);
  const {
    files: { contract },
    store: { esc },
    values: { selected },
    verdict: { notices },
  } = start;
  const declared = contract.aliases.get(name) ?? name;
  // Each violation is why there is no value, if a schema keeps ESC from opening the environment.
  const isClosed = start.verdict.judged !== undefined && !selected.has(declared);
  const violations = start.verdict.violations.filter(
    (violation) => isClosed || namesOfViolation(violation).includes(declared),
  );
  if (settings.enforceContract && violations.length > 0) {
    record?.({ event: "get", names: [] }, true, start);
    const { contractUnmetError } = await import("../parts/contract-unmet.ts");
    const words = {
      consequence: `${name} was not printed`,
      wayOut: selected.has(declared)
        ? "--no-contract prints it anyway"
        : `sophia-run explain ${printable(declared)} shows more`,
    };
    throw await contractUnmetError({ ...start, verdict: { ...start.verdict, violations } }, words, settings, context);
  }
  warnUnavailable(context, esc);
  printNotices(context, settings, notices);
  refuseUnknownVariables([name], start);
  const resolved = selected.get(name) ?? selected.get(declared);
  if (resolved === undefined) throw notSet(declared, start);
  noticeRealKeys(context, settings, "get has the real value, not a dummy: SOPHIA_BROKER has no effect on it");

  const value = originalValue(resolved.name, resolved.value);
  const bytes = Buffer.from(value);
  const secret = isSecretValue(contract, resolved);
  const output = options["json"] === true ? jsonOf(resolved, bytes, secret) : bytes;
  record?.({ event: "get", names: [resolved.name] }, false, start);
  // The runner must know the mask before it shows the value.
  if (secret && context.environment.get(GITHUB_VARIABLE) === "true" && reachesRunner(context)) {
    context.raw(2, maskCommands([{ name: resolved.name, value }]));
  }
  context.raw(1, output);
  if (output === bytes && context.isTerminal(1)) context.raw(1, "\n");
  return ExitStatus.ok;
};

function notSet(name: string, start: Start): SophiaError {
  const { scope } = start.files.contract;
  const why =
    scope?.outside.has(name) === true ? `not in the scope ${printable(scope.name)}` : withheldWords(start)(name);
  return new SophiaError(
    {
      code: "not-set",
      message: why === undefined ? `no source sets ${printable(name)}` : `${printable(name)} is ${why}`,
      hint: `sophia-run explain ${printable(name)} shows more`,
    },
    ExitStatus.unmet,
  );
}

/** Returns the value as JSON. The version changes if a field changes its meaning. @throws SophiaError (not-exportable, 125) */
function jsonOf({ name, origin, delivery }: Resolved, bytes: Buffer, secret: boolean): string {
  if (!isUtf8(bytes)) {
    throw new SophiaError({
      code: "not-exportable",
      message: `JSON cannot hold the value of ${printable(name)}: it is not UTF-8`,
      hint: "without --json its bytes are printed as they are",
    });
  }
  return jsonText({ version: 1, name, value: bytes.toString(), secret, delivery, origin });
}

/**
 * Returns false if the standard error is not read by GitHub's runner alone: a file or a terminal would hold the secret, and with
 * `$(sophia-run get NAME 2>&1)` the command would be a part of the value.
 */
function reachesRunner({ isTerminal }: Context): boolean {
  const [out, err] = [1, 2].map((descriptor) => attempt(() => fstatSync(descriptor)));
  if (err === undefined || err.isFile() || isTerminal(2)) return false;
  return out === undefined || out.dev !== err.dev || out.ino !== err.ino;
}
