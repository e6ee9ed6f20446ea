/**
 * `npx tsx bench/commands.ts`: measures the executable for Linux beside Node.js 20 where it has most JavaScript to run: cached
 * ESC, `scan` of many files, `check` and `explain` with many variables, `init` with hostile code. Writes
 * docs/measurements/commands.md. `--quick` takes a quarter of the rounds; `--dry` writes nothing.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { page, table, wrap } from "../scripts/markdown.ts";
import { buildPackage } from "../test/helpers/build.ts";
import { type Case, timeInTurns, type Timing } from "./measure.ts";
import {
  BARE_ENVIRONMENT,
  CONTRACT_VALUES,
  escService,
  nodeOf,
  root,
  standalone,
  workingDirectory,
} from "./surroundings.ts";

buildPackage();

const SECRETS = 100;
const FOLDERS = 400;
const FILES_IN_FOLDER = 50;
const VARIABLES = 5000;
const CODE_BYTES = 1_000_000;
const DOCUMENT = join(root, "docs/measurements/commands.md");

const isQuick = process.argv.includes("--quick");
const rounds = isQuick ? { start: 10, command: 3 } : { start: 60, command: 5 };

async function main(): Promise<void> {
  const executable = standalone();
  if (executable === undefined) throw new Error("there is no executable for this machine: npm run build:standalone");
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-commands-"));
  const esc = await escService();
  try {
    const env = { ...BARE_ENVIRONMENT, HOME: join(folder, "user") };
    mkdirSync(join(env.HOME, ".cache"), { recursive: true });
    const forms = [
      { form: FORMS[0], words: [nodeOf(20), join(root, "bin/sophia-run.cjs")] },
      { form: FORMS[1], words: [executable] },
    ];
    /** Measures cases of both forms in turns, so that each round has all of them. */
    const measure = (cases: readonly Measured[], count: number): readonly Row[] => {
      const all = cases.flatMap(({ name, argv, cwd, removes }) =>
        forms.map(({ form, words }): Case => ({
          name: `${name} ${form}`,
          argv: [
            ...(removes === undefined ? [] : ["/bin/sh", "-c", `rm -f ${removes}; exec "$@"`, "sh"]),
            ...words,
            ...argv,
          ],
          cwd,
          env,
        })),
      );
      const timings = timeInTurns(all, count);
      return cases.map(({ name }, index) => ({ name, node: timings[2 * index], executable: timings[2 * index + 1] }));
    };
    const start = workingDirectory(folder);
    // Each form by itself: starts of Node.js would empty the processor's caches, which a start of 2 ms needs.
    const starts = forms.map(({ form, words }) => {
      const cases: readonly Case[] = [
        { name: "", argv: [...words, "--", "true"], cwd: start, env: { ...env, ...CONTRACT_VALUES } },
        { name: "", argv: [...words, "--cache-fresh", "10h", "--", "true"], cwd: start, env: { ...env, ...esc.env } },
      ];
      return { form, timings: timeInTurns(cases, rounds.start) };
    });
    const tree = treeIn(folder);
    const variables = variablesIn(folder);
    const code = codeIn(folder);
    const commands = measure(
      [
        { name: "`scan`", argv: ["scan"], cwd: tree },
        { name: "`check`", argv: ["check"], cwd: variables },
        { name: "`explain`", argv: ["explain"], cwd: variables },
        { name: "`-- true`, with the same variables", argv: ["--", "true"], cwd: variables },
        {
          name: "`init --from code`, of 1 MB that is hostile",
          argv: ["init", "--from", "code"],
          cwd: code,
          removes: "sophia.*",
        },
      ],
      rounds.command,
    );
    const text = document(starts, commands);
    if (process.argv.includes("--dry")) process.stdout.write(text);
    else writeFileSync(DOCUMENT, text);
  } finally {
    esc.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Measured {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Files that a run writes, and which the next one must not find. */
  readonly removes?: string;
}

interface Starts {
  readonly form: string;
  readonly timings: readonly Timing[];
}

interface Row {
  readonly name: string;
  readonly node: Timing | undefined;
  readonly executable: Timing | undefined;
}

/** Makes a repository with files of 4 kB, and a contract with secrets whose values none of the files holds. */
function treeIn(folder: string): string {
  const path = join(folder, "tree");
  const names = Array.from({ length: SECRETS }, (_, index) => `KEY_${index}`);
  project(path, names, (index) => `${"v".repeat(20)}${index}-${"w".repeat(index % 40)}`);
  const line = "2026-01-01T12:00:00.000Z INFO request GET /api/v1/users/1000 200 in 12 ms\n";
  const content = line.repeat(Math.floor(4096 / line.length));
  for (let outer = 0; outer < FOLDERS; outer++) {
    mkdirSync(join(path, `folder-${outer}`));
    for (let file = 0; file < FILES_IN_FOLDER; file++)
      writeFileSync(join(path, `folder-${outer}/${file}.txt`), content);
  }
  writeFileSync(join(path, ".gitignore"), ".env\n");
  for (const words of [
    ["init", "--quiet"],
    ["add", "--all"],
  ])
    execFileSync("git", words, { cwd: path });
  return path;
}

/** Makes a project whose contract requires many variables, which are in its `.env` file. */
function variablesIn(folder: string): string {
  const path = join(folder, "variables");
  const names = Array.from({ length: VARIABLES }, (_, index) => `VARIABLE_${index}`);
  project(path, names, (index) => `value-${index}-${"x".repeat(20)}`);
  return path;
}

function project(path: string, names: readonly string[], valueOf: (index: number) => string): void {
  mkdirSync(path);
  const contract = { variables: Object.fromEntries(names.map((name) => [name, { required: true }])) };
  writeFileSync(join(path, "sophia.contract.json"), JSON.stringify(contract));
  const lines = names.map((name, index) => `${name}=${valueOf(index)}\n`);
  // sophia-run warns of a world-readable file.
  writeFileSync(join(path, ".env"), lines.join(""), { mode: 0o600 });
}

/** Makes a folder with a file in which each of many expressions reads as far as one may. */
function codeIn(folder: string): string {
  const path = join(folder, "code");
  mkdirSync(path);
  const line = "  field: Field(\n";
  const text = `import pydantic\nclass A(BaseSettings):\n${line.repeat(Math.floor(CODE_BYTES / line.length))}`;
  writeFileSync(join(path, "fields.py"), text);
  return path;
}

function document(starts: readonly Starts[], commands: readonly Row[]): string {
  const [processor] = cpus();
  const about = wrap(
    `On ${cpus().length} × ${processor?.model.trim() ?? "an unknown processor"}: milliseconds of processor time, including that ` +
      "of git. Each cell has the median and, in brackets, the least " +
      `of ${rounds.start} starts and of ${rounds.command} runs of each command, in turns. The ratio is that of the least. ` +
      `\`scan\` searches a repository of ${FOLDERS * FILES_IN_FOLDER} files of 4 kB for ${SECRETS} secrets. The contract of ` +
      `the other commands requires ${VARIABLES} variables, which are in a \`.env\` file. The file of the last row is ` +
      "made to be slow. The executable interprets JavaScript, so it is slower for each file, variable or expression, " +
      "but needs no start of Node.js.",
  );
  const first = table(
    ["", "`-- true`, without ESC", "`--cache-fresh 10h -- true`", "ratio"],
    starts.map(({ form, timings: [plain, fresh] }) => [form, figures(plain), figures(fresh), ratio(fresh, plain)]),
  );
  const rows = table(
    ["", ...FORMS, "ratio"],
    commands.map(({ name, node, executable }) => [name, figures(node), figures(executable), ratio(executable, node)]),
  );
  const content = `${about}\n\n## A start with cached values of ESC\n\n${first}\n\n## Commands\n\n${rows}`;
  return page("Commands in the executable", "npx tsx bench/commands.ts", content);
}

const FORMS = ["Node.js 20", "executable"] as const;

function figures(timing: Timing | undefined): string {
  if (timing === undefined) return "";
  const { median, least } = timing.cpu;
  const digits = median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} (${least.toFixed(digits)})`;
}

function ratio(timing: Timing | undefined, base: Timing | undefined): string {
  return timing === undefined || base === undefined ? "" : `${(timing.cpu.least / base.cpu.least).toFixed(2)}x`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
