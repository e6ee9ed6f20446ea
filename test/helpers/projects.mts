import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The parts of the tests, each a project of vitest: `npx vitest run --project unit`. A test file's name ends with its
 * project, as `scan.slow.test.ts` does; without one, as `parse.test.ts`, it is of `unit`.
 */
export const PROJECTS = {
  unit: "functions in this process",
  esc: "the client of ESC and its server, in this process",
  process: "a core of the tests that start processes",
  slow: "the others that start processes, and searches for counterexamples",
  standalone: "what needs the executable, its runtime or a wheel",
} as const;

export type Project = keyof typeof PROJECTS;

export const NAMES: readonly Project[] = ["unit", "esc", "process", "slow", "standalone"];

/** The projects of `npm test`, which answers within 90 seconds on two cores. */
export const QUICK: readonly Project[] = ["unit", "esc", "process"];

/** The folders that have test files, relative to the repository. */
const FOLDERS: readonly string[] = ["test", "runtime/test"];

/**
 * The project of a test file, by its name.
 *
 * @throws Error if there is no such project
 */
export function projectOf(file: string): Project {
  const ending = /\.([^./]+)\.test\.ts$/.exec(file)?.[1] ?? "unit";
  const project = NAMES.find((name) => name === ending);
  if (project === undefined) {
    throw new Error(`${file} belongs to no project\n  ".${ending}" is none of ${NAMES.join(", ")}`);
  }
  return project;
}

/** The test files that there are, relative to the repository. */
export function testFiles(): readonly string[] {
  const root = join(import.meta.dirname, "../..");
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { encoding: "utf8", recursive: true })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );
}

/** Lines that tell which projects are not among the selected ones, and how to run everything. */
export function leftOut(selected: readonly string[]): readonly string[] {
  const missing = NAMES.filter((name) => !selected.includes(name));
  if (missing.length === 0) return [];
  const files = testFiles();
  const lines = missing.map((project) => {
    const count = files.filter((file) => projectOf(file) === project).length;
    return `not in this run: ${project}, ${count} of ${files.length} files: ${PROJECTS[project]}`;
  });
  return [...lines, "everything: npm run test:all"];
}
