/**
 * Reads the source `code` of a new contract: the variables that the project's code reads, and whether the code works
 * without them. parts/code/ finds the single reads in each language; this file joins the reads of all files. `init` uses
 * it.
 */
import type { FormatEntry } from "../../contract/generated/document.ts";
import { count } from "../../core/text.ts";
import { type LocatedRead, visitCode } from "../parts/code/code-files.ts";
import { findDotenvLoads, type DotenvLoad } from "./dotenv-loads.ts";
import type { CodePlace } from "../parts/code/code-place.ts";
import type { Candidate, SourceResult } from "./variable-candidates.ts";

/** The paths of files that are not part of the program: tests, their data, and documentation of components. */
const TEST_FILE =
  /(?:^|\/)(?:tests?|__tests__|__mocks__|specs?|e2e|cypress|playwright|fixtures|benchmarks?)\/|[._-](?:test|spec|e2e|stories|bench)\.\w+$|(?:^|\/)(?:test_[^/]*|conftest)\.py$/;
/** The settings of build tools. These leave out values that are not set, so that a read without a test requires nothing. */
const TOOL_SETTINGS = /\.config\.[cm]?[jt]s$|(?:^|\/)(?:webpack|gulpfile|gruntfile)[^/]*\.[cm]?[jt]s$/i;

/** The facts about one variable in the files that have been visited so far. */
interface CodeVariable {
  /** True if the code fails without the variable. */
  isRequired: boolean;
  /** The first place that reads the variable without a fallback, and without a test whether it is set. */
  untestedPlace: CodePlace | undefined;
  /** True if another place has a fallback, or tests whether the variable is set. */
  isTested: boolean;
  /** True if a schema in the code, such as one of zod, says that the variable may be missing. */
  isOptional: boolean;
  /** The format in a schema of the code. */
  format: FormatEntry | undefined;
  /** The first place that reads the variable in any way. */
  readonly firstPlace: CodePlace;
  readonly aliases: Set<string>;
}

/** Finds the variables that the code below a folder reads, and the calls by which it loads `.env` files by itself. */
export async function findCandidatesInCode(root: string): Promise<SourceResult> {
  const variables = new Map<string, CodeVariable>();
  const loads: DotenvLoad[] = [];
  const { codeFileCount, isLimitReached } = await visitCode(root, {
    onCodeFile: ({ path, text, reads }) => {
      loads.push(...findDotenvLoads(path, text));
      for (const read of reads) {
        const variable = variables.get(read.name) ?? createVariable({ file: path, line: read.line });
        variables.set(read.name, variable);
        addRead(variable, read, path);
      }
    },
  });
  return {
    candidates: Array.from(variables, ([name, variable]) => toCandidate(name, variable)).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    source: `the code (${count(codeFileCount, "file")}${isLimitReached ? "; further files were not read" : ""})`,
    loads,
  };
}

/** Adds what one read of a variable shows to the facts about the variable. */
function addRead(
  variable: CodeVariable,
  { isRequired, line, isUntested, isOptional = false, format, aliases = [] }: LocatedRead,
  path: string,
): void {
  for (const alias of aliases) variable.aliases.add(alias);
  // The contract declares the variables of tests, but tests do not decide what the program requires.
  if (TEST_FILE.test(path)) return;
  variable.isRequired ||= isRequired;
  variable.isOptional ||= isOptional;
  variable.format ??= format;
  if (isUntested === true && !TOOL_SETTINGS.test(path)) variable.untestedPlace ??= { file: path, line };
  else variable.isTested = true;
}

function createVariable(firstPlace: CodePlace): CodeVariable {
  return {
    isRequired: false,
    untestedPlace: undefined,
    isTested: false,
    isOptional: false,
    format: undefined,
    firstPlace,
    aliases: new Set(),
  };
}

function toCandidate(
  name: string,
  { isRequired, untestedPlace, isTested, isOptional, format, firstPlace, aliases }: CodeVariable,
): Candidate {
  return {
    name,
    required: isRequired,
    isOptional: isOptional && !isRequired ? true : undefined,
    isUntested: !isRequired && !isTested && untestedPlace !== undefined ? true : undefined,
    format,
    aliases: aliases.size === 0 ? undefined : [...aliases],
    readAt: untestedPlace ?? firstPlace,
  };
}
