/**
 * Finds declared variables that Turborepo does not pass on to tasks, for `check --code`. In Turborepo's strict mode a task
 * gets only the variables that a list in turbo.json names:
 *
 *     {"globalPassThroughEnv": ["DB_*", "!DB_TEST"], "tasks": {"build": {"env": ["PORT"], "passThroughEnv": ["CI"]}}}
 */
import { getNodeValue } from "jsonc-parser";
import {
  JsonSyntaxError,
  membersOf,
  createOffsetFinder,
  parseWithPositions,
} from "../../../contract/file/positions.ts";
import { matchesGlob } from "../../../resolve/name-globs.ts";
import { createLineNumberFinder } from "../../parts/code/line-numbers.ts";
import { objectOf } from "../../init/package-json.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";

export interface TurboFile {
  /** The path for the user. */
  readonly file: string;
  readonly text: string;
}

/**
 * Declared variables that a repository's turbo.json does not list. If there are no names, the file cannot be parsed at this
 * place.
 */
export interface TurboGap {
  readonly place: CodePlace;
  readonly names: readonly string[];
}

/** The content of one turbo.json. */
interface TurboConfiguration {
  /** True for the turbo.json of the whole repository, false for that of a package, which extends it. */
  readonly isRoot: boolean;
  /** True in loose mode (`"envMode": "loose"`), in which a task gets all variables. */
  readonly isLoose: boolean;
  /** The patterns of all lists, such as `DB_*`. */
  readonly patterns: readonly string[];
  /** The line of the list in which a missing name belongs. */
  readonly place: CodePlace;
}

/** The list of the whole repository in which a missing name belongs. */
const GLOBAL_LIST = "globalPassThroughEnv";

/** Finds the declared names that no list names, neither in the root's turbo.json nor in that of a package. */
export function findTurboGaps(files: readonly TurboFile[], declaredNames: readonly string[]): readonly TurboGap[] {
  const parsed = files.map((file) => parseTurboFile(file));
  const configurations = parsed.flatMap((result) => ("patterns" in result ? [result] : []));
  const syntaxFaults = parsed.flatMap((result) => ("patterns" in result ? [] : [{ place: result, names: [] }]));
  const patterns = configurations.flatMap((configuration) => configuration.patterns);
  const isListed = (name: string): boolean => matchesPatterns(name, patterns);
  // If a task gets the token, then sophia-run starts inside of the task, and the task needs no other variable.
  const startsInTask = ["ESC_TOKEN", "ESC_TOKEN_FILE"].some(isListed);
  const missing = declaredNames.filter((name) => !isListed(name));
  if (startsInTask || missing.length === 0) return syntaxFaults;
  const strictRoots = configurations.filter(({ isRoot, isLoose }) => isRoot && !isLoose);
  return [...syntaxFaults, ...strictRoots.map(({ place }) => ({ place, names: missing }))];
}

/**
 * Returns true if a pattern matches the name. Patterns with `!` are ignored: a variable that the user excludes is missing
 * on purpose, so that it is not reported.
 */
function matchesPatterns(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesGlob(pattern, name));
}

/** Parses a turbo.json. For a text that is not JSON with comments, it returns the place of the first syntax error. */
function parseTurboFile({ file, text }: TurboFile): TurboConfiguration | CodePlace {
  const lineOf = createLineNumberFinder(text);
  try {
    const root = parseWithPositions(text, "jsonc");
    const content = objectOf(getNodeValue(root)) ?? {};
    // Turborepo 1 has `pipeline` in place of `tasks`.
    const tasks = Object.values(objectOf(content["tasks"] ?? content["pipeline"]) ?? {});
    const listsOfTasks = tasks.flatMap((task) => {
      const { env, passThroughEnv } = objectOf(task) ?? {};
      return [env, passThroughEnv];
    });
    const lists = [content["globalEnv"], content[GLOBAL_LIST], ...listsOfTasks];
    const hasGlobalList = membersOf(root).some(({ key }) => key === GLOBAL_LIST);
    const offset = hasGlobalList ? createOffsetFinder(root)({ path: [GLOBAL_LIST], isAtKey: true }) : root.offset;
    return {
      isRoot: !listStrings(content["extends"]).includes("//"),
      isLoose: content["envMode"] === "loose",
      patterns: lists.flatMap(listStrings),
      place: { file, line: lineOf(offset) },
    };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { file, line: lineOf(error.fault.offset) };
  }
}

function listStrings(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
