import { existsSync } from "node:fs";
import { join } from "node:path";
import { settle } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { FETCH_TARBALL, TARBALL } from "../../core/package-source.ts";
import { tell } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { canAsk } from "../confirm.ts";
import { refuseLinks, writeText, type TargetFile } from "../files.ts";
import { projectRoot } from "../project-root.ts";
import { askNames } from "./ask.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import type { Place } from "./place.ts";
import { EXTRA_NAMES, EXTRAS, existingPlaces, newPlaces, type Extra } from "./places.ts";
import { survey, type Project, type Survey } from "./project.ts";
import { PYTHON_TOOLS, pythonProject } from "./python.ts";
import { hasDependency, npmScripts, startsNpm } from "./scripts.ts";
import { contractFile, ORIGINS, startContract } from "./start.ts";

/** `sophia-run init`: creates what is missing, prints what is to be added to files that exist. */
export const init: Command = async ({ options }, context) => {
  const settings = settle(options, context.environment);
  const { from, with: given } = options;
  const asked = ORIGINS.filter((name) => Array.isArray(from) && from.includes(name));
  const found = await survey(context);
  const offers = new Map(EXTRA_NAMES.map((name) => [name, newPlaces(name, found)] as const));
  const possible = EXTRA_NAMES.filter((name) => offers.get(name)?.some(({ kind }) => kind === "create") === true);
  const wanted = Array.isArray(given)
    ? EXTRA_NAMES.filter((name) => given.includes(name))
    : await askExtras(possible, context);
  const places = [
    ...(await ownPlaces(found, options["edit-scripts"] === true)),
    ...existingPlaces(found),
    ...wanted.flatMap((name) => offers.get(name) ?? []),
  ];
  // Before anything is written: a refusal in between would leave a part behind.
  const files = places.flatMap(({ kind, file }) =>
    kind === "create" || kind === "edit" ? [target(file, context)] : [],
  );
  const contract = contractFile(context);
  refuseLinks([...(existsSync(contract.path) ? [] : [contract]), ...files]);
  await startContract(asked, settings, context);
  const isAdvice = ({ kind }: Place): boolean => kind === "advise" || kind === "impossible";
  for (const place of places.filter((one) => !isAdvice(one))) settlePlace(place, context);
  for (const place of places.filter(isAdvice)) settlePlace(place, context);
  const left = possible.filter((name) => !wanted.includes(name));
  tellNext(found, left, context);
  return ExitStatus.ok;
};

/** Asks at a terminal which extras the user wants; elsewhere `--with` names them. */
async function askExtras(possible: readonly Extra[], context: Context): Promise<readonly Extra[]> {
  if (possible.length === 0 || !canAsk(context)) return [];
  const column = 14;
  const rows = possible.map((name) => name.padEnd(column) + EXTRAS[name]);
  const question = "Which? Numbers or names, `all`, or Enter for none:";
  const heading = "init can create more than the contract:";
  const chosen = await askNames(heading, rows, question, possible, context, column);
  return possible.filter((name) => chosen.has(name));
}

/** The manifests of the project: sophia-run as a dependency, and in front of what starts programs. */
async function ownPlaces(found: Survey, edit: boolean): Promise<readonly Place[]> {
  const { project, manifest, pyproject, isThere, read } = found;
  const dependencies = pyproject === undefined ? "requirements.txt" : "pyproject.toml";
  const { add, addToRoot = add } = NODE_TOOLS[project.node.name];
  const { hasMembers, member } = project.workspace;
  const isRoot = hasMembers && member === "";
  return [
    ...npmScripts(manifest, {
      add: [...(FETCH_TARBALL === undefined || isThere(TARBALL) ? [] : [FETCH_TARBALL]), isRoot ? addToRoot : add],
      edit,
      isThere,
      startsByNpm: startsNpm(found.dockerfile, await read("Procfile")),
      isInRoot: isInRoot(project),
    }),
    ...pythonProject(dependencies, pyproject ?? (await read(dependencies)), project.python, isThere),
    ...gitignore(isThere(".git"), await read(".gitignore")),
  ];
}

/** Keeps the values of a `.env` file out of a repository that would take them. */
function gitignore(isRepository: boolean, text = ""): readonly Place[] {
  if (!isRepository || /^[/*]*\.env(?:\.?\*|\s*$)/m.test(text)) return [];
  return [{ kind: "advise", file: ".gitignore", title: "add, so that no value is committed", lines: [".env"] }];
}

/** True if the package finds the command among the dependencies of its workspace's root, where Yarn looks in version 1 alone. */
function isInRoot({ node, workspace }: Project): boolean {
  return workspace.member !== "" && node.name !== "yarn" && hasDependency(workspace.manifest);
}

function settlePlace(place: Place, context: Context): void {
  const { file } = place;
  const remarks: Line[] =
    "remark" in place && place.remark !== undefined ? [{ text: `  (${place.remark})`, hang: 3 }] : [];
  switch (place.kind) {
    case "create":
      writeText(target(file, context), place.text, "wx");
      tell(context, [`created ${file}`, ...remarks]);
      return;
    case "edit":
      writeText(target(file, context), place.text);
      tell(context, [{ text: `changed ${file}: ${place.done}`, hang: 2 }, ...remarks]);
      return;
    case "advise":
      tell(context, ["", `${file}: ${place.title ?? "add"}`]);
      // For a file, in which the command has its own name.
      context.out(place.lines.map((line) => `  ${line}\n`).join(""));
      tell(context, remarks);
      return;
    case "ready":
      tell(context, [`${file} uses sophia-run already`]);
      return;
    case "impossible":
      tell(context, ["", { text: `${file} was not created: ${place.why}`, hang: 2 }]);
      return;
  }
}

function tellNext({ project }: Survey, left: readonly Extra[], context: Context): void {
  const more = left.map((name) => ({ text: `  ${`--with ${name}`.padEnd(20)} ${EXTRAS[name]}`, hang: 23 }));
  if (more.length > 0) tell(context, ["", "init can also create:", ...more]);
  const { manifest, node, python } = project;
  const isAdded = manifest === undefined || isInRoot(project) || hasDependency(manifest);
  const other = python === undefined ? "" : PYTHON_TOOLS[python].run;
  const run = manifest === undefined ? other : NODE_TOOLS[node.name].run;
  const first = isAdded ? "refine the contract" : "add sophia-run as above, refine the contract";
  const next = ["check", "docs"].map((name) => ({ text: `  ${run}sophia-run ${name}`, whole: true }));
  tell(context, ["", { text: `Next: ${first}, then run`, hang: 2 }, ...next]);
}

function target(file: string, { cwd }: Context): TargetFile {
  return { path: join(cwd, file), name: file, root: projectRoot(cwd) };
}
