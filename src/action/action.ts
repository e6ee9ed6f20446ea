/** The GitHub Action: the configuration for the later steps of a job, or the check alone. */
import { isDeclared } from "../contract/check.ts";
import { settle, type Settings } from "../command-line/settings.ts";
import { assessBy } from "../commands/assessed.ts";
import { recorderOf } from "../commands/audit-log/record.ts";
import { collect, invalidName, textFault, type Exported } from "../commands/export/exported.ts";
import { appendTo, github } from "../commands/export/github.ts";
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { count, enumerate, printable } from "../core/text.ts";
import type { Secret } from "../masking/model.ts";
import { maskCommands } from "../output/github-masks.ts";
import { makeReport } from "../output/report.ts";
import { further } from "../output/stderr.ts";
import { workflowCommand } from "../output/workflow-command.ts";
import type { Assessment } from "../resolve/assessment.ts";
import { matcher } from "../resolve/select.ts";
import { secretsOf } from "../resolve/secrets.ts";
import { annotateNotices, annotateViolations, byInput } from "./annotations.ts";
import { blockedInJob, sizeFault } from "./blocked.ts";
import { readInputs, type Export } from "./inputs.ts";
import { summary } from "./summary.ts";

/**
 * Exports nothing unless the contract is met and every variable can be. Masks come before all else that is written.
 * @returns whether the step succeeds
 * @throws SophiaError (125)
 */
export async function act(context: Context): Promise<boolean> {
  const inputs = readInputs(context.environment, context.cwd);
  const { environment, cwd } = inputs;
  const step: Context = { ...context, environment, cwd };
  const token = environment.get("ESC_TOKEN") ?? "";
  if (token !== "") mask([{ name: "ESC_TOKEN", value: token }], step);
  const settings = settledBy(inputs.options, step);
  const record = recorderOf(settings, inputs.options, step);
  const assessment = await assessBy(settings, step);
  const { variables, files } = collect(assessment);
  mask([...secretsOf(assessment), ...variables.filter(({ secret }) => secret)], step);

  const report = makeReport(assessment);
  const stops = !report.met && (settings.enforceContract || inputs.export === "check");
  const workspace = environment.get("GITHUB_WORKSPACE") ?? cwd;
  if (report.met) sayDown(assessment, step);
  else step.out(await annotateViolations(assessment, report, workspace, stops ? "error" : "warning"));
  // A credential that is missing is told with what is missing for want of it.
  step.out(annotateNotices(assessment.notices.filter(({ kind }) => report.met || kind !== "esc-incomplete")));
  if (stops || inputs.export === "check") {
    if (inputs.export !== "check") record?.({ event: "export", names: [] }, stops, assessment);
    const outcome = report.met ? "The contract is met." : "The contract is not met: nothing was exported.";
    finish(outcome, report.met ? `sophia-run: ${count(report.variables.length, "variable")} checked` : undefined);
    return report.met;
  }

  // GITHUB_ENV gets only what is asked for; an environment keeps what the caller gives in spite of `include`.
  const isIncluded =
    settings.include.length === 0 ? () => true : matcher(settings.include, assessment.selection.folding);
  const declared = variables.filter(({ name }) => isDeclared(assessment.contract, name) && isIncluded(name));
  const exported = exportable(declared, inputs.export, assessment);
  const lost = files.filter((name) => isDeclared(assessment.contract, name)).map(printable);
  if (lost.length > 0) {
    const what = `${enumerate(lost)} not exported: ESC makes ${lost.length === 1 ? "a file" : "files"} of what it holds`;
    step.out(workflowCommand("warning", `${what}; a program that sophia-run starts gets it`, { title: "sophia-run" }));
  }
  record?.({ event: "export", names: exported.map(({ name }) => name) }, false, assessment);
  const target = inputs.export === "env" ? "GITHUB_ENV" : "GITHUB_OUTPUT";
  appendTo(required(target, step), github.write(exported), target);
  const names = enumerate(exported.map(({ name }) => name));
  const where = inputs.export === "env" ? "the later steps" : "the outputs of this step";
  const done =
    exported.length === 0 ? "nothing to export: no declared variable is set" : `exported to ${where}: ${names}`;
  finish(`Exported to ${where}: ${count(exported.length, "variable")}.`, `sophia-run: ${done}`);
  return true;

  function finish(outcome: string, line: string | undefined): void {
    if (line !== undefined) step.out(`${line}\n`);
    const file = environment.get("GITHUB_STEP_SUMMARY") ?? "";
    if (file !== "") appendTo(file, summary(report, outcome, workspace), "GITHUB_STEP_SUMMARY");
  }
}

/** @throws SophiaError (settings, 125), with the input's name where a command line has an option's */
function settledBy(options: Parameters<typeof settle>[0], { environment }: Context): Settings {
  try {
    return settle(options, environment);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    const { code, message, hint } = error;
    throw new SophiaError({ code, message: byInput(message), ...(hint === undefined ? {} : { hint }) });
  }
}

/** @throws SophiaError (output, 125): what the runner does not know of would show */
function mask(secrets: readonly Secret[], { out }: Context): void {
  const problem = out(maskCommands(secrets));
  if (problem === undefined) return;
  throw new SophiaError({ code: "output", message: `the masks cannot be written (${problem}); nothing was exported` });
}

function sayDown({ esc }: Assessment, { out }: Context): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const text = [esc.failure.message, ...further(esc.failure)].join("\n");
  out(workflowCommand("warning", text, { title: "ESC" }));
}

/**
 * What can be exported. A variable that every step has anyway is left out if it cannot be.
 * @throws SophiaError (not-exportable, 125) that names all others that cannot be
 */
function exportable(variables: readonly Exported[], to: Export, { selected }: Assessment): readonly Exported[] {
  const faults: string[] = [];
  const exported = variables.filter((variable) => {
    const { name, value } = variable;
    const problem = textFault(value) ?? (to === "env" ? faultInJob(variable) : faultOfOutput(variable));
    if (problem === undefined) return true;
    if (selected.get(name)?.origin.source !== "environment") faults.push(`${printable(name)}: ${problem}`);
    return false;
  });
  if (faults.length === 0) return exported;
  throw new SophiaError({
    code: "not-exportable",
    message: "not every variable can be exported; nothing was exported",
    details: faults,
    hint: "name them in the input exclude; a step that needs one can start its program with sophia-run",
  });
}

function faultInJob(variable: Exported): string | undefined {
  return github.fault(variable) ?? blockedInJob(variable.name, variable.value) ?? sizeFault(variable);
}

function faultOfOutput({ name }: Exported): string | undefined {
  return invalidName(name);
}

/** @throws SophiaError (output, 125) */
function required(variable: string, { environment }: Context): string {
  const file = environment.get(variable) ?? "";
  if (file !== "") return file;
  throw new SophiaError({
    code: "output",
    message: `${variable} is not set`,
    hint: "the runner of GitHub Actions sets it for each step; this program is for no other place",
  });
}
