/**
 * sophia-run's own action for GitHub Actions, which a workflow uses in a step. It exports the configuration to the later steps of
 * the job, or only checks it.
 *
 * The order of the output matters. The runner, GitHub's program that executes the steps, reads the standard output line by line. So each
 * secret is masked (`::add-mask::`) before any line or file could contain it. The annotations and the summary explain the result. Neither
 * contains a value.
 */
import { isDeclared } from "../contract/check-contract.ts";
import { resolveSettings } from "../command-line/settings.ts";
import { resolveCommandStart } from "../commands/parts/command-start.ts";
import { createAuditRecorder } from "../commands/parts/audit-log/audit-record.ts";
import {
  collectVariables,
  findShellNameFault,
  findTextFault,
  type ExportedVariable,
} from "../commands/export/exported-variables.ts";
import { appendToRunnerFile, githubFormat } from "../commands/export/github-output.ts";
import { isOfRunner } from "../contract/actions-runner.ts";
import { runsCode } from "../trust/code-values.ts";
import { isHarmlessAddress, isKeyAddress } from "../trust/key-addresses.ts";
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { count, enumerate, printable } from "../core/text.ts";
import { reasonTooLargeAlone } from "../launch/program/argument-size.ts";
import type { Secret } from "../masking/masking-model.ts";
import { createMaskCommands, createWorkflowCommand } from "../output/workflow-commands.ts";
import { createReport, type Report } from "../output/report.ts";
import { listDetailsAndHint } from "../output/stderr.ts";
import type { Start } from "../resolve/start.ts";
import { createMatcher } from "../resolve/name-globs.ts";
import { collectSecrets } from "../resolve/secret-values.ts";
import { annotateNotices, annotateViolations } from "./annotations.ts";
import { byInput, type Export, type Inputs, readInputs } from "./inputs.ts";
import { describeStep } from "./summary.ts";
import { createWithholdingDescriber } from "../output/withheld-words.ts";

/** A run of the action: what it was asked for, and what the configuration is. */
interface ActionRun {
  readonly inputs: Inputs;
  /** The context of the step: its streams, its environment without the inputs, and its working directory. */
  readonly step: Context;
  readonly start: Start;
  readonly report: Report;
}

/**
 * Runs the action: exports all declared variables, or none if one of them cannot be exported.
 *
 * @returns true if the step succeeds
 * @throws SophiaError (125)
 */
export async function runAction(context: Context): Promise<boolean> {
  const inputs = readInputs(context.environment, context.cwd);
  const { environment, cwd } = inputs;
  const step: Context = { ...context, environment, cwd, project: cwd };
  const token = environment.get("ESC_TOKEN") ?? "";
  if (token !== "") mask([{ name: "ESC_TOKEN", value: token }], step);
  const settings = resolveSettings(inputs.options, environment);
  const record = createAuditRecorder(settings, inputs.options, step);
  const start = await resolveCommandStart(settings, step);
  const { variables, fileNames } = collectVariables(start);
  mask([...collectSecrets(start), ...variables.filter(({ secret }) => secret)], step);

  const run: ActionRun = { inputs, step, start, report: createReport(start) };
  const isMet = run.report.met;
  const isCheck = inputs.export === "check";
  const fails = !isMet && (settings.enforceContract || isCheck);
  await annotate(run, fails ? "error" : "warning");
  if (fails || isCheck) {
    if (!isCheck) record?.({ event: "export", names: [] }, fails, start);
    finishCheck(run);
    return isMet;
  }

  // Here `include` applies to variables of the step's environment as well. A program that sophia-run starts gets those anyway.
  const isIncluded =
    settings.include.length === 0 ? () => true : createMatcher(settings.include, start.values.selection.folding);
  const declared = variables.filter(({ name }) => isDeclared(start.files.contract, name) && isIncluded(name));
  const exported = exportable(declared, inputs.export, start);
  warnOfFiles(fileNames, run);
  // The audit log comes before the export, so that no export is missing from it.
  record?.({ event: "export", names: exported.map(({ name }) => name) }, false, start);
  exportVariables(exported, run);
  return true;
}

/** Writes the annotations that GitHub shows for the step: of violations of the contract, of ESC, and of notices. */
async function annotate({ start, report, step, inputs }: ActionRun, level: "error" | "warning"): Promise<void> {
  if (report.met) annotateUnavailable(start, step);
  else step.raw(1, await annotateViolations(start, report, workspaceOf(inputs), level));
  // If the contract is not met, its annotation names a missing credential already.
  const notices = start.verdict.notices.filter(({ kind }) => report.met || kind !== "esc-incomplete");
  step.raw(1, annotateNotices(notices));
}

/** Reports the result of a run that exports nothing. */
function finishCheck(run: ActionRun): void {
  const { met, variables } = run.report;
  // If the contract is not met, the annotations have explained that in the log.
  if (met) run.step.out(`sophia-run: ${count(variables.length, "variable")} checked\n`);
  writeSummary(run, met ? "The contract is met." : "The contract is not met: nothing was exported.");
}

/** Warns of declared variables that ESC delivers as files, which only a program that sophia-run starts can get. */
function warnOfFiles(fileVariables: readonly string[], { start, step }: ActionRun): void {
  const names = fileVariables.filter((name) => isDeclared(start.files.contract, name)).map(printable);
  if (names.length === 0) return;
  const problem = `${enumerate(names)} not exported (ESC delivers ${names.length === 1 ? "a file" : "files"})`;
  const remedy = "start the program that needs it with sophia-run";
  step.raw(1, createWorkflowCommand("warning", `${problem}\n${remedy}`, { title: "sophia-run" }));
}

/** Exports variables to the file that the runner reads after this step, and reports the result. */
function exportVariables(exported: readonly ExportedVariable[], run: ActionRun): void {
  const isToLaterSteps = run.inputs.export === "env";
  const fileVariable = isToLaterSteps ? "GITHUB_ENV" : "GITHUB_OUTPUT";
  appendToRunnerFile(runnerFile(fileVariable, run.step), githubFormat.write(exported), fileVariable);
  const destination = isToLaterSteps ? "the later steps" : "the outputs of this step";
  const names = enumerate(exported.map(({ name }) => name));
  const result =
    exported.length === 0 ? "nothing to export: no declared variable is set" : `exported to ${destination}: ${names}`;
  run.step.out(`sophia-run: ${result}\n`);
  writeSummary(run, `Exported to ${destination}: ${count(exported.length, "variable")}.`);
}

/** Writes the summary of the step, which begins with the outcome. A runner without summaries does not set the variable. */
function writeSummary({ inputs, start, report }: ActionRun, outcome: string): void {
  const file = inputs.environment.get("GITHUB_STEP_SUMMARY") ?? "";
  if (file === "") return;
  const summary = describeStep(report, outcome, workspaceOf(inputs), createWithholdingDescriber(start));
  appendToRunnerFile(file, summary, "GITHUB_STEP_SUMMARY");
}

/** Returns the folder of the repository. GitHub resolves the paths in annotations from there. */
function workspaceOf({ environment, cwd }: Inputs): string {
  return environment.get("GITHUB_WORKSPACE") ?? cwd;
}

/** Masks secrets in the log. @throws SophiaError (output, 125): without the masks, later steps could show a secret */
function mask(secrets: readonly Secret[], { raw }: Context): void {
  const problem = raw(1, createMaskCommands(secrets));
  if (problem === undefined) return;
  throw new SophiaError({ code: "output", message: `nothing was exported: the masks cannot be written (${problem})` });
}

/** Warns that ESC could not be read, though the contract is met without it. */
function annotateUnavailable({ store: { esc } }: Start, { raw }: Context): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const text = byInput([esc.failure.message, ...listDetailsAndHint(esc.failure)].join("\n"));
  raw(1, createWorkflowCommand("warning", text, { title: "ESC" }));
}

/**
 * Returns the variables that can be exported. Those of the step's environment that cannot be are left out, since the later steps have
 * them anyway.
 *
 * @throws SophiaError (not-exportable, 125) that names all other variables that cannot be exported
 */
function exportable(
  variables: readonly ExportedVariable[],
  to: Export,
  { values: { selected } }: Start,
): readonly ExportedVariable[] {
  const faults: string[] = [];
  const exported = variables.filter((variable) => {
    const { name, value } = variable;
    const source = selected.get(name)?.origin.source;
    const defaultProblem = source === "contract" && to === "env" ? defaultFault(variable) : undefined;
    const targetProblem = (): string | undefined => (to === "env" ? environmentFault(variable) : outputFault(variable));
    const problem = findTextFault(value) ?? defaultProblem ?? targetProblem();
    if (problem === undefined) return true;
    if (source !== "environment") faults.push(`${printable(name)}: ${problem}`);
    return false;
  });
  if (faults.length === 0) return exported;
  throw new SophiaError({
    code: "not-exportable",
    message: "nothing was exported: some variables cannot be exported",
    details: faults,
    hint: "name them in the input exclude; start the program that needs one with sophia-run",
  });
}

/** Returns why a variable cannot be in the environment of the later steps. */
function environmentFault(variable: ExportedVariable): string | undefined {
  return githubFormat.findFault(variable) ?? nameFault(variable) ?? sizeFault(variable);
}

/** Returns why a variable cannot be an output of the step. */
function outputFault({ name }: ExportedVariable): string | undefined {
  return findShellNameFault(name);
}

/** Returns why GitHub Actions, or the programs of later steps, must not get a variable of this name. */
function nameFault({ name, value }: ExportedVariable): string | undefined {
  // On Windows names are case-insensitive.
  const upper = name.toUpperCase();
  if (upper === "NODE_OPTIONS") return "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV";
  if (isOfRunner(name)) return "GitHub Actions sets it itself";
  if (upper.startsWith("INPUT_")) return "other actions would read it as an input";
  if (upper.startsWith("STATE_")) return "other actions would read it as their own state";
  if (upper === "PATH") return "it would decide which programs later steps run";
  return runsCode(name, value) ? "it would make the programs of all later steps run code" : undefined;
}

/**
 * Returns why a default of the contract is not exported. A contract, also one that the workflow names, is a file of the repository:
 * a pull request could otherwise change where later steps send their keys.
 */
function defaultFault({ name, value }: ExportedVariable): string | undefined {
  if (!isKeyAddress(name) || isHarmlessAddress(name, value)) return undefined;
  return "a default of the contract would send the keys of later steps to another address";
}

/** Returns why a variable is too large: with it, execve(2) fails for each program of the later steps. */
function sizeFault(variable: ExportedVariable): string | undefined {
  const limit = reasonTooLargeAlone(variable);
  return limit === undefined ? undefined : `no program of a later step can start with more than ${limit} in a variable`;
}

/** Returns the path of a file that the runner provides for each step. @throws SophiaError (output, 125) */
function runnerFile(variable: string, { environment }: Context): string {
  const file = environment.get(variable) ?? "";
  if (file !== "") return file;
  throw new SophiaError({
    code: "output",
    message: `${variable} is not set`,
    hint: "this program runs only in GitHub Actions, whose runner sets it for each step",
  });
}
