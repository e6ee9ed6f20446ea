import type { FormatEntry } from "../../contract/generated/document.ts";
import { count } from "../../core/text.ts";
import { visitCode } from "../parts/code/code-files.ts";
import { dotenvLoads, type DotenvLoad } from "./dotenv-loads.ts";
import type { CodePlace } from "../parts/code/code-place.ts";
import type { Candidate, SourceResult } from "./variable-candidates.ts";

/** Files that the program does not need: those of tests, and of documents of components. */
const OF_TESTS =
  /(?:^|\/)(?:tests?|__tests__|__mocks__|specs?|e2e|cypress|playwright|fixtures|benchmarks?)\/|[._-](?:test|spec|e2e|stories|bench)\.\w+$|(?:^|\/)(?:test_[^/]*|conftest)\.py$/;
/** Settings of build tools, which leave out what is not set. */
const OF_TOOLS = /\.config\.[cm]?[jt]s$|(?:^|\/)(?:webpack|gulpfile|gruntfile)[^/]*\.[cm]?[jt]s$/i;

interface CodeVariable {
  isRequired: boolean;
  /** A place that reads it without a fallback, and without a test whether it is set. */
  untested: CodePlace | undefined;
  isTested: boolean;
  isOptional: boolean;
  format: FormatEntry | undefined;
  readonly place: CodePlace;
  readonly aliases: Set<string>;
}

/** Finds the variables that the code below a folder reads, and how it loads `.env` files by itself. */
export async function fromCode(root: string): Promise<SourceResult> {
  const variables = new Map<string, CodeVariable>();
  const loads: DotenvLoad[] = [];
  const { files, isCut } = await visitCode(root, {
    file: ({ path, text, reads }) => {
      loads.push(...dotenvLoads(path, text));
      const [isTest, isTool] = [OF_TESTS.test(path), OF_TOOLS.test(path)];
      for (const { name, required, line, isUntested, isOptional = false, format, aliases = [] } of reads) {
        const place = { file: path, line };
        const known = variables.get(name) ?? newVariable(place);
        variables.set(name, known);
        for (const alias of aliases) known.aliases.add(alias);
        // A test, and its data, say nothing of what the program needs.
        if (isTest) continue;
        known.isRequired ||= required;
        known.isOptional ||= isOptional;
        known.format ??= format;
        if (isUntested === true && !isTool) known.untested ??= place;
        else known.isTested = true;
      }
    },
  });
  return {
    candidates: Array.from(variables, ([name, variable]) => toCandidate(name, variable)).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    source: `the code (${count(files, "file")}${isCut ? "; further files were not read" : ""})`,
    loads,
  };
}

function newVariable(place: CodePlace): CodeVariable {
  return {
    isRequired: false,
    untested: undefined,
    isTested: false,
    isOptional: false,
    format: undefined,
    place,
    aliases: new Set(),
  };
}

function toCandidate(
  name: string,
  { isRequired, untested, isTested, isOptional, format, place, aliases }: CodeVariable,
): Candidate {
  return {
    name,
    required: isRequired,
    isOptional: isOptional && !isRequired ? true : undefined,
    isUntested: !isRequired && !isTested && untested !== undefined ? true : undefined,
    format,
    aliases: aliases.size === 0 ? undefined : [...aliases],
    readAt: untested ?? place,
  };
}
