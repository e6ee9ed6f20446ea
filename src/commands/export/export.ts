/**
 * The command `sophia-run export`. It prints the configuration of the project for other programs, or writes it to a file,
 * in one of several formats (formats.ts).
 */
import { resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { collectVariables, textFault, type ExportedVariable, type VariableFormat } from "./exported.ts";
import { appendTo, githubTargets, type GithubTargets } from "./github-output.ts";
import { EXPORT_FORMATS } from "./formats.ts";
import { createMaskCommands } from "../../output/workflow-commands.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { printLines } from "../../output/stderr.ts";
import { enumerate, printable } from "../../core/text.ts";
import { refuseIrregularFile, writePrivateFile, type TargetFile } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import { createAuditRecorder } from "../parts/audit-log/audit-record.ts";
import { refuseAgent, refuseTerminal, printRealKeysNotice } from "../parts/secret-output.ts";
import { usageError } from "../parts/usage-errors.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import type { Command } from "../command.ts";

/**
 * The texts of the refusals by refuseAgent() and refuseTerminal(): secrets must not appear before an agent or on a
 * terminal.
 */
const PRINTER = {
  messageStart: "export would print secrets",
  agentRemedy: "--output FILE writes a file that only its owner can read; --reveal prints anyway",
  terminalRemedy: "write a file with --output FILE, send the output to a program, or allow this with --reveal",
} as const;

/** Returns 0 if the variables are exported. @throws SophiaError (125), or with status 78 if the contract is not met */
export const exportVariables: Command = async ({ options }, context) => {
  const formatName = typeof options["format"] === "string" ? options["format"] : "dotenv";
  const format = EXPORT_FORMATS[formatName];
  if (format === undefined) throw new TypeError(`no format ${formatName}`);
  const targets = formatName === "github" ? githubTargets(context) : undefined;
  const outputFile = findOutputFile(options["output"], formatName, context);
  if (outputFile === undefined && options["reveal"] !== true) {
    refuseAgent(PRINTER, context);
    refuseTerminal(PRINTER, context, targets?.maskStream === "err" ? 2 : 1);
  }

  const settings = resolveSettings(options, context.environment);
  const record = createAuditRecorder(settings, options, context);
  const start = await resolveCommandStart(settings, context);
  const {
    store: { esc },
    verdict: { notices, violations },
  } = start;
  if (settings.enforceContract && violations.length > 0) {
    record?.({ event: "export", names: [] }, true, start);
    const { createContractUnmetError } = await import("../parts/contract-unmet.ts");
    const words = { consequence: "nothing was exported", wayOut: "--no-contract exports anyway" };
    throw await createContractUnmetError(start, words, settings, context);
  }
  warnUnavailable(context, esc);
  printNotices(context, settings, notices);
  printRealKeysNotice(
    context,
    settings,
    "export has the real keys, not dummies: SOPHIA_BROKER has no effect on it, and a shell that evaluates its output holds them",
  );

  const { variables, files } = collectVariables(start);
  refuseFaults(variables, formatName, format);
  if (files.length > 0) {
    printLines(context, [
      `warning: not exported, since programs get ${files.length === 1 ? "it as a file" : "them as files"}: ${enumerate(files.map(printable))}`,
      "only a program that sophia-run starts gets private files, which are removed when it ends",
    ]);
  }
  if (variables.length + files.length === 0) {
    printLines(context, [
      "warning: nothing to export: no source adds a variable",
      "variables of the process environment are exported only if the contract declares them",
    ]);
  }
  const text = format.write(variables);
  const names = variables.map(({ name }) => name);
  record?.({ event: "export", names }, false, start);
  if (outputFile === undefined) print(text, variables, targets, context);
  else writePrivateFile(outputFile, text);
  return ExitStatus.ok;
};

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
  // JSON writes a NUL, and half of a surrogate pair, as an escape.
  const isTextFile = formatName !== "json";
  const faults = variables.flatMap((variable) => {
    const fault = (isTextFile ? textFault(variable.value) : undefined) ?? format.findFault(variable);
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

/** @param targets for GitHub Actions; undefined for the standard output */
function print(
  text: string,
  variables: readonly ExportedVariable[],
  targets: GithubTargets | undefined,
  context: Context,
): void {
  // The commands that mask secrets come first, since a later step may print the secrets.
  if (targets !== undefined) {
    const masks = createMaskCommands(variables.filter(({ secret }) => secret));
    context.raw(targets.maskStream === "err" ? 2 : 1, masks);
  }
  if (targets?.file === undefined) context.raw(1, text);
  else appendTo(targets.file, text);
}
