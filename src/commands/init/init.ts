import { existsSync } from "node:fs";
import { resolveSettings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/find.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { FETCH_TARBALL, TARBALL } from "../../core/package-source.ts";
import { printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { canAsk } from "../confirm.ts";
import { refuseLinks, writeText } from "../files.ts";
import { askNames } from "./ask.ts";
import { adviceForExisting, EXTRA_NAMES, EXTRAS, stepsForExtra, type Extra } from "./extras.ts";
import { createContract } from "./new-contract.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { hasDependency, packageSteps, startsNpm } from "./package-json.ts";
import { survey, type Project, type Survey } from "./project.ts";
import { PYTHON_TOOLS, pythonSteps } from "./python.ts";
import { targetFile, type SetupStep } from "./setup-step.ts";

export const init: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const { from, with: extras } = options;
  const surveyed = await survey(context);
  const offers = new Map(EXTRA_NAMES.map((name) => [name, stepsForExtra(name, surveyed)] as const));
  const possible = EXTRA_NAMES.filter((name) => offers.get(name)?.some(({ kind }) => kind === "create") === true);
  const chosen = Array.isArray(extras)
    ? EXTRA_NAMES.filter((name) => extras.includes(name) || extras.includes("all"))
    : await askExtras(possible, context);
  const isAdvice = ({ kind }: SetupStep): number => Number(kind === "advise");
  const steps = [
    ...(await projectSteps(surveyed, options["edit-scripts"] === true)),
    ...adviceForExisting(surveyed),
    ...chosen.flatMap((name) => offers.get(name) ?? []),
  ].toSorted((one, other) => isAdvice(one) - isAdvice(other));
  // Before the first file is written: a later refusal would leave the work half done.
  const files = steps
    .filter(({ kind }) => kind === "create" || kind === "edit")
    .map(({ file }) => targetFile(file, context));
  const contract = targetFile(CONTRACT_FILE_NAME, context);
  refuseLinks([...(existsSync(contract.path) ? [] : [contract]), ...files]);
  const { title, workspace } = surveyed.project;
  await createContract(Array.isArray(from) ? from : [], settings, { name: title, root: workspace.root }, context);
  for (const step of steps) perform(step, context);
  printNext(
    surveyed,
    possible.filter((name) => !chosen.includes(name)),
    context,
  );
  return ExitStatus.ok;
};

async function askExtras(possible: readonly Extra[], context: Context): Promise<readonly Extra[]> {
  if (possible.length === 0 || !canAsk(context)) return [];
  const column = 14;
  const rows = possible.map((name) => name.padEnd(column) + EXTRAS[name]);
  const question = "Which? Numbers or names, `all`, or Enter for none:";
  const heading = "Besides the contract, init can create:";
  const chosen = await askNames(heading, rows, question, possible, context, column);
  return possible.filter((name) => chosen.has(name));
}

async function projectSteps(surveyed: Survey, edit: boolean): Promise<readonly SetupStep[]> {
  const { project, packageJson, pyproject, isThere, read } = surveyed;
  const dependencies = pyproject === undefined ? "requirements.txt" : "pyproject.toml";
  const { add, addToRoot = add } = NODE_TOOLS[project.node.name];
  const { hasMembers, member } = project.workspace;
  const isRoot = hasMembers && member === "";
  return [
    ...packageSteps(packageJson, {
      add: [...(FETCH_TARBALL === undefined || isThere(TARBALL) ? [] : [FETCH_TARBALL]), isRoot ? addToRoot : add],
      edit,
      isThere,
      startsByNpm: startsNpm(surveyed.dockerfile, await read("Procfile")),
      isInRoot: isInRoot(project),
    }),
    ...pythonSteps(dependencies, pyproject ?? (await read(dependencies)), project.python, isThere),
    ...gitignore(isThere(".git"), await read(".gitignore")),
  ];
}

function gitignore(isRepository: boolean, text = ""): readonly SetupStep[] {
  if (!isRepository || /^[/*]*\.env(?:\.?\*|\s*$)/m.test(text)) return [];
  return [{ kind: "advise", file: ".gitignore", title: "add, so that no value is committed", lines: [".env"] }];
}

/** Returns true if a package can use the dependency of its workspace's root, as with all but Yarn 2 and later. */
function isInRoot({ node, workspace }: Project): boolean {
  return workspace.member !== "" && node.name !== "yarn" && hasDependency(workspace.manifest);
}

function perform(step: SetupStep, context: Context): void {
  const { file, remark } = step;
  const remarks: Line[] = remark === undefined ? [] : [{ text: `  (${remark})`, hang: 3 }];
  switch (step.kind) {
    case "create":
      writeText(targetFile(file, context), step.text, "wx");
      printReport(context, [`created ${file}`, ...remarks]);
      return;
    case "edit":
      writeText(targetFile(file, context), step.text);
      printReport(context, [{ text: `changed ${file}: it now has`, hang: 2 }]);
      printFileLines(step.written, context);
      printReport(context, remarks);
      return;
    case "advise":
      printReport(context, ["", { text: `${file}: ${step.title ?? "add"}`, hang: 2 }]);
      printFileLines(step.lines, context);
      printReport(context, remarks);
      return;
    case "ready":
      printReport(context, [`${file} uses sophia-run already`]);
  }
}

/** Prints lines of a file. Not by printReport(), which would write the command as the user called it. */
function printFileLines(lines: readonly string[], context: Context): void {
  context.out(lines.map((line) => `  ${printable(line)}\n`).join(""));
}

function printNext({ project }: Survey, left: readonly Extra[], context: Context): void {
  const more = left.map((name) => ({ text: `  ${`--with ${name}`.padEnd(20)} ${EXTRAS[name]}`, hang: 23 }));
  if (more.length > 0) printReport(context, ["", "init can also create:", ...more]);
  const { manifest, node, python } = project;
  const isAdded = manifest === undefined || isInRoot(project) || hasDependency(manifest);
  const other = python === undefined ? "" : PYTHON_TOOLS[python].run;
  const run = manifest === undefined ? other : NODE_TOOLS[node.name].run;
  const first = isAdded ? "refine the contract" : "add sophia-run as above, refine the contract";
  const next = ["check", "docs"].map((name) => ({ text: `  ${run}sophia-run ${name}`, whole: true }));
  printReport(context, ["", { text: `Next: ${first}, then run`, hang: 2 }, ...next]);
}
