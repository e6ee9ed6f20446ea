/**
 * Reads the sources from which `init` takes the variables of a new contract, such as the code and `.env.example`. Each
 * source has a name, which is a value of `--from`, and a function that reads it. The longer functions are in tools/,
 * variables-in-esc.ts and variables-in-code.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { groupBy } from "../../core/group-by.ts";
import { enumerateFew } from "../../core/lines.ts";
import { isLineLocation, type Variable } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { EXAMPLE_FILES } from "../docs/env-example.ts";
import { isWrittenByDocs, sourceOfDocument } from "../docs/mark.ts";
import { type CodePlace, describeCodePlace } from "../parts/code/code-place.ts";
import { findExclusionReason } from "../parts/code/exclusions.ts";
import { readFileWithinRepository } from "../parts/project-files.ts";
import type { DotenvLoad } from "./dotenv-loads.ts";
import { parseExample } from "./example.ts";
import { parseGeneratedFile } from "./generated-example.ts";
import { readToolFiles, TOOL_FILES } from "./tools/tools.ts";
import { createFormatTest, type Candidate, type SourceResult } from "./variable-candidates.ts";
import { findCandidatesInCode } from "./variables-in-code.ts";
import { readEscVariables } from "./variables-in-esc.ts";

interface Source {
  /** Returns undefined if the project does not have the source. */
  readonly read: (settings: Settings, context: Context) => Promise<SourceResult | undefined>;
  /** The message if the user names the source and the project does not have it. */
  readonly missingMessage?: string;
}

const BUILT_IN: SourceResult = { candidates: [], extendedContract: "builtin", source: "the built-in contract" };

/** The sources by the values of `--from`. Details of a variable come from the first source that has them. */
const SOURCES: Readonly<Record<string, Source>> = {
  builtin: { read: async () => BUILT_IN },
  tools: {
    read: (_, { project }) => readToolFiles(project),
    missingMessage: `there is none of ${TOOL_FILES.join(", ")}`,
  },
  example: { read: (_, context) => readExampleFile(context), missingMessage: "there is no .env.example" },
  esc: { read: readEscVariables, missingMessage: "ESC_ENV and ESC_TOKEN are not both set" },
  code: { read: (_, { project }) => findCandidatesInCode(project) },
  dotenv: { read: readDotenvNames, missingMessage: "no .env file sets a variable" },
};

/** The results of all sources that were read. */
interface CollectedSources {
  readonly results: readonly SourceResult[];
  /** Sentences about sources that could not be read, or that have no variable. */
  readonly remarks: readonly string[];
  /** The calls by which the code itself loads `.env` files. */
  readonly loads: readonly DotenvLoad[];
  /** False if ESC was not read, since the project does not use it. */
  readonly isEscRead: boolean;
}

/**
 * Reads the sources that the user named, or all that the project has. If the user named none, a source that cannot be read
 * becomes a remark.
 *
 * @throws SophiaError (125) if a source that the user named does not exist or cannot be read
 */
export async function readSources(
  namedSources: readonly string[],
  settings: Settings,
  context: Context,
): Promise<CollectedSources> {
  const userNamedSources = namedSources.length > 0;
  const results: SourceResult[] = [];
  const loads: DotenvLoad[] = [];
  let isEscRead = false;
  // The remarks are a set, since two sources read the same .env file and may report the same fault.
  const remarks = new Set<string>();
  for (const [name, { read, missingMessage = "" }] of Object.entries(SOURCES)) {
    // The built-in contract is a source only if the user names it.
    const isWanted = userNamedSources ? namedSources.includes(name) : name !== "builtin";
    if (!isWanted) continue;
    try {
      const result = await read(settings, context);
      if (userNamedSources && result === undefined) throw missingSourceError(name, missingMessage);
      if (result === undefined) continue;
      isEscRead ||= name === "esc";
      loads.push(...(result.loads ?? []));
      const contributes = result.candidates.length > 0 || result.extendedContract !== undefined;
      if (userNamedSources || contributes) results.push(result);
      else for (const remark of result.remarks ?? []) remarks.add(remark);
    } catch (error) {
      if (userNamedSources || !(error instanceof SophiaError)) throw error;
      remarks.add(`not read: ${error.message}`);
    }
  }
  return { results, remarks: [...remarks], loads, isEscRead };
}

function missingSourceError(name: string, missingMessage: string): SophiaError {
  const hint = "name another source, or leave --from out to use all that there are";
  return new SophiaError({ code: "init-source", message: `--from ${name}: ${missingMessage}`, hint });
}

/** The limit on names in one remark; the others are counted. */
const MAX_NAMES = 10;

/**
 * Reads the names in the `.env` files that a start would read. The values are usually secrets, so none of them is written
 * into the contract. They only decide whether the variable gets the format that its name suggests.
 */
async function readDotenvNames(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { layers } = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const variablesByName = groupBy(
    layers.flatMap(({ variables }) => variables),
    ({ name }) => name,
  );
  const hasDeclarableName = Array.from(variablesByName.keys()).some((name) => findExclusionReason(name) === undefined);
  if (!hasDeclarableName) return undefined;
  const candidates = Array.from(variablesByName, ([name, variables]) => dotenvCandidate(name, variables));
  const emptyVariables = Array.from(variablesByName.values(), describeEmptyVariable).filter(
    (text) => text !== undefined,
  );
  const remarks = emptyVariables.length === 0 ? [] : [`empty, so not set: ${enumerateFew(emptyVariables, MAX_NAMES)}`];
  return { candidates, source: ".env (only names)", remarks };
}

/** Returns the candidate for a variable that one or several `.env` files set. */
function dotenvCandidate(name: string, variables: readonly Variable[]): Candidate {
  const values = variables.map(({ value }) => value);
  return {
    name,
    required: false,
    hasValue: values.some((value) => value !== ""),
    admitsFormat: createFormatTest(name, values),
    setAt: placeOf(variables[0]),
  };
}

/** Returns `NAME (.env:3)` for a variable that is blank in each file that sets it; otherwise undefined. */
function describeEmptyVariable(variables: readonly Variable[]): string | undefined {
  const [first] = variables;
  if (first === undefined || findExclusionReason(first.name) !== undefined) return undefined;
  const isEmpty = variables.every(({ value }) => isBlank(value));
  const place = isEmpty ? placeOf(first) : undefined;
  return place === undefined ? undefined : `${first.name} (${describeCodePlace(place)})`;
}

function placeOf(variable: Variable | undefined): CodePlace | undefined {
  return variable !== undefined && isLineLocation(variable.origin)
    ? { file: variable.origin.file, line: variable.origin.line }
    : undefined;
}

/**
 * Reads `.env.example`, or another file with this purpose. If `sophia-run docs` wrote the file, it names the contract from
 * which it was written. The new contract extends that one if it still exists; otherwise the variables in the file restore
 * it.
 */
async function readExampleFile({ project }: Context): Promise<SourceResult | undefined> {
  const fileName = [...EXAMPLE_FILES, "SECRETS.md"].find((name) => existsSync(join(project, name)));
  const text = fileName === undefined ? undefined : await readFileWithinRepository(project, fileName);
  if (fileName === undefined || text === undefined) return undefined;
  const contract = sourceOfDocument(text);
  if (contract?.kind === "built-in") {
    return { ...BUILT_IN, ...parseGeneratedFile(text), source: `the built-in contract, which ${fileName} names` };
  }
  if (contract !== undefined && contract.path !== CONTRACT_FILE_NAME && existsSync(join(project, contract.path))) {
    const source = `${printable(contract.path)}, which ${fileName} names`;
    return { candidates: [], extendedContract: contract.path, source };
  }
  // The tables in SECRETS.md are not parsed. The file is of use only if the contract that it names exists.
  if (fileName === "SECRETS.md") return undefined;
  const { candidates, ...groups } = isWrittenByDocs(text)
    ? parseGeneratedFile(text)
    : { candidates: parseExample(text) };
  const lines = linesByName(text);
  const locatedCandidates = candidates.map((candidate): Candidate => {
    const line = lines.get(candidate.name);
    return line === undefined ? candidate : { ...candidate, setAt: { file: fileName, line } };
  });
  return { candidates: locatedCandidates, ...groups, source: fileName };
}

/**
 * Returns for each variable the number, from 1, of the first line that assigns it, even if the assignment is commented out.
 */
function linesByName(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const name = /^[\s#]{0,20}(?:export\s{1,20})?([A-Za-z_]\w*)\s{0,20}=/.exec(line)?.[1];
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}
