/**
 * Creates `sophia.contract.json`, the contract of a project, for `sophia-run init`. The contract declares the variables
 * that the program reads. They come from sources such as `.env.example` and the code, which contract-sources.ts reads. This
 * file asks the user about what the sources leave open, writes the contract, and reports what is in it.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { locateContract } from "../../contract/find-contract.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { requirementExample } from "../../contract/remedies.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { writeTextFile } from "../parts/project-files.ts";
import { describeCodePlace } from "../parts/code/code-place.ts";
import { createContractText } from "./contract-draft.ts";
import { readSources } from "./contract-sources.ts";
import { describeLoads } from "./dotenv-loads.ts";
import { chooseSchema, createSchema, SCHEMA_FILE, updateSchema } from "./editor-schema.ts";
import { type Misspelling, describeMisspellings, separateMisspellings } from "./misspelled-names.ts";
import { askRequired } from "./init-questions.ts";
import { mergeCandidates, type CandidateGroup, type NamedCandidate, type SourceResult } from "./variable-candidates.ts";
import { allowWrittenEnvironments, askEnvironment, enforcementLines, environmentLines } from "./name-environment.ts";
import { targetFile } from "./setup-step.ts";

/** The facts about a project that its new contract and the editor's schema depend on. */
export interface ContractProject {
  /** The name in its package.json or pyproject.toml. */
  readonly name: string | undefined;
  /** The root of the workspace, which has the lock file. */
  readonly root: string;
}

/**
 * Writes `sophia.contract.json` unless it exists.
 *
 * @param namedSources the values of `--from`; if it is empty, every source that the project has is read
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
  const outerContract = outerContractPath(context);
  if (outerContract !== undefined && namedSources.length === 0) {
    printReport(context, [
      `${outerContract} applies to this folder; --from creates a contract here, which may extend it`,
    ]);
    return;
  }
  const sources = await readSources(namedSources, settings, context);
  const selection = await selectVariables(sources.results, context);
  const { content } = selection;
  const schema = chooseSchema(context, root);
  // "wx" fails if another process has created the file since the check above.
  writeTextFile(
    targetFile(CONTRACT_FILE_NAME, context),
    createContractText({ name, ...content }, schema.address),
    "wx",
  );
  if (schema.isMissing) await createSchema(context);
  // The user has just agreed to write the named environments into the contract, so that the next start must not ask again.
  const escLines = selection.shouldNameEnvironments
    ? await allowWrittenEnvironments(selection.environments, context)
    : environmentLines(selection.environments);

  printReport(context, [
    ...createdLines(selection.variableCount, sources.results, schema.isMissing),
    ...outerContractLines(outerContract),
    ...candidateLines(content.candidates),
    ...assumedRequiredLines(selection.assumedRequired),
    ...escLines,
    ...enforcementLines(selection.environments),
    ...remarkLines([
      ...describeMisspellings(selection.misspelled),
      ...sources.remarks,
      ...sources.results.flatMap((result) => result.remarks ?? []),
      ...leftOutRemarks(selection.leftOut),
    ]),
    ...describeLoads(sources.loads),
    ...requirementLines(selection),
    ...(isEmpty(selection) && namedSources.length === 0 ? [searchedLine(sources.isEscRead)] : []),
  ]);
}

/** The content of the new contract, and the facts that the report about it needs. */
interface ContractSelection {
  /** The members of the new contract. */
  readonly content: {
    /** The contract that the new one extends, such as `builtin`; undefined if it extends none. */
    readonly extendedContract: string | undefined;
    /** The ESC environments that the contract names; empty if it names none. */
    readonly environments: readonly string[];
    readonly candidates: readonly NamedCandidate[];
    readonly groups: readonly CandidateGroup[];
  };
  /** The number of variables that the contract declares, with those of the contract that it extends. */
  readonly variableCount: number;
  /** The variables that have become required although the user was not asked. */
  readonly assumedRequired: readonly NamedCandidate[];
  readonly misspelled: readonly Misspelling[];
  /** The names that the contract does not declare, by the reason why it does not. */
  readonly leftOut: ReadonlyMap<string, readonly string[]>;
  /** The ESC environments whose variables were read, whether or not the contract names them. */
  readonly environments: readonly string[];
  /** True if the user has agreed that the contract names these environments. */
  readonly shouldNameEnvironments: boolean;
}

/**
 * Joins the variables of all sources, and asks the user which are required and whether the contract names ESC environments.
 */
async function selectVariables(results: readonly SourceResult[], context: Context): Promise<ContractSelection> {
  const extendedContract = results.find((result) => result.extendedContract !== undefined)?.extendedContract;
  const inheritedNames = extendedContract === "builtin" ? await loadBuiltInNames() : new Set<string>();
  const { candidates: merged, leftOut } = mergeCandidates(results);
  const { plausible, misspelled } = separateMisspellings(merged.filter(({ name }) => !inheritedNames.has(name)));
  const { candidates, assumedRequired } = await askRequired(plausible, context);
  const environments = results.flatMap((result) => result.environments ?? []);
  const shouldNameEnvironments = await askEnvironment(environments, context);
  // A contract that is extended has its own groups.
  const groups = extendedContract === undefined ? results.flatMap((result) => result.groups ?? []) : [];
  return {
    content: { extendedContract, environments: shouldNameEnvironments ? environments : [], candidates, groups },
    variableCount: candidates.length + inheritedNames.size,
    assumedRequired,
    misspelled,
    leftOut,
    environments,
    shouldNameEnvironments,
  };
}

function isEmpty({ content, variableCount }: ContractSelection): boolean {
  return variableCount === 0 && content.extendedContract === undefined;
}

/**
 * Returns the path of the contract in a folder above that applies until the project has its own; undefined if there is
 * none.
 */
function outerContractPath({ project }: Context): string | undefined {
  // Without a file that an option names, the nearest contract in the folder or above it is found.
  const path = locateContract(undefined, project)?.path;
  if (path === undefined || dirname(path) === project) return undefined;
  return printable(relative(project, path).replaceAll(sep, "/"));
}

async function loadBuiltInNames(): Promise<ReadonlySet<string>> {
  // The import is dynamic so that the bundler splits the module off, and a plain start does not load it.
  const { BUILT_IN } = await import("../../contract/generated/built-in.ts");
  return new Set(BUILT_IN.variables.keys());
}

/** Reports which files are created, and from which sources the variables come. */
function createdLines(
  variableCount: number,
  results: readonly SourceResult[],
  isSchemaCreated: boolean,
): readonly Line[] {
  const sources = enumerate(results.map(({ source }) => source));
  const content = variableCount === 0 ? "no variables yet" : `${count(variableCount, "variable")} from ${sources}`;
  return [
    { text: `created ${CONTRACT_FILE_NAME}: ${content}`, hangingIndent: 2 },
    ...(isSchemaCreated ? [`created ${SCHEMA_FILE}, for editors`] : []),
  ];
}

/** Warns that the new contract replaces the one in a folder above, and shows the member that keeps its rules. */
function outerContractLines(outerContract: string | undefined): readonly string[] {
  if (outerContract === undefined) return [];
  return [`  ${outerContract} no longer applies to this folder; to keep its rules: "extends": "${outerContract}"`];
}

/** The limit on the variables that the report lists; the others are counted. */
const MAX_CANDIDATE_LINES = 100;
/** Longer names push the columns of their line to the right, so that one long name does not widen all lines. */
const MAX_NAME_COLUMNS = 40;

/** Lists the variables in columns: name, `required` or `optional`, and the sources that have the variable. */
function candidateLines(candidates: readonly NamedCandidate[]): readonly Line[] {
  const longestName = Math.max(0, ...candidates.map(({ name }) => name.length));
  const nameColumns = Math.min(MAX_NAME_COLUMNS, longestName);
  const unlistedCount = candidates.length - MAX_CANDIDATE_LINES;
  return [
    ...candidates.slice(0, MAX_CANDIDATE_LINES).map(({ name, required, sources }): Line => {
      const firstColumns = `  ${name.padEnd(nameColumns)}  ${required ? "required" : "optional"}  `;
      return { text: `${firstColumns}${sources.join(", ")}`, hangingIndent: firstColumns.length };
    }),
    ...(unlistedCount > 0 ? [`  and ${count(unlistedCount, "variable")} more`] : []),
  ];
}

/** The limit on names in one sentence; further names are counted. */
const MAX_NAMES = 10;

/** Explains why variables were made required although the user was not asked, and how to change that. */
function assumedRequiredLines(assumedRequired: readonly NamedCandidate[]): readonly Line[] {
  const [first, ...others] = assumedRequired;
  if (first === undefined) return [];
  const place = first.readAt === undefined ? "" : ` (${describeCodePlace(first.readAt)})`;
  const [pronoun, possessive] = others.length === 0 ? ["it", "its"] : ["them", "their"];
  const allNames = assumedRequired.map(({ name }) => name);
  const names = enumerateFew(allNames, MAX_NAMES);
  const sentence = `${names}: required, since the code reads ${pronoun} without a fallback${place}; to make one optional, remove ${possessive} "required": true`;
  return [{ text: `  ${sentence}`, hangingIndent: 4 }];
}

/** Lists the names that the contract does not declare, one sentence for each reason. */
function leftOutRemarks(leftOut: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return Array.from(leftOut, ([reason, names]) => `left out: ${enumerateFew(names.map(printable))} (${reason})`);
}

function remarkLines(remarks: readonly string[]): readonly Line[] {
  return remarks.map((remark) => {
    // By the convention of `SourceResult.remarks`.
    const isCommand = remark.startsWith("  ");
    return { text: `  ${remark}`, hangingIndent: 4, neverWraps: isCommand };
  });
}

/**
 * Explains how to require a variable, if the new contract requires none. A contract that is extended has its own
 * requirements.
 */
function requirementLines({ content, variableCount }: ContractSelection): readonly Line[] {
  const { extendedContract, candidates, groups } = content;
  if (extendedContract !== undefined || groups.length > 0 || candidates.some(({ required }) => required)) return [];
  // "none" are the listed variables; without any, "nothing" is right.
  const subject = variableCount === 0 ? "nothing" : "none";
  return [
    `  ${subject} is required yet; to require a variable, write under "variables":`,
    { text: `    ${requirementExample(candidates[0]?.name)}`, neverWraps: true },
  ];
}

/** Lists where variables were searched for, for a user who expected some. */
function searchedLine(isEscRead: boolean): string {
  const esc = isEscRead ? "ESC, " : "";
  return `  searched: files of other tools, .env.example, ${esc}process.env and os.environ in code, .env`;
}
