import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { placeContract } from "../../contract/find-contract.ts";
import { CONTRACT_FILE_NAME, type ValueFormat } from "../../contract/contract-model.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { formatFault, noWork } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import type { Context } from "../../core/context.ts";
import { requirementExample } from "../../contract/remedies.ts";
import { SophiaError } from "../../core/error.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { grouped } from "../../core/grouped.ts";
import { isOfLine, type Variable } from "../../core/model.ts";
import { printReport } from "../../output/colour.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { EXAMPLE_FILES } from "../docs/env-example.ts";
import { isOurs, sourceOfDocument } from "../docs/mark.ts";
import { readIn, readWithin, writeText } from "../parts/project-files.ts";
import { exclusionOf } from "../parts/code/exclusions.ts";
import { isPortName } from "../parts/code/type-formats.ts";
import { type DotenvLoad, loadLines } from "./dotenv-loads.ts";
import { type CodePlace, placeWords } from "../parts/code/code-place.ts";
import { misspellingLines, withoutMisspellings } from "./misspelled-names.ts";
import { askRequired } from "./init-questions.ts";
import {
  admitsAll,
  isPublicValue,
  mergeCandidates,
  type Candidate,
  type CandidateGroup,
  type NamedCandidate,
  type SourceResult,
} from "./variable-candidates.ts";
import { fromCode } from "./variables-in-code.ts";
import { allowWritten, askEnvironment, enforceRemark, environmentRemark } from "./name-environment.ts";
import { fromEsc } from "./variables-in-esc.ts";
import { fromExample, fromGenerated } from "./example.ts";
import { fromTools, TOOL_FILES } from "./tools/tools.ts";
import { targetFile } from "./setup-step.ts";

interface Source {
  /** Returns undefined if the source does not exist. */
  readonly read: (settings: Settings, context: Context) => Promise<SourceResult | undefined>;
  /** The failure if the user named the source and it does not exist. */
  readonly missing?: string;
}

const BUILT_IN: SourceResult = { candidates: [], base: "builtin", source: "the built-in contract" };

/** The sources of a new contract, by the values of `--from`: details of a variable come from the first that has them. */
const SOURCES: Readonly<Record<string, Source>> = {
  builtin: { read: async () => BUILT_IN },
  tools: { read: (_, { project }) => fromTools(project), missing: `there is none of ${TOOL_FILES.join(", ")}` },
  example: { read: (_, context) => fromDocuments(context), missing: "there is no .env.example" },
  esc: { read: fromEsc, missing: "ESC_ENV and ESC_TOKEN are not both set" },
  code: { read: (_, { project }) => fromCode(project) },
  dotenv: { read: fromDotenv, missing: "no .env file sets a variable" },
};

/** The project of a new contract. */
export interface ContractProject {
  /** The name that its package.json or pyproject.toml has. */
  readonly name: string | undefined;
  /** The folder with the lock file, in which a workspace has its packages. */
  readonly root: string;
}

/**
 * Writes `sophia.contract.json` unless it exists, from the sources in `from`, else from all that the project has.
 *
 * @throws SophiaError (125) if a source that was named cannot be read
 */
export async function createContract(
  from: readonly string[],
  settings: Settings,
  { name, root }: ContractProject,
  context: Context,
): Promise<void> {
  if (existsSync(join(context.project, CONTRACT_FILE_NAME))) {
    printReport(context, [`${CONTRACT_FILE_NAME} exists and is not changed`]);
    await updateSchema(context);
    return;
  }
  const applied = placeContract(undefined, context.project)?.path;
  const outer =
    applied === undefined || dirname(applied) === context.project
      ? undefined
      : printable(relative(context.project, applied).replaceAll(sep, "/"));
  if (outer !== undefined && from.length === 0) {
    printReport(context, [`${outer} applies to this folder; --from creates a contract here, which may extend it`]);
    return;
  }
  const { results, remarks, loads, isEscRead } = await readSources(from, settings, context);
  const base = results.find((result) => result.base !== undefined)?.base;
  // By import(), so that the bundler gives the module a file of its own, which a start loads alone.
  const builtIn =
    base === "builtin" ? (await import("../../contract/generated/built-in.ts")).BUILT_IN.variables : undefined;
  const merged = mergeCandidates(results);
  const added = merged.candidates.filter((candidate) => builtIn?.has(candidate.name) !== true);
  const { kept, misspelt } = withoutMisspellings(added);
  const { candidates, untested } = await askRequired(kept, context);
  const environments = results.flatMap((result) => result.environments ?? []);
  const isNaming = await askEnvironment(environments, context);
  const groups = base === undefined ? results.flatMap((result) => result.groups ?? []) : [];
  const schema = schemaFor(context, root);
  writeText(
    targetFile(CONTRACT_FILE_NAME, context),
    contractText({ name, base, environments: isNaming ? environments : [], candidates, groups }, schema.address),
    "wx",
  );
  if (schema.isMissing === true) writeText(targetFile(SCHEMA_FILE, context), await schemaFileText(), "wx");
  const total = candidates.length + (builtIn?.size ?? 0);
  const sources = enumerate(results.map(({ source }) => source));
  const made = total === 0 ? "no variables yet" : `${count(total, "variable")} from ${sources}`;
  printReport(context, [
    { text: `created ${CONTRACT_FILE_NAME}: ${made}`, hang: 2 },
    ...(schema.isMissing === true ? [`created ${SCHEMA_FILE}, for editors`] : []),
    ...(outer === undefined
      ? []
      : [`  ${outer} no longer applies to this folder; to keep its rules: "extends": "${outer}"`]),
    ...candidateRows(candidates),
    ...untestedLines(untested),
    ...(isNaming ? await allowWritten(environments, context) : environmentRemark(environments)),
    ...enforceRemark(environments),
    ...[
      ...misspellingLines(misspelt),
      ...remarks,
      ...results.flatMap((result) => result.remarks ?? []),
      ...exclusions(merged.leftOut),
    ].map(
      // A command is not broken.
      (remark) => ({ text: `  ${remark}`, hang: 4, whole: remark.startsWith("  ") }),
    ),
    ...loadLines(loads),
    ...requirementLines(total, base, candidates, groups),
    ...(total > 0 || base !== undefined || from.length > 0
      ? []
      : [
          `  searched: files of other tools, .env.example, ${isEscRead ? "ESC, " : ""}process.env and os.environ in code, .env`,
        ]),
  ]);
}

const MOST_ROWS = 100;

/** Lists the variables, each with its sources. */
function candidateRows(candidates: readonly NamedCandidate[]): readonly Line[] {
  const width = Math.min(40, Math.max(0, ...candidates.map(({ name }) => name.length)));
  const left = candidates.length - MOST_ROWS;
  return [
    ...candidates.slice(0, MOST_ROWS).map(({ name, required, sources }): Line => {
      const lead = `  ${name.padEnd(width)}  ${required ? "required" : "optional"}  `;
      return { text: `${lead}${sources.join(", ")}`, hang: lead.length };
    }),
    ...(left > 0 ? [`  and ${count(left, "variable")} more`] : []),
  ];
}

/** Says why variables are required, and how to change that. */
function untestedLines(untested: readonly NamedCandidate[]): readonly Line[] {
  const [first, ...others] = untested;
  if (first === undefined) return [];
  const where = first.readAt === undefined ? "" : ` (${placeWords(first.readAt)})`;
  const [them, their] = others.length === 0 ? ["it", "its"] : ["them", "their"];
  const names = enumerateFew(
    untested.map(({ name }) => name),
    MOST_NAMES,
  );
  const words = `${names}: required, since the code reads ${them} without a fallback${where}; to make one optional, remove ${their} "required": true`;
  return [{ text: `  ${words}`, hang: 4 }];
}

const MOST_NAMES = 10;

function exclusions(leftOut: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return Array.from(leftOut, ([reason, names]) => `left out: ${enumerateFew(names.map(printable))} (${reason})`);
}

/** Says that nothing is required, and how to change that. */
function requirementLines(
  total: number,
  base: string | undefined,
  candidates: readonly NamedCandidate[],
  groups: readonly CandidateGroup[],
): readonly Line[] {
  if (base !== undefined || groups.length > 0 || candidates.some(({ required }) => required)) return [];
  return [
    `  ${total === 0 ? "nothing" : "none"} is required yet; to require a variable, write under "variables":`,
    { text: `    ${requirementExample(candidates[0]?.name)}`, whole: true },
  ];
}

/** Reads the sources that the user named, else all that the project has; remarks name those that cannot be read. */
async function readSources(
  from: readonly string[],
  settings: Settings,
  context: Context,
): Promise<{
  readonly results: readonly SourceResult[];
  readonly remarks: readonly string[];
  readonly loads: readonly DotenvLoad[];
  /** False if the project does not use ESC. */
  readonly isEscRead: boolean;
}> {
  const isNamed = from.length > 0;
  const results: SourceResult[] = [];
  const loads: DotenvLoad[] = [];
  let isEscRead = false;
  // A set, since two sources read the same .env file.
  const remarks = new Set<string>();
  for (const [name, { read, missing = "" }] of Object.entries(SOURCES)) {
    if (isNamed ? !from.includes(name) : name === "builtin") continue;
    try {
      const result = await read(settings, context);
      if (isNamed && result === undefined) {
        const hint = "name another source, or leave --from out to use all that there are";
        throw new SophiaError({ code: "init-source", message: `--from ${name}: ${missing}`, hint });
      }
      if (result === undefined) continue;
      isEscRead ||= name === "esc";
      loads.push(...(result.loads ?? []));
      if (isNamed || result.candidates.length > 0 || result.base !== undefined) results.push(result);
      else for (const remark of result.remarks ?? []) remarks.add(remark);
    } catch (error) {
      if (isNamed || !(error instanceof SophiaError)) throw error;
      remarks.add(`not read: ${error.message}`);
    }
  }
  return { results, remarks: [...remarks], loads, isEscRead };
}

/** Reads the files that a start would read. Their values are usually secrets, so none gets into the contract. */
async function fromDotenv(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { layers } = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const byName = grouped(
    layers.flatMap(({ variables }) => variables),
    ({ name }) => name,
  );
  if (!Array.from(byName.keys()).some((name) => exclusionOf(name) === undefined)) return undefined;
  const candidates = Array.from(byName, ([name, variables]): Candidate => {
    const values = variables.map(({ value }) => value);
    return {
      name,
      required: false,
      isGiven: values.some((value) => value !== ""),
      admits: admitsAll(name, values),
      setAt: placeOf(variables[0]),
    };
  });
  const empty = Array.from(byName.values()).flatMap((variables) => {
    const [first] = variables;
    if (first === undefined || exclusionOf(first.name) !== undefined) return [];
    const place = variables.every(({ value }) => isBlank(value)) ? placeOf(first) : undefined;
    return place === undefined ? [] : [`${first.name} (${placeWords(place)})`];
  });
  const remarks = empty.length === 0 ? [] : [`empty, so not set: ${enumerateFew(empty, MOST_NAMES)}`];
  return { candidates, source: ".env (only names)", remarks };
}

function placeOf(variable: Variable | undefined): CodePlace | undefined {
  return variable !== undefined && isOfLine(variable.origin)
    ? { file: variable.origin.file, line: variable.origin.line }
    : undefined;
}

/** Reads a file that `docs` wrote: its contract is restored or extended, with variables that the user added to the file. */
async function fromDocuments({ project }: Context): Promise<SourceResult | undefined> {
  const name = [...EXAMPLE_FILES, "SECRETS.md"].find((one) => existsSync(join(project, one)));
  const text = name === undefined ? undefined : await readWithin(project, name);
  if (name === undefined || text === undefined) return undefined;
  const source = sourceOfDocument(text);
  if (source?.kind === "built-in") {
    return { ...BUILT_IN, ...fromGenerated(text), source: `the built-in contract, which ${name} names` };
  }
  if (source !== undefined && source.path !== CONTRACT_FILE_NAME && existsSync(join(project, source.path))) {
    return { candidates: [], base: source.path, source: `${printable(source.path)}, which ${name} names` };
  }
  if (name === "SECRETS.md") return undefined;
  const { candidates, ...rest } = isOurs(text) ? fromGenerated(text) : { candidates: fromExample(text) };
  const lines = linesByName(text);
  const placed = candidates.map((one): Candidate => {
    const line = lines.get(one.name);
    return line === undefined ? one : { ...one, setAt: { file: name, line } };
  });
  return { candidates: placed, ...rest, source: name };
}

/** Returns the first line, from 1, that assigns each variable, or has a commented assignment. */
function linesByName(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const name = /^[\s#]{0,20}(?:export\s{1,20})?([A-Za-z_]\w*)\s{0,20}=/.exec(line)?.[1];
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}

const INSTALLED_SCHEMA = "node_modules/sophia-run/schema/sophia.contract.schema.json";
const SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";
/** The schema beside a contract, if the package is not installed below the folder. */
const SCHEMA_FILE = "sophia.contract.schema.json";

/** Returns the schema for editors, which need no network for it: the package's file, else one beside the contract. */
function schemaFor({ project }: Context, root: string): { readonly address: string; readonly isMissing?: boolean } {
  const folder = [project, root].find((one) => existsSync(join(one, INSTALLED_SCHEMA)));
  if (folder !== undefined) {
    return { address: `${relative(project, folder).replaceAll(sep, "/") || "."}/${INSTALLED_SCHEMA}` };
  }
  return { address: `./${SCHEMA_FILE}`, isMissing: !existsSync(join(project, SCHEMA_FILE)) };
}

/** Brings a schema that `init` wrote up to date. */
async function updateSchema(context: Context): Promise<void> {
  const current = await readIn(context.project, SCHEMA_FILE);
  const text = await schemaFileText();
  if (current === undefined || current === text) return;
  writeText(targetFile(SCHEMA_FILE, context), text);
  printReport(context, [`changed ${SCHEMA_FILE}: the format of this version`]);
}

async function schemaFileText(): Promise<string> {
  const { schemaText } = await import("../../contract/generated/schema-text.ts");
  return `${JSON.stringify(JSON.parse(schemaText), undefined, 2)}\n`;
}

interface Draft {
  readonly name?: string | undefined;
  readonly base?: string | undefined;
  readonly environments?: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
}

/** Returns a contract that declares the candidates, or the whole built-in contract if it adds nothing to that. */
export function contractText({ name, base, environments = [], candidates, groups }: Draft, $schema: string): string {
  const isEmpty = base !== undefined && candidates.length === 0;
  if (base === "builtin" && isEmpty && environments.length === 0) return builtInText.replace(SCHEMA, $schema);
  // JSON.stringify leaves out what is undefined, here and in the entries.
  const document = {
    $schema,
    name,
    extends: base,
    environment: environments.length > 1 ? environments : environments[0],
    variables: isEmpty ? undefined : Object.fromEntries(candidates.map((one) => [one.name, entryOf(one)])),
    groups: groups.length === 0 ? undefined : Object.fromEntries(byIdentifier(groups)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function byIdentifier(groups: readonly CandidateGroup[]): ReadonlyMap<string, CandidateGroup> {
  const named = new Map<string, CandidateGroup>();
  for (const group of groups) {
    const words = (group.label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
    const stem = (/^[a-z]/.test(words) ? words : `group-${words}`).slice(0, 56).replace(/-$/, "");
    let id = stem;
    for (let suffix = 2; named.has(id); suffix++) id = `${stem}-${suffix}`;
    named.set(id, group);
  }
  return named;
}

function entryOf({ name, required, label, description, example, secret, docs, aliases, ...one }: Candidate) {
  const { default: fallback, format = fallback === undefined ? formatOf({ name, example, ...one }) : undefined } = one;
  const isPublic = secret === undefined ? example !== undefined && isPublicValue(name, example) : !secret;
  // Ports, booleans, choices and variables with a default are public by definition.
  const type = typeof format === "object" ? format.type : format;
  const isImplied = type === "port" || type === "boolean" || type === "enum" || fallback !== undefined;
  return {
    label,
    description,
    required: required || undefined,
    secret: isPublic && !isImplied ? false : undefined,
    example,
    docs,
    default: fallback,
    format,
    aliases,
  };
}

/**
 * Returns the format that fits the name and the example; without an example the one that the name suggests, unless a value
 * exists that is not of this format, or is not known.
 */
function formatOf({
  name,
  example,
  isGiven = false,
  admits,
}: Pick<Candidate, "name" | "example" | "isGiven" | "admits">): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean =>
    example === undefined
      ? isGiven && admits?.(format) === true
      : formatFault(format, example, name, noWork()) === undefined;
  if (isPortName(name) && (has({ kind: "port" }) || (example === undefined && !isGiven))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
