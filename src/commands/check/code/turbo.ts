/** The variables that Turborepo passes on to tasks; pure. In its strict mode a task gets only those that turbo.json lists. */
import { getNodeValue } from "jsonc-parser";
import { JsonSyntaxError, membersOf, offsetFinder, parseWithPositions } from "../../../contract/file/positions.ts";
import { matchesGlob } from "../../../resolve/name-globs.ts";
import { lineFinder } from "../../parts/code/line-numbers.ts";
import { objectOf } from "../../init/package-json.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";

export interface TurboFile {
  readonly file: string;
  readonly text: string;
}

/** Declared variables that a repository's turbo.json does not list. Without names the file cannot be read. */
export interface TurboGap {
  readonly place: CodePlace;
  readonly names: readonly string[];
}

interface TurboLists {
  readonly isRoot: boolean;
  readonly isLoose: boolean;
  readonly patterns: readonly string[];
  readonly place: CodePlace;
}

/** Returns the declared names that no list of a root and of its packages has. */
export function turboGaps(files: readonly TurboFile[], declared: readonly string[]): readonly TurboGap[] {
  const read = files.map((file) => listsOf(file));
  const lists = read.flatMap((one) => ("patterns" in one ? [one] : []));
  const faults = read.flatMap((one) => ("patterns" in one ? [] : [{ place: one, names: [] }]));
  const patterns = lists.flatMap((one) => one.patterns);
  const isPassed = (name: string): boolean => passes(name, patterns);
  // Then sophia-run starts inside of a task, and the task needs nothing else.
  const isInside = ["ESC_TOKEN", "ESC_TOKEN_FILE"].some(isPassed);
  const missing = declared.filter((name) => !isPassed(name));
  if (isInside || missing.length === 0) return faults;
  const roots = lists.filter(({ isRoot, isLoose }) => isRoot && !isLoose);
  return [...faults, ...roots.map(({ place }) => ({ place, names: missing }))];
}

/** In a list the last pattern that matches decides; one with `!` excludes. */
function passes(name: string, patterns: readonly string[]): boolean {
  const matching = patterns.filter((pattern) => matchesGlob(pattern.replace(/^!/, ""), name));
  return matching.some((pattern) => !pattern.startsWith("!"));
}

/** Returns the place of the first fault for a file that is not JSON with comments. */
function listsOf({ file, text }: TurboFile): TurboLists | CodePlace {
  const lineOf = lineFinder(text);
  try {
    const root = parseWithPositions(text, "jsonc");
    const {
      extends: base,
      envMode,
      globalEnv,
      globalPassThroughEnv,
      tasks,
      pipeline,
    } = objectOf(getNodeValue(root)) ?? {};
    const ofTasks = Object.values(objectOf(tasks ?? pipeline) ?? {}).flatMap((task) => {
      const { env, passThroughEnv } = objectOf(task) ?? {};
      return [env, passThroughEnv];
    });
    const key = "globalPassThroughEnv";
    const offset = membersOf(root).some((member) => member.key === key)
      ? offsetFinder(root)({ path: [key], atKey: true })
      : root.offset;
    return {
      isRoot: !textsIn(base).includes("//"),
      isLoose: envMode === "loose",
      patterns: [globalEnv, globalPassThroughEnv, ...ofTasks].flatMap(textsIn),
      place: { file, line: lineOf(offset) },
    };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { file, line: lineOf(error.fault.offset) };
  }
}

function textsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}
