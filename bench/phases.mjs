// Prints the milliseconds of each phase of a start in exec mode, and those of a Node.js that runs an empty file:
// `npx tsx bench/phases.mjs [ROUNDS]`. Builds the bundle a second time with the calls of src/core/phases.ts, and starts it in
// turns by each Node.js, with stored code and without.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, bundleLoader } from "../scripts/build/bundle.mjs";
import { buildPackage } from "../test/helpers/build.ts";
import { BARE_ENVIRONMENT, CONTRACT_VALUES, nodeOf, root, workingDirectory } from "./surroundings.ts";

buildPackage();

const ROUNDS = Number(process.argv[2] ?? 100);
const PHASES = [
  "Node.js",
  "first statement",
  "addon loaded",
  "bundle loaded",
  "prepared",
  "command line read",
  "options settled",
  "command found",
  "files read",
  "contract checked",
  "execve",
];
const MAJORS = [20, 24];

const folder = mkdtempSync(join(tmpdir(), "sophia-run-phases-"));
try {
  const command = await build();
  const cases = MAJORS.flatMap((major) => {
    const node = nodeOf(major);
    return [
      { name: `${major}, kept code`, node, environment: { XDG_CACHE_HOME: folder } },
      { name: `${major}, no code`, node, environment: { NODE_DISABLE_COMPILE_CACHE: "1" } },
    ];
  });
  const times = new Map(
    cases.map(({ name }) => [name, new Map([...PHASES, "whole", "bare"].map((each) => [each, []]))]),
  );
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const each of cases) {
      const measured = measure(each, command);
      // The first starts store the code.
      if (round >= 0) for (const [phase, time] of measured) times.get(each.name).get(phase).push(time);
    }
  }
  print(cases, times);
} finally {
  rmSync(folder, { recursive: true });
}

/** Builds the package with marks of phases. @returns its command */
async function build() {
  for (const name of ["bin", "dist"]) mkdirSync(join(folder, name));
  for (const name of readdirSync(join(root, "dist"))) {
    if (!name.endsWith(".cjs")) cpSync(join(root, "dist", name), join(folder, "dist", name));
  }
  const marks = { SOPHIA_RUN_PHASES: "true" };
  const chunks = await bundle({ SOPHIA_RUN_FOLDER: "__dirname", SOPHIA_RUN_STANDALONE: "false", ...marks });
  for (const { fileName, code } of chunks) writeFileSync(join(folder, "dist", fileName), code);
  const command = join(folder, "bin/sophia-run.cjs");
  writeFileSync(command, await bundleLoader(chunks.find(({ isEntry }) => isEntry).fileName, marks));
  writeFileSync(join(folder, "empty.cjs"), "");
  workingDirectory(folder);
  return command;
}

/** Starts the command, and Node.js alone. @returns milliseconds by phase */
function measure({ node, environment }, command) {
  const file = join(folder, "marks.json");
  const env = {
    ...BARE_ENVIRONMENT,
    ...CONTRACT_VALUES,
    SOPHIA_RUN_PHASES: file,
    ...environment,
  };
  const options = { cwd: join(folder, "project"), env, stdio: "ignore", timeout: 20_000, killSignal: "SIGKILL" };
  const beginning = now();
  const { status } = spawnSync(node, [command, "--", "true"], options);
  if (status !== 0) throw new Error(`a start ended with status ${status}`);
  const marks = JSON.parse(readFileSync(file, "utf8"));
  let last = beginning;
  const result = PHASES.map((phase) => {
    const before = last;
    last = marks[phase];
    return [phase, (last - before) / 1e6];
  });
  const empty = now();
  spawnSync(node, [join(folder, "empty.cjs")], options);
  const bare = (now() - empty) / 1e6;
  return [...result, ["whole", (last - beginning) / 1e6], ["bare", bare]];
}

/** Returns nanoseconds of the clock that all processes share. */
function now() {
  return Number(process.hrtime.bigint());
}

function print(cases, times) {
  const row = (name, cells) =>
    process.stdout.write(`${name.padEnd(18)}${cells.map((cell) => cell.padStart(15)).join("")}\n`);
  const names = cases.map(({ name }) => name);
  row("", names);
  for (const phase of [...PHASES, "whole", "bare"]) {
    row(
      phase,
      names.map((name) => typical(times.get(name).get(phase)).toFixed(2)),
    );
  }
}

/** Returns the tenth percentile: other work of the machine only adds time. */
function typical(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 10)];
}
