/**
 * The GitHub Action: exports the configuration to the later steps of a job, or only checks it.
 *
 * The order matters. The runner reads the standard output line by line, so each secret is masked (`::add-mask::`) before any line
 * or file could contain it. The annotations and the summary explain the result; neither contains a value.
 */
import { isDeclared } from "../contract/check-contract.ts";
import { resolveSettings } from "../command-line/settings.ts";
import { startWith } from "../commands/parts/command-start.ts";
import { createAuditRecorder } from "../commands/parts/audit-log/audit-record.ts";
import { collect, invalidName, textFault, type Exported } from "../commands/export/exported.ts";
import { appendTo, github } from "../commands/export/github-output.ts";
import { isOfRunner } from "../contract/actions-runner.ts";
import { runsCode } from "../trust/code-values.ts";
import { isHarmlessAddress, isKeyAddress } from "../trust/key-addresses.ts";
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { count, enumerate, printable } from "../core/text.ts";
import { reasonTooLargeAlone } from "../launch/program/argument-size.ts";
import type { Secret } from "../masking/masking-model.ts";
import { maskCommands, workflowCommand } from "../output/workflow-commands.ts";
import { makeReport } from "../output/report.ts";
import { detailsAndHint } from "../output/stderr.ts";
import type { Start } from "../resolve/start.ts";
import { createMatcher } from "../resolve/name-globs.ts";
import { secretsOf } from "../resolve/secret-values.ts";
import { annotateNotices, annotateViolations } from "./annotations.ts";
import { byInput, readInputs, type Export } from "./inputs.ts";
import { describeStep } from "./summary.ts";
import { createWithholdingDescriber } from "../output/withheld-words.ts";

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
  const start = await startWith(settings, step);
  const { variables, files } = collect(start);
  mask([...secretsOf(start), ...variables.filter(({ secret }) => secret)], step);

  const report = makeReport(start);
  const isCheck = inputs.export === "check";
  const fails = !report.met && (settings.enforceContract || isCheck);
  const workspace = environment.get("GITHUB_WORKSPACE") ?? cwd;
  if (report.met) annotateUnavailable(start, step);
  else step.raw(1, await annotateViolations(start, report, workspace, fails ? "error" : "warning"));
  // If the contract is not met, its annotation names a missing credential already.
  const notices = start.verdict.notices.filter(({ kind }) => report.met || kind !== "esc-incomplete");
  step.raw(1, annotateNotices(notices));
  if (fails || isCheck) {
    if (!isCheck) record?.({ event: "export", names: [] }, fails, start);
    const outcome = report.met ? "The contract is met." : "The contract is not met: nothing was exported.";
    finish(outcome, report.met ? `sophia-run: ${count(report.variables.length, "variable")} checked` : undefined);
    return report.met;
  }

  // Here `include` applies to variables of the step's environment as well. A program that sophia-run starts gets those anyway.
  const isIncluded =
    settings.include.length === 0 ? () => true : createMatcher(settings.include, start.values.selection.folding);
  const declared = variables.filter(({ name }) => isDeclared(start.files.contract, name) && isIncluded(name));
  const exported = exportable(declared, inputs.export, start);
  const escFiles = files.filter((name) => isDeclared(start.files.contract, name)).map(printable);
  if (escFiles.length > 0) {
    const problem = `${enumerate(escFiles)} not exported (ESC delivers ${escFiles.length === 1 ? "a file" : "files"})`;
    const remedy = "start the program that needs it with sophia-run";
    step.raw(1, workflowCommand("warning", `${problem}\n${remedy}`, { title: "sophia-run" }));
  }
  record?.({ event: "export", names: exported.map(({ name }) => name) }, false, start);
  const target = inputs.export === "env" ? "GITHUB_ENV" : "GITHUB_OUTPUT";
  appendTo(runnerFile(target, step), github.write(exported), target);
  const names = enumerate(exported.map(({ name }) => name));
  const destination = inputs.export === "env" ? "the later steps" : "the outputs of this step";
  const result =
    exported.length === 0 ? "nothing to export: no declared variable is set" : `exported to ${destination}: ${names}`;
  finish(`Exported to ${destination}: ${count(exported.length, "variable")}.`, `sophia-run: ${result}`);
  return true;

  /** Writes the line to the log of the step, and the summary with the outcome. */
  function finish(outcome: string, logLine: string | undefined): void {
    if (logLine !== undefined) step.out(`${logLine}\n`);
    const file = environment.get("GITHUB_STEP_SUMMARY") ?? "";
    if (file !== "")
      appendTo(
        file,
        describeStep(report, outcome, workspace, createWithholdingDescriber(start)),
        "GITHUB_STEP_SUMMARY",
      );
  }
}

/** Masks secrets in the log. @throws SophiaError (output, 125): without the masks, later steps could show a secret */
function mask(secrets: readonly Secret[], { raw }: Context): void {
  const problem = raw(1, maskCommands(secrets));
  if (problem === undefined) return;
  throw new SophiaError({ code: "output", message: `nothing was exported: the masks cannot be written (${problem})` });
}

/** Warns that ESC could not be read, though the contract is met without it. */
function annotateUnavailable({ store: { esc } }: Start, { raw }: Context): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const text = byInput([esc.failure.message, ...detailsAndHint(esc.failure)].join("\n"));
  raw(1, workflowCommand("warning", text, { title: "ESC" }));
}

/**
 * Returns the variables that can be exported. Those of the step's environment that cannot be are left out, since the later steps have
 * them anyway.
 *
 * @throws SophiaError (not-exportable, 125) that names all other variables that cannot be exported
 */
function exportable(variables: readonly Exported[], to: Export, { values: { selected } }: Start): readonly Exported[] {
  const faults: string[] = [];
  const exported = variables.filter((variable) => {
    const { name, value } = variable;
    const source = selected.get(name)?.origin.source;
    const defaultProblem = source === "contract" && to === "env" ? defaultFault(variable) : undefined;
    const targetProblem = (): string | undefined => (to === "env" ? environmentFault(variable) : outputFault(variable));
    const problem = textFault(value) ?? defaultProblem ?? targetProblem();
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
function environmentFault(variable: Exported): string | undefined {
  return github.fault(variable) ?? nameFault(variable) ?? sizeFault(variable);
}

/** Returns why a variable cannot be an output of the step. */
function outputFault({ name }: Exported): string | undefined {
  return invalidName(name);
}

/** Returns why GitHub Actions, or the programs of later steps, must not get a variable of this name. */
function nameFault({ name, value }: Exported): string | undefined {
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
function defaultFault({ name, value }: Exported): string | undefined {
  if (!isKeyAddress(name) || isHarmlessAddress(name, value)) return undefined;
  return "a default of the contract would send the keys of later steps to another address";
}

/** Returns why a variable is too large: with it, execve(2) fails for each program of the later steps. */
function sizeFault(variable: Exported): string | undefined {
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
