/** The projects of vitest, into which the names of test files divide them. vitest.config.mts and the reporters use this file. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The projects: `npx vitest run --project unit`. The name of a test file ends with its project, as `scan.slow.test.ts` does. A file
 * such as `parse.test.ts`, whose name has no project, belongs to `unit`.
 */
export const PROJECTS = {
  unit: "functions in this process",
  esc: "the client of ESC and its server, in this process",
  process: "a core of the tests that start processes",
  slow: "the other tests that start processes, and searches for counterexamples",
  standalone: "what needs the executable, its runtime or a wheel",
} as const;

export type Project = keyof typeof PROJECTS;

export const NAMES: readonly Project[] = ["unit", "esc", "process", "slow", "standalone"];

/** The projects of `npm test`, which takes two minutes on two cores. */
export const QUICK: readonly Project[] = ["unit", "esc", "process"];

/** The folders with test files, relative to the repository. */
const FOLDERS: readonly string[] = ["test", "runtime/test"];

/** Returns the project of a test file, by its name. @throws Error if there is no such project */
export function projectOf(file: string): Project {
  const ending = /\.([^./]+)\.test\.ts$/.exec(file)?.[1] ?? "unit";
  const project = NAMES.find((name) => name === ending);
  if (project === undefined) {
    throw new Error(`${file} belongs to no project\n  ".${ending}" is none of ${NAMES.join(", ")}`);
  }
  return project;
}

/** Lists all test files, relative to the repository. */
export function testFiles(): readonly string[] {
  const root = join(import.meta.dirname, "../..");
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { encoding: "utf8", recursive: true })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );
}

/** Returns lines that name the projects which are not selected, and the command that runs everything; none if all are selected. */
export function describeLeftOut(selected: readonly string[]): readonly string[] {
  const missing = NAMES.filter((name) => !selected.includes(name));
  if (missing.length === 0) return [];
  const files = testFiles();
  const lines = missing.map((project) => {
    const count = files.filter((file) => projectOf(file) === project).length;
    return `not in this run: ${project}, ${count} of ${files.length} files: ${PROJECTS[project]}`;
  });
  return [...lines, "everything: npm run test:all"];
}
