/**
 * The sources from which `init` makes a new contract. Each source has a name, which is a value of `--from`, and a function that
 * reads it. The sources with a file of their own are in tools/, variables-in-esc.ts and variables-in-code.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { CONTRACT_FILE_NAME } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { grouped } from "../../core/grouped.ts";
import { enumerateFew } from "../../core/lines.ts";
import { isOfLine, type Variable } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { EXAMPLE_FILES } from "../docs/env-example.ts";
import { isOurs, sourceOfDocument } from "../docs/mark.ts";
import { type CodePlace, describePlace } from "../parts/code/code-place.ts";
import { exclusionReason } from "../parts/code/exclusions.ts";
import { readWithin } from "../parts/project-files.ts";
import type { DotenvLoad } from "./dotenv-loads.ts";
import { parseExample } from "./example.ts";
import { parseGeneratedFile } from "./generated-example.ts";
import { readToolFiles, TOOL_FILES } from "./tools/tools.ts";
import { formatTest, type Candidate, type SourceResult } from "./variable-candidates.ts";
import { findCandidatesInCode } from "./variables-in-code.ts";
import { readEscVariables } from "./variables-in-esc.ts";

interface Source {
  /** Returns undefined if the source does not exist. */
  readonly read: (settings: Settings, context: Context) => Promise<SourceResult | undefined>;
  /** The message if the user names the source and it does not exist. */
  readonly missing?: string;
}

const BUILT_IN: SourceResult = { candidates: [], base: "builtin", source: "the built-in contract" };

/** The sources by the values of `--from`. Details of a variable come from the first source that has them. */
const SOURCES: Readonly<Record<string, Source>> = {
  builtin: { read: async () => BUILT_IN },
  tools: { read: (_, { project }) => readToolFiles(project), missing: `there is none of ${TOOL_FILES.join(", ")}` },
  example: { read: (_, context) => readExampleFile(context), missing: "there is no .env.example" },
  esc: { read: readEscVariables, missing: "ESC_ENV and ESC_TOKEN are not both set" },
  code: { read: (_, { project }) => findCandidatesInCode(project) },
  dotenv: { read: readDotenvNames, missing: "no .env file sets a variable" },
};

/** The results of all sources that were read. */
interface SourcesResult {
  readonly results: readonly SourceResult[];
  /** Sentences about sources that could not be read, or that have no variable. */
  readonly remarks: readonly string[];
  readonly loads: readonly DotenvLoad[];
  /** False if the project does not use ESC. */
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
): Promise<SourcesResult> {
  const areNamed = namedSources.length > 0;
  const results: SourceResult[] = [];
  const loads: DotenvLoad[] = [];
  let isEscRead = false;
  // It is a set, since two sources read the same .env file and may report the same fault.
  const remarks = new Set<string>();
  for (const [name, { read, missing = "" }] of Object.entries(SOURCES)) {
    // The built-in contract is a source only if the user names it.
    const isWanted = areNamed ? namedSources.includes(name) : name !== "builtin";
    if (!isWanted) continue;
    try {
      const result = await read(settings, context);
      if (areNamed && result === undefined) {
        const hint = "name another source, or leave --from out to use all that there are";
        throw new SophiaError({ code: "init-source", message: `--from ${name}: ${missing}`, hint });
      }
      if (result === undefined) continue;
      isEscRead ||= name === "esc";
      loads.push(...(result.loads ?? []));
      const contributes = result.candidates.length > 0 || result.base !== undefined;
      if (areNamed || contributes) results.push(result);
      else for (const remark of result.remarks ?? []) remarks.add(remark);
    } catch (error) {
      if (areNamed || !(error instanceof SophiaError)) throw error;
      remarks.add(`not read: ${error.message}`);
    }
  }
  return { results, remarks: [...remarks], loads, isEscRead };
}

/** Names of variables in one remark. */
const MAX_NAMES = 10;

/**
 * Reads the names in the `.env` files that a start would read. The values are usually secrets, so none of them gets into the
 * contract: they are only compared with the formats that a name suggests.
 */
async function readDotenvNames(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { layers } = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const variablesByName = grouped(
    layers.flatMap(({ variables }) => variables),
    ({ name }) => name,
  );
  const hasDeclarableName = Array.from(variablesByName.keys()).some((name) => exclusionReason(name) === undefined);
  if (!hasDeclarableName) return undefined;
  const candidates = Array.from(variablesByName, ([name, variables]): Candidate => {
    const values = variables.map(({ value }) => value);
    return {
      name,
      required: false,
      hasValue: values.some((value) => value !== ""),
      admitsFormat: formatTest(name, values),
      setAt: placeOf(variables[0]),
    };
  });
  const emptyVariables = Array.from(variablesByName.values()).flatMap((variables) => {
    const [first] = variables;
    if (first === undefined || exclusionReason(first.name) !== undefined) return [];
    const isEmpty = variables.every(({ value }) => isBlank(value));
    const place = isEmpty ? placeOf(first) : undefined;
    return place === undefined ? [] : [`${first.name} (${describePlace(place)})`];
  });
  const remarks = emptyVariables.length === 0 ? [] : [`empty, so not set: ${enumerateFew(emptyVariables, MAX_NAMES)}`];
  return { candidates, source: ".env (only names)", remarks };
}

function placeOf(variable: Variable | undefined): CodePlace | undefined {
  return variable !== undefined && isOfLine(variable.origin)
    ? { file: variable.origin.file, line: variable.origin.line }
    : undefined;
}

/**
 * Reads `.env.example`, or another file with this purpose. If `sophia-run docs` wrote the file, then its contract is restored, or
 * extended if that contract still exists, together with variables that the user added to the file.
 */
async function readExampleFile({ project }: Context): Promise<SourceResult | undefined> {
  const fileName = [...EXAMPLE_FILES, "SECRETS.md"].find((name) => existsSync(join(project, name)));
  const text = fileName === undefined ? undefined : await readWithin(project, fileName);
  if (fileName === undefined || text === undefined) return undefined;
  const contract = sourceOfDocument(text);
  if (contract?.kind === "built-in") {
    return { ...BUILT_IN, ...parseGeneratedFile(text), source: `the built-in contract, which ${fileName} names` };
  }
  if (contract !== undefined && contract.path !== CONTRACT_FILE_NAME && existsSync(join(project, contract.path))) {
    const source = `${printable(contract.path)}, which ${fileName} names`;
    return { candidates: [], base: contract.path, source };
  }
  // The variables in SECRETS.md are not parsed: only its contract could have been used.
  if (fileName === "SECRETS.md") return undefined;
  const { candidates, ...groups } = isOurs(text) ? parseGeneratedFile(text) : { candidates: parseExample(text) };
  const lines = linesByName(text);
  const locatedCandidates = candidates.map((candidate): Candidate => {
    const line = lines.get(candidate.name);
    return line === undefined ? candidate : { ...candidate, setAt: { file: fileName, line } };
  });
  return { candidates: locatedCandidates, ...groups, source: fileName };
}

/** Returns the first line, from 1, that assigns each variable, even if the assignment is commented out. */
function linesByName(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const name = /^[\s#]{0,20}(?:export\s{1,20})?([A-Za-z_]\w*)\s{0,20}=/.exec(line)?.[1];
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}
