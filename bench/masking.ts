/**
 * `npx tsx bench/masking.ts`: measures `--redact` and `scan`, and writes the figures of docs/measurements/masking.md. Each
 * case runs in turns with those that it is compared with.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../test/helpers/build.ts";
import { timeInTurns, type Case, type Timing } from "./measure.ts";
import { publish, table as markdownTable, wrap } from "../scripts/markdown.ts";
import { BARE_ENVIRONMENT, nodeOf, root } from "./surroundings.ts";

buildPackage();

const SECRETS = 100;
const OUTPUT_BYTES = 256 * 1024 * 1024;
const FILES = 1600;
const FILE_BYTES = 128 * 1024;
const DOCUMENT = join(root, "docs/measurements/masking.md");

const random = generator(42);
const rounds = process.argv.includes("--quick") ? { data: 3, start: 10 } : { data: 9, start: 60 };

main(mkdtempSync(join(tmpdir(), "sophia-run-masking-")));

function main(folder: string): void {
  try {
    prepare(folder);
    const tables = [20, 24].map((major) => table(nodeOf(major), folder));
    publish(DOCUMENT, "npx tsx bench/masking.ts", `${head()}\n\n${tables.join("\n\n")}\n\n${readyTable()}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function head(): string {
  const [processor] = cpus();
  return wrap(
    `On ${cpus().length} × ${processor?.model.trim() ?? "an unknown processor"}: each cell has the median and, in brackets, the ` +
      `quartiles of ${rounds.data} runs (rows with MB/s) or of ${rounds.start} starts (the other rows), in turns. There are ` +
      `${SECRETS} secrets of 20 to 60 characters, a log of 256 MB that goes through pipes, and 1,600 files of 128 KB.`,
  );
}

/** Writes a contract with the secrets, their values, a log in which some lines hold one, and a tree of files. */
function prepare(folder: string): void {
  const names = Array.from({ length: SECRETS }, (_, index) => `KEY_${index}`);
  const values = names.map(() => word(20 + Math.floor(random() * 41)));
  const contract = { variables: Object.fromEntries(names.map((name) => [name, {}])) };
  writeFileSync(join(folder, "sophia.contract.json"), JSON.stringify(contract));
  writeFileSync(join(folder, ".env"), names.map((name, index) => `${name}=${values[index] ?? ""}\n`).join(""));
  const lines = Array.from({ length: 20_000 }, (_, index) => {
    const value = index % 1000 === 0 ? (values[(index / 1000) % SECRETS] ?? "") : word(8);
    return `2026-01-01T12:00:00.000Z INFO request ${word(12)} GET /api/v1/users/${index} 200 in 12 ms ${value}\n`;
  });
  const block = Buffer.from(lines.join(""));
  const copies = Math.ceil(OUTPUT_BYTES / block.length);
  writeFileSync(join(folder, "log"), Buffer.concat(Array.from({ length: copies }, () => block)));
  mkdirSync(join(folder, "tree"));
  // No file of the tree holds a secret: only one line in a thousand does.
  const clean = block.subarray(block.indexOf("\n") + 1).subarray(0, FILE_BYTES / 2);
  const content = Buffer.concat([clean.subarray(0, 90_000), clean.subarray(0, FILE_BYTES - 90_000)]);
  for (let file = 0; file < FILES; file++) writeFileSync(join(folder, `tree/${file}.log`), content);
}

function table(node: string, folder: string): string {
  const sophiaRun = `${node} ${join(root, "bin/sophia-run.cjs")}`;
  const one = (name: string, script: string): Case => ({
    name,
    argv: ["/bin/sh", "-c", script],
    env: BARE_ENVIRONMENT,
    cwd: folder,
  });
  const pipes = timeInTurns(
    [
      one("`cat log`, read by `cat`", "cat log | cat >/dev/null"),
      one("`sophia-run --redact -- cat log`, read by `cat`", `${sophiaRun} --redact -- cat log | cat >/dev/null`),
    ],
    rounds.data,
  );
  const trees = timeInTurns(
    [
      one("`cat` of all files", "cat tree/* >/dev/null"),
      one("`sophia-run scan tree`", `${sophiaRun} scan tree || true`),
    ],
    rounds.data,
  );
  const starts = timeInTurns(
    [
      one("`sophia-run --mode spawn -- true`", `exec ${sophiaRun} --mode spawn -- true`),
      one("`sophia-run --redact -- true`", `exec ${sophiaRun} --redact -- true`),
      one("`sophia-run --redact -- echo line`", `exec ${sophiaRun} --redact -- echo line`),
    ],
    rounds.start,
  );
  const sizeOfLog = statSync(join(folder, "log")).size;
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  return markdownTable(
    [`Node.js ${version}`, "ms", "MB/s", "MB of memory"],
    [
      ...pipes.map((timing) => row(timing, sizeOfLog)),
      ...trees.map((timing) => row(timing, FILES * FILE_BYTES)),
      ...starts.map((timing) => row(timing)),
    ],
  );
}

/** Returns the time and memory to prepare the search, each in several processes that do nothing else. */
function readyTable(): string {
  const rows = [
    ["100 keys of 2 kB: PEM, service accounts, kubeconfigs", "keys", 100],
    ["1,000 tokens of 40 characters", "tokens", 1000],
  ] as const;
  const majors = [20, 24] as const;
  const cells = rows.map(([name, kind, count]) => {
    const figures = majors.map((major) => {
      const runs = Array.from({ length: rounds.data }, () => ready(nodeOf(major), kind, count));
      const median = (of: (run: Ready) => number): number =>
        runs.map(of).toSorted((one, other) => one - other)[Math.floor(runs.length / 2)] ?? 0;
      return `${median(({ ms }) => ms).toFixed(0)} ms, ${median(({ megabytes }) => megabytes).toFixed(0)} MB`;
    });
    return [name, ...figures];
  });
  return markdownTable(["ready to mask", ...majors.map((major) => `Node.js ${major}`)], cells);
}

interface Ready {
  readonly ms: number;
  readonly megabytes: number;
}

function ready(node: string, kind: string, count: number): Ready {
  const words = ["--import", "tsx", join(root, "bench/masking-ready.ts"), kind, String(count)];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- masking-ready.ts prints it
  return JSON.parse(execFileSync(node, words, { cwd: root, encoding: "utf8" })) as Ready;
}

function row({ name, wall, resident }: Timing, bytes?: number): readonly string[] {
  const { median, low, high } = wall;
  const rate = bytes === undefined ? "" : (bytes / 1000 / median).toFixed(0);
  const digits = median < 100 ? 1 : 0;
  const ms = `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  return [name, ms, rate, bytes === undefined ? (resident.median / 1024).toFixed(0) : ""];
}

function word(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)] ?? "").join("");
}

/** Returns a linear congruential generator from 0 to 1, so that each run has the same bytes. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
