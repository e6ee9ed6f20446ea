/**
 * Finds declared variables that Turborepo does not pass on to tasks; pure. In its strict mode a task gets only the variables that
 * a list of turbo.json names:
 *
 *     {"globalPassThroughEnv": ["DB_*", "!DB_TEST"], "tasks": {"build": {"env": ["PORT"], "passThroughEnv": ["CI"]}}}
 */
import { getNodeValue } from "jsonc-parser";
import { JsonSyntaxError, membersOf, offsetFinder, parseWithPositions } from "../../../contract/file/positions.ts";
import { matchesGlob } from "../../../resolve/name-globs.ts";
import { createLineNumberFinder } from "../../parts/code/line-numbers.ts";
import { objectOf } from "../../init/package-json.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";

export interface TurboFile {
  readonly file: string;
  readonly text: string;
}

/** Declared variables that a repository's turbo.json does not list. Without names, the file at this place cannot be parsed. */
export interface TurboGap {
  readonly place: CodePlace;
  readonly names: readonly string[];
}

/** One turbo.json: of the whole repository (the root), or of a package that extends the root. */
interface TurboConfiguration {
  readonly isRoot: boolean;
  /** In loose mode (`"envMode": "loose"`) a task gets all variables. */
  readonly isLoose: boolean;
  readonly patterns: readonly string[];
  /** The line of the list in which a missing name belongs. */
  readonly place: CodePlace;
}

/** Finds the declared names that are in no list, neither of a root nor of a package. */
export function findTurboGaps(files: readonly TurboFile[], declaredNames: readonly string[]): readonly TurboGap[] {
  const parsed = files.map((file) => parseTurboFile(file));
  const configurations = parsed.flatMap((result) => ("patterns" in result ? [result] : []));
  const syntaxFaults = parsed.flatMap((result) => ("patterns" in result ? [] : [{ place: result, names: [] }]));
  const patterns = configurations.flatMap((configuration) => configuration.patterns);
  const isPassed = (name: string): boolean => matchesPatterns(name, patterns);
  // If a task gets the token, then sophia-run starts inside of the task, and the task needs no other variable.
  const startsInTask = ["ESC_TOKEN", "ESC_TOKEN_FILE"].some(isPassed);
  const missing = declaredNames.filter((name) => !isPassed(name));
  if (startsInTask || missing.length === 0) return syntaxFaults;
  const strictRoots = configurations.filter(({ isRoot, isLoose }) => isRoot && !isLoose);
  return [...syntaxFaults, ...strictRoots.map(({ place }) => ({ place, names: missing }))];
}

/**
 * Returns true if a pattern matches the name. Patterns with `!` are ignored: a variable that the user excludes is missing on
 * purpose, so that it is not reported.
 */
function matchesPatterns(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesGlob(pattern, name));
}

/** Returns only the place of the first fault for a file that is not JSON with comments. */
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
    const offset = hasGlobalList ? offsetFinder(root)({ path: [GLOBAL_LIST], atKey: true }) : root.offset;
    return {
      isRoot: !stringsIn(content["extends"]).includes("//"),
      isLoose: content["envMode"] === "loose",
      patterns: lists.flatMap(stringsIn),
      place: { file, line: lineOf(offset) },
    };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { file, line: lineOf(error.fault.offset) };
  }
}

const GLOBAL_LIST = "globalPassThroughEnv";

function stringsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
