import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The parts of the tests, each a project of vitest: `npx vitest run --project unit`. */
export const PROJECTS = {
  unit: "functions in this process",
  esc: "the client of ESC and its server, in this process",
  process: "a core of the tests that start processes",
  slow: "the others that start processes, and searches for counterexamples",
} as const;

export type Project = keyof typeof PROJECTS;

export const NAMES: readonly Project[] = ["unit", "esc", "process", "slow"];

/** The projects of `npm test`, which answers within 90 seconds on two cores. */
export const QUICK: readonly Project[] = ["unit", "esc", "process"];

/** A folder, or a file: the longest that fits decides. */
const PLACES: Readonly<Record<string, Project>> = {
  "action/": "slow",
  "broker/": "esc",
  "broker/clients/": "slow",
  "broker/leak.test.ts": "slow",
  "broker/mutated.test.ts": "slow",
  "command-line/": "unit",
  "commands/": "slow",
  "contract/": "unit",
  "core/": "unit",
  "esc-server/": "esc",
  "esc/": "esc",
  "helpers/": "unit",
  "launch/": "slow",
  "masking/": "slow",
  "network/": "unit",
  "output/": "unit",
  "python/": "slow",
  "resolve/": "unit",
  "runtime/": "slow",
  "scenarios/": "slow",
  "sources/": "unit",
  "system/": "unit",

  "commands/audit-log/record.test.ts": "process",
  "commands/broker/": "unit",
  "commands/check/broker.test.ts": "process",
  "commands/check/check.test.ts": "process",
  "commands/check/gates.test.ts": "process",
  "commands/docs/broker-addresses.test.ts": "unit",
  "commands/explain/": "process",
  "commands/export/export.test.ts": "process",
  "commands/init/init.test.ts": "process",
  "commands/init/tools/": "process",
  "commands/run/broker/": "process",
  "commands/run/agents.test.ts": "process",
  "commands/run/broker/hostile.test.ts": "slow",
  "commands/run/id-token.test.ts": "process",
  "commands/run/references.test.ts": "process",
  "commands/run/run.test.ts": "process",
  "commands/run/watch/": "unit",
  "commands/run/watch/follow.test.ts": "process",
  "commands/writing/": "process",
  "launch/options.test.ts": "process",
  "launch/proc/": "process",
  "launch/program/": "process",
  "launch/program/argument-size.test.ts": "slow",
  "launch/program/image.test.ts": "slow",
  "launch/redact/job.test.ts": "unit",
  "launch/redact/same.test.ts": "process",
  "launch/redact/source.test.ts": "process",
  "launch/redact/stages.test.ts": "unit",
  "launch/request.test.ts": "process",
  "launch/signals.test.ts": "process",
  "launch/spawn/diagnostics.test.ts": "process",
  "launch/spawn/privacy.test.ts": "process",
  "launch/spawn/without-proc.test.ts": "process",
  "launch/windows/": "process",
  "masking/compiled.test.ts": "unit",
  "masking/forms.test.ts": "unit",
  "masking/stream.test.ts": "unit",
  "output/colour.test.ts": "slow",
  "output/unmet.test.ts": "slow",
  "scenarios/odd-places.test.ts": "process",
  "scenarios/package-documents.test.ts": "process",
  "scenarios/signals.test.ts": "process",
  "scenarios/trust.test.ts": "process",
  "scenarios/waiting.test.ts": "process",
  "scenarios/workspace.test.ts": "process",
  "sources/cached/crash.test.ts": "slow",
  "sources/dotenv/pulumi.test.ts": "slow",
  "system/addon/": "process",
};

/** The table's entries, relative to `test/`, folders with a slash behind them. */
export const ENTRIES: readonly string[] = Object.keys(PLACES);

/**
 * The project of a test file.
 *
 * @param file relative to `test/`
 * @throws Error if no entry of the table fits
 */
export function projectOf(file: string): Project {
  const fitting = ENTRIES.filter((entry) => (entry.endsWith("/") ? file.startsWith(entry) : file === entry));
  const longest = fitting.toSorted((a, b) => b.length - a.length)[0];
  const project = longest === undefined ? undefined : PLACES[longest];
  if (project === undefined) {
    throw new Error(`test/${file} belongs to no project\n  add its folder to the table in test/helpers/projects.mts`);
  }
  return project;
}

/** The test files that there are, relative to `test/`. */
export function testFiles(): readonly string[] {
  const names = readdirSync(join(import.meta.dirname, ".."), { encoding: "utf8", recursive: true });
  return names.map((name) => name.replaceAll("\\", "/")).filter((name) => name.endsWith(".test.ts"));
}

/** The files that take longest, in this order: they start first, so that no worker is left with one at the end. */
export const LONGEST: readonly string[] = [
  "broker/clients/clients.test.ts",
  "scenarios/installs.test.ts",
  "scenarios/recipes.test.ts",
  "scenarios/esc-faults.test.ts",
  "commands/takers.test.ts",
  "commands/init/image.test.ts",
  "broker/clients/rotation.test.ts",
  "python/python.test.ts",
  "scenarios/examples.test.ts",
  "launch/redact/terminal.test.ts",
  "scenarios/demo.test.ts",
  "scenarios/width.test.ts",
  "commands/check/live.test.ts",
  "commands/help.test.ts",
  "scenarios/hostile-files.test.ts",
  "commands/export/formats.test.ts",
  "commands/completion/completion.test.ts",
  "commands/set/set.test.ts",
  "commands/rotate/token.test.ts",
  "commands/rotate/rotate.test.ts",
  "scenarios/leak.test.ts",
  "commands/check/check.test.ts",
  "commands/run/run.test.ts",
  "launch/spawn/secret-files.test.ts",
];

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
