/**
 * Creates the contract of a project, for `init`: reads the sources, joins their variables, asks what no source decides, writes
 * the file, and reports what is in it. The sources are in contract-sources.ts, and the text is made in contract-draft.ts.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { placeContract } from "../../contract/find-contract.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { requirementExample } from "../../contract/remedies.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { writeText } from "../parts/project-files.ts";
import { placeWords } from "../parts/code/code-place.ts";
import { contractText } from "./contract-draft.ts";
import { readSources } from "./contract-sources.ts";
import { loadLines } from "./dotenv-loads.ts";
import { chooseSchema, createSchema, SCHEMA_FILE, updateSchema } from "./editor-schema.ts";
import { misspellingLines, separateMisspellings } from "./misspelled-names.ts";
import { askRequired } from "./init-questions.ts";
import { mergeCandidates, type CandidateGroup, type NamedCandidate, type SourceResult } from "./variable-candidates.ts";
import { allowWritten, askEnvironment, enforceRemark, environmentRemark } from "./name-environment.ts";
import { targetFile } from "./setup-step.ts";

/** The project of a new contract. */
export interface ContractProject {
  /** The name in its package.json or pyproject.toml. */
  readonly name: string | undefined;
  /** The root of the workspace, which has the lock file. */
  readonly root: string;
}

/**
 * Writes `sophia.contract.json` unless it exists.
 *
 * @param namedSources the values of `--from`; empty for all sources that the project has
 * @throws SophiaError (125) if a named source cannot be read, or if the file cannot be written
 */
export async function createContract(
  namedSources: readonly string[],
  settings: Settings,
  { name, root }: ContractProject,
  context: Context,
): Promise<void> {
  if (existsSync(join(context.project, CONTRACT_FILE_NAME))) {
    printReport(context, [`${CONTRACT_FILE_NAME} exists and is not changed`]);
    await updateSchema(context);
    return;
  }
  const outerContract = findOuterContract(context);
  if (outerContract !== undefined && namedSources.length === 0) {
    const advice = "--from creates a contract here, which may extend it";
    printReport(context, [`${outerContract} applies to this folder; ${advice}`]);
    return;
  }
  const { results, remarks, loads, isEscRead } = await readSources(namedSources, settings, context);
  const base = results.find((result) => result.base !== undefined)?.base;
  const builtInVariables = base === "builtin" ? await loadBuiltInVariables() : undefined;
  const merged = mergeCandidates(results);
  const furtherCandidates = merged.candidates.filter(({ name: variable }) => builtInVariables?.has(variable) !== true);
  const { plausible, misspelled } = separateMisspellings(furtherCandidates);
  const { candidates, untested } = await askRequired(plausible, context);
  const environments = results.flatMap((result) => result.environments ?? []);
  const namesEnvironments = await askEnvironment(environments, context);
  // The base has its own groups.
  const groups = base === undefined ? results.flatMap((result) => result.groups ?? []) : [];
  const schema = chooseSchema(context, root);
  const draft = { name, base, environments: namesEnvironments ? environments : [], candidates, groups };
  writeText(targetFile(CONTRACT_FILE_NAME, context), contractText(draft, schema.address), "wx");
  if (schema.isMissing) await createSchema(context);

  const total = candidates.length + (builtInVariables?.size ?? 0);
  const sourceRemarks = [...remarks, ...results.flatMap((result) => result.remarks ?? [])];
  const isNothingFound = total === 0 && base === undefined && namedSources.length === 0;
  printReport(context, [
    ...createdLines(total, results, schema.isMissing),
    ...outerContractLines(outerContract),
    ...candidateLines(candidates),
    ...untestedLines(untested),
    ...(namesEnvironments ? await allowWritten(environments, context) : environmentRemark(environments)),
    ...enforceRemark(environments),
    ...remarkLines([...misspellingLines(misspelled), ...sourceRemarks, ...leftOutRemarks(merged.leftOut)]),
    ...loadLines(loads),
    ...(base === undefined ? requirementLines(total, candidates, groups) : []),
    ...(isNothingFound ? [searchedLine(isEscRead)] : []),
  ]);
}

/** Returns the path of a contract in a folder above, which has applied to the project so far; undefined if there is none. */
function findOuterContract({ project }: Context): string | undefined {
  const path = placeContract(undefined, project)?.path;
  if (path === undefined || dirname(path) === project) return undefined;
  return printable(relative(project, path).replaceAll(sep, "/"));
}

async function loadBuiltInVariables(): Promise<ReadonlyMap<string, unknown>> {
  // By import(), so that the bundler gives the module a file of its own, which a start loads alone.
  return (await import("../../contract/generated/built-in.ts")).BUILT_IN.variables;
}

/** Says which files are created, and from which sources the variables come. */
function createdLines(total: number, results: readonly SourceResult[], createsSchema: boolean): readonly Line[] {
  const sources = enumerate(results.map(({ source }) => source));
  const content = total === 0 ? "no variables yet" : `${count(total, "variable")} from ${sources}`;
  return [
    { text: `created ${CONTRACT_FILE_NAME}: ${content}`, hang: 2 },
    ...(createsSchema ? [`created ${SCHEMA_FILE}, for editors`] : []),
  ];
}

function outerContractLines(outerContract: string | undefined): readonly string[] {
  if (outerContract === undefined) return [];
  return [`  ${outerContract} no longer applies to this folder; to keep its rules: "extends": "${outerContract}"`];
}

const MAX_CANDIDATE_LINES = 100;
const MAX_NAME_WIDTH = 40;

/** Lists the variables, each with its sources. */
function candidateLines(candidates: readonly NamedCandidate[]): readonly Line[] {
  const longestName = Math.max(0, ...candidates.map(({ name }) => name.length));
  const width = Math.min(MAX_NAME_WIDTH, longestName);
  const further = candidates.length - MAX_CANDIDATE_LINES;
  return [
    ...candidates.slice(0, MAX_CANDIDATE_LINES).map(({ name, required, sources }): Line => {
      const columns = `  ${name.padEnd(width)}  ${required ? "required" : "optional"}  `;
      return { text: `${columns}${sources.join(", ")}`, hang: columns.length };
    }),
    ...(further > 0 ? [`  and ${count(further, "variable")} more`] : []),
  ];
}

/** Names of variables in one line. */
const MAX_NAMES = 10;

/** Explains why variables are required without a question, and how to change that. */
function untestedLines(untested: readonly NamedCandidate[]): readonly Line[] {
  const [first, ...others] = untested;
  if (first === undefined) return [];
  const place = first.readAt === undefined ? "" : ` (${placeWords(first.readAt)})`;
  const [them, their] = others.length === 0 ? ["it", "its"] : ["them", "their"];
  const allNames = untested.map(({ name }) => name);
  const names = enumerateFew(allNames, MAX_NAMES);
  const sentence = `${names}: required, since the code reads ${them} without a fallback${place}; to make one optional, remove ${their} "required": true`;
  return [{ text: `  ${sentence}`, hang: 4 }];
}

function leftOutRemarks(leftOut: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return Array.from(leftOut, ([reason, names]) => `left out: ${enumerateFew(names.map(printable))} (${reason})`);
}

function remarkLines(remarks: readonly string[]): readonly Line[] {
  return remarks.map((remark) => {
    // A remark with two spaces in front is a command, which must not be broken into lines.
    const isCommand = remark.startsWith("  ");
    return { text: `  ${remark}`, hang: 4, whole: isCommand };
  });
}

/** Explains how to require a variable, if the new contract requires none. */
function requirementLines(
  total: number,
  candidates: readonly NamedCandidate[],
  groups: readonly CandidateGroup[],
): readonly Line[] {
  if (groups.length > 0 || candidates.some(({ required }) => required)) return [];
  return [
    `  ${total === 0 ? "nothing" : "none"} is required yet; to require a variable, write under "variables":`,
    { text: `    ${requirementExample(candidates[0]?.name)}`, whole: true },
  ];
}

function searchedLine(isEscRead: boolean): string {
  const esc = isEscRead ? "ESC, " : "";
  return `  searched: files of other tools, .env.example, ${esc}process.env and os.environ in code, .env`;
}
