/**
 * The command `sophia-run export`. It prints the configuration of the project for other programs, or writes it to a file,
 * in one of several formats (formats.ts).
 */
import { resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { collectVariables, findTextFault, type ExportedVariable, type VariableFormat } from "./exported-variables.ts";
import { appendToRunnerFile, findGithubTargets, type GithubTargets } from "./github-output.ts";
import { EXPORT_FORMATS } from "./formats.ts";
import { createMaskCommands } from "../../output/workflow-commands.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { printLines } from "../../output/stderr.ts";
import { enumerate, printable } from "../../core/text.ts";
import { refuseIrregularFile, writePrivateFile, type TargetFile } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import { type AuditRecorder, createAuditRecorder } from "../parts/audit-log/audit-record.ts";
import { refuseAgent, refuseTerminal, printRealKeysNotice } from "../parts/secret-output.ts";
import { usageError } from "../parts/usage-errors.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import type { Start } from "../../resolve/start.ts";
import type { Command } from "../command.ts";

/** The texts with which `export` refuses to print to a coding agent (refuseAgent) or to a terminal (refuseTerminal). */
const REFUSAL_TEXTS = {
  messageStart: "export would print secrets",
  agentRemedy: "--output FILE writes a file that only its owner can read; --reveal prints anyway",
  terminalRemedy: "write a file with --output FILE, send the output to a program, or allow this with --reveal",
} as const;

/** Returns 0 if the variables are exported. @throws SophiaError (125), or with status 78 if the contract is not met */
export const exportVariables: Command = async ({ options }, context) => {
  const formatName = typeof options["format"] === "string" ? options["format"] : "dotenv";
  const format = EXPORT_FORMATS[formatName];
  if (format === undefined) throw new TypeError(`no format ${formatName}`);
  const githubTargets = formatName === "github" ? findGithubTargets(context) : undefined;
  const outputFile = findOutputFile(options["output"], formatName, context);
  if (outputFile === undefined && options["reveal"] !== true) {
    refuseAgent(REFUSAL_TEXTS, context);
    refuseTerminal(REFUSAL_TEXTS, context, githubTargets?.maskStream === "err" ? 2 : 1);
  }

  const settings = resolveSettings(options, context.environment);
  const record = createAuditRecorder(settings, options, context);
  const start = await resolveCommandStart(settings, context);
  await requireMetContract(start, record, settings, context);
  warnUnavailable(context, start.store.esc);
  printNotices(context, settings, start.verdict.notices);
  printRealKeysNotice(
    context,
    settings,
    "export has the real keys, not dummies: SOPHIA_BROKER has no effect on it, and a shell that evaluates its output holds them",
  );

  const { variables, fileNames } = collectVariables(start);
  refuseFaults(variables, formatName, format);
  warnOfOmissions(variables, fileNames, context);
  const text = format.write(variables);
  const names = variables.map(({ name }) => name);
  record?.({ event: "export", names }, false, start);
  if (outputFile === undefined) printVariables(text, variables, githubTargets, context);
  else writePrivateFile(outputFile, text);
  return ExitStatus.ok;
};

/** @throws SophiaError (contract-unmet, 78) after it has recorded the refusal in the audit log */
async function requireMetContract(
  start: Start,
  record: AuditRecorder | undefined,
  settings: Settings,
  context: Context,
): Promise<void> {
  if (!settings.enforceContract || start.verdict.violations.length === 0) return;
  record?.({ event: "export", names: [] }, true, start);
  const { createContractUnmetError } = await import("../parts/contract-unmet.ts");
  const texts = { consequence: "nothing was exported", wayOut: "--no-contract exports anyway" };
  throw await createContractUnmetError(start, texts, settings, context);
}

/** Warns of variables that are not exported because programs get them as files, or that there is nothing to export. */
function warnOfOmissions(variables: readonly ExportedVariable[], fileNames: readonly string[], context: Context): void {
  if (fileNames.length > 0) {
    const asFiles = fileNames.length === 1 ? "it as a file" : "them as files";
    printLines(context, [
      `warning: not exported, since programs get ${asFiles}: ${enumerate(fileNames.map(printable))}`,
      "only a program that sophia-run starts gets private files, which are removed when it ends",
    ]);
  }
  if (variables.length + fileNames.length === 0) {
    printLines(context, [
      "warning: nothing to export: no source adds a variable",
      "variables of the process environment are exported only if the contract declares them",
    ]);
  }
}

/**
 * Returns the file of `--output`; undefined for the standard output.
 *
 * @throws SophiaError (usage, 125) with `--format github`; see also `refuseIrregularFile`
 */
function findOutputFile(option: unknown, formatName: string, { cwd }: Context): TargetFile | undefined {
  if (typeof option !== "string") return undefined;
  if (formatName === "github") {
    throw usageError(
      "--output and --format github cannot be used together: github appends to the file that GITHUB_ENV names",
      "leave --output out, or set GITHUB_ENV to the file",
    );
  }
  // Many commands write to the standard output if the file is `-`.
  if (option === "-") return undefined;
  const file = { path: resolve(cwd, option), name: printable(option), root: findProjectRoot(cwd) };
  refuseIrregularFile(file);
  return file;
}

/** @throws SophiaError (not-exportable, 125) that names each variable that the format cannot hold */
function refuseFaults(variables: readonly ExportedVariable[], formatName: string, format: VariableFormat): void {
  // JSON writes as escapes what no text file can hold: a NUL, and half of a surrogate pair.
  const isEscaped = formatName === "json";
  const faults = variables.flatMap((variable) => {
    const fault = (isEscaped ? undefined : findTextFault(variable.value)) ?? format.findFault(variable);
    return fault === undefined ? [] : [`${printable(variable.name)}: ${fault}`];
  });
  if (faults.length === 0) return;
  throw new SophiaError({
    code: "not-exportable",
    message: `the format ${formatName} cannot hold every variable; nothing was exported`,
    details: faults,
    hint: "choose another --format, or leave variables out with --exclude NAME",
  });
}

/**
 * Prints the variables to the standard output, or hands them to later steps of a job.
 *
 * @param text the variables in the chosen format
 * @param githubTargets the targets with `--format github`; otherwise undefined
 */
function printVariables(
  text: string,
  variables: readonly ExportedVariable[],
  githubTargets: GithubTargets | undefined,
  context: Context,
): void {
  // The commands that mask secrets come first, since a later step may print the secrets.
  if (githubTargets !== undefined) {
    const commands = createMaskCommands(variables.filter(({ secret }) => secret));
    context.raw(githubTargets.maskStream === "err" ? 2 : 1, commands);
  }
  if (githubTargets?.file === undefined) context.raw(1, text);
  else appendToRunnerFile(githubTargets.file, text);
}
