/**
 * The command `sophia-run get NAME`. It prints the value of a variable that a program would get, for another program:
 *
 *     PORT=$(sophia-run get PORT)
 */
import { isUtf8 } from "node:buffer";
import { fstatSync } from "node:fs";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { namesOfViolation } from "../../contract/check-contract.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { formatJson } from "../../core/json-text.ts";
import type { ResolvedVariable } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { createMaskCommands } from "../../output/workflow-commands.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import type { Start } from "../../resolve/start.ts";
import { originalValue } from "../../resolve/secret-values.ts";
import { createWithholdingDescriber } from "../../output/withheld-words.ts";
import { attempt } from "../../system/errors.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import { type AuditRecorder, createAuditRecorder } from "../parts/audit-log/audit-record.ts";
import type { Command } from "../command.ts";
import { isSecretValue } from "../export/exported-variables.ts";
import { refuseUnknownVariables } from "../parts/unknown-variables.ts";
import { refuseAgent, refuseTerminal, printRealKeysNotice } from "../parts/secret-output.ts";
import { GITHUB_VARIABLE } from "../run/agents.ts";

/** The texts with which `get` refuses to print to a coding agent (refuseAgent) or to a terminal (refuseTerminal). */
const REFUSAL_TEXTS = {
  messageStart: "get would print a value",
  agentRemedy: "--reveal prints it anyway; sophia-run explain NAME shows where it comes from",
  terminalRemedy: "send the output to a program or a file, or allow this with --reveal",
} as const;

/** One call of the command, after the sources were read. */
interface GetRun {
  readonly start: Start;
  readonly settings: Settings;
  /** Writes to the audit log; undefined without `--audit-log`. */
  readonly record: AuditRecorder | undefined;
  readonly context: Context;
}

/** Returns 0 if the value is printed. @throws SophiaError (125), or with status 78 or 1 if there is no value to print */
export const getValue: Command = async ({ options, positionals: [name = ""] }, context) => {
  if (options["reveal"] !== true) {
    refuseAgent(REFUSAL_TEXTS, context);
    refuseTerminal(REFUSAL_TEXTS, context);
  }
  const settings = resolveSettings(options, context.environment);
  const record = createAuditRecorder(settings, options, context);
  const start = await resolveCommandStart(settings, context);
  const run: GetRun = { start, settings, record, context };
  const declaredName = start.files.contract.aliases.get(name) ?? name;
  await requireMetRules(name, declaredName, run);
  warnUnavailable(context, start.store.esc);
  printNotices(context, settings, start.verdict.notices);
  refuseUnknownVariables([name], start);
  const { selected } = start.values;
  const variable = selected.get(name) ?? selected.get(declaredName);
  if (variable === undefined) throw createNotSetError(declaredName, start);
  printRealKeysNotice(context, settings, "get has the real value, not a dummy: SOPHIA_BROKER has no effect on it");
  printValue(variable, options["json"] === true, run);
  return ExitStatus.ok;
};

/** @throws SophiaError (contract-unmet, 78) if the contract requires the variable, or does not accept its value */
async function requireMetRules(
  name: string,
  declaredName: string,
  { start, settings, record, context }: GetRun,
): Promise<void> {
  const violations = findRelevantViolations(declaredName, start);
  if (!settings.enforceContract || violations.length === 0) return;
  record?.({ event: "get", names: [] }, true, start);
  const { createContractUnmetError } = await import("../parts/contract-unmet.ts");
  const texts = {
    consequence: `${name} was not printed`,
    wayOut: start.values.selected.has(declaredName)
      ? "--no-contract prints it anyway"
      : `sophia-run explain ${printable(declaredName)} shows more`,
  };
  throw await createContractUnmetError(
    { ...start, verdict: { ...start.verdict, violations } },
    texts,
    settings,
    context,
  );
}

/** Records the name in the audit log, masks a secret in GitHub Actions, and prints the value. @throws SophiaError (125) */
function printValue(variable: ResolvedVariable, isJson: boolean, { start, record, context }: GetRun): void {
  const { name } = variable;
  const value = originalValue(name, variable.value);
  const bytes = Buffer.from(value);
  const isSecret = isSecretValue(start.files.contract, variable);
  const output = isJson ? formatVariable(variable, bytes, isSecret) : bytes;
  record?.({ event: "get", names: [name] }, false, start);
  // The runner must read this command before it shows the value.
  const isInGithubActions = context.environment.get(GITHUB_VARIABLE) === "true";
  if (isSecret && isInGithubActions && doesOnlyRunnerReadStderr(context)) {
    context.raw(2, createMaskCommands([{ name, value }]));
  }
  context.raw(1, output);
  if (!isJson && context.isTerminal(1)) context.raw(1, "\n");
}

/**
 * Returns the violations of rules about the variable. If a schema of ESC refuses the environment, each violation is a
 * reason why ESC gives no value, and so all are returned.
 */
function findRelevantViolations(declaredName: string, { verdict, values }: Start): Start["verdict"]["violations"] {
  const isEnvironmentRefused = verdict.judged !== undefined && !values.selected.has(declaredName);
  if (isEnvironmentRefused) return verdict.violations;
  return verdict.violations.filter((violation) => namesOfViolation(violation).includes(declaredName));
}

/** Returns the failure of a variable that has no value, with the reason. */
function createNotSetError(name: string, start: Start): SophiaError {
  const { scope } = start.files.contract;
  const isOutsideScope = scope?.outside.has(name) === true;
  const reason = isOutsideScope ? `not in the scope ${printable(scope.name)}` : createWithholdingDescriber(start)(name);
  return new SophiaError(
    {
      code: "not-set",
      message: reason === undefined ? `no source sets ${printable(name)}` : `${printable(name)} is ${reason}`,
      hint: `sophia-run explain ${printable(name)} shows more`,
    },
    ExitStatus.unmet,
  );
}

/**
 * Returns the value as JSON. Its version changes if a field changes its meaning.
 *
 * @throws SophiaError (not-exportable, 125)
 */
function formatVariable({ name, origin, delivery }: ResolvedVariable, bytes: Buffer, isSecret: boolean): string {
  if (!isUtf8(bytes)) {
    throw new SophiaError({
      code: "not-exportable",
      message: `JSON cannot hold the value of ${printable(name)}: it is not UTF-8`,
      hint: "without --json its bytes are printed as they are",
    });
  }
  return formatJson({ version: 1, name, value: bytes.toString(), secret: isSecret, delivery, origin });
}

/**
 * Returns true if only GitHub's runner reads the standard error. A file or a terminal would hold the secret. With
 * `$(sophia-run get NAME 2>&1)`, which has one pipe for both streams, the command would become a part of the value.
 */
function doesOnlyRunnerReadStderr({ isTerminal }: Context): boolean {
  const [stdout, stderr] = [1, 2].map((descriptor) => attempt(() => fstatSync(descriptor)));
  if (stderr === undefined || stderr.isFile() || isTerminal(2)) return false;
  return stdout === undefined || stdout.dev !== stderr.dev || stdout.ino !== stderr.ino;
}
