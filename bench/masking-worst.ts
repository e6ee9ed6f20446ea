/**
 * `npx tsx bench/masking-worst.ts [NUMBER]`: searches for the output that takes longest to mask. A program may print
 * anything, and must not wait for sophia-run: 1 MB takes at most a second, in the package and in the executable. The
 * candidates are runs of each byte that may begin an escape, each form of docs/masking.md in one, two and three levels, whole,
 * with a wrong end and cut, and NUMBER random texts of parts of escapes, each repeated. The worst are then run for real.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMasking } from "../src/masking/masking.ts";
import type { CompiledSearch } from "../src/masking/masking-model.ts";
import { MIXTURES } from "../test/masking/mixtures.ts";
import { executable } from "../test/helpers/executables.ts";
import { buildPackage } from "../test/helpers/build.ts";
import { BARE_ENVIRONMENT, root } from "./surroundings.ts";

buildPackage();

const BYTES = 1_000_000;
/** The size of the pipe. */
const CHUNK_BYTES = 262_144;
/** So much of each candidate is timed at first. */
const SAMPLE_BYTES = 8192;
const SHOWN = 12;
const LIMIT_MS = 1000;

const module = { exports: {} };
process.dlopen(module, join(root, `dist/${process.platform}-${process.arch}-masking.node`));
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines it
const search = module.exports as CompiledSearch;

const random = generator(42);
const choose = (limit: number): number => Math.floor(random() * limit);

const KEY = `-----BEGIN PRIVATE KEY-----\n${text(640, "ABCDEFGHabcdefgh01234567+/").replaceAll(/.{64}/g, "$&\n")}-----END PRIVATE KEY-----\n`;
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  "a token": ["sk-proj-0123456789abcdefABCDEF"],
  "a password with special characters": [String.raw`pass'word"with\every<kind>&of $pecial/char+%é€😀`],
  "a key": [KEY],
  "a service account": [JSON.stringify({ type: "service_account", private_key: KEY, id: "client-4711" }, undefined, 2)],
  backslashes: ["\\".repeat(40)],
  quotes: [`it's "a" ""quoted"" 'word'`],
  "one letter": ["a".repeat(400)],
  "all kinds": [
    "\\".repeat(24),
    "%".repeat(24),
    "&".repeat(24),
    "$'\\".repeat(8),
    "+ ".repeat(12),
    "\r\n \n".repeat(8) + "a long line",
    String.raw`pass'word"with\every<kind>&of $pecial/char+%é€😀`,
    "\u0001\u0002\u0003\u0004\u0005\u0006\u0007",
  ],
};
const ESCAPES = Array.from("\\%&$'\"+\r\n");
const PARTS = [
  ...ESCAPES,
  ..."\\\\|%25|%5c|%5C|%27|%0d|%0a|%2|%%|&amp;|&#13;|&#x5c;|&#92;|&#39;|&#|&a|$'|$'\\|\\'|\\\"|\\$|\\u005c|\\u00".split(
    "|",
  ),
  ..."\\u|\\x5c|\\x|\\134|\\U0000005c|\\u{5c}|\\ud83d\\ude00|'\\''|'\"'\"'|\\r|\\n|\\\\n|\\\\u005c|a|0|1|;|{|}|u| ".split(
    "|",
  ),
];

interface Output {
  readonly secrets: string;
  readonly name: string;
  readonly unit: string;
}

const outputs = Object.keys(SECRETS).flatMap((secrets) => [...known(secrets), ...mixed(secrets)]);
main();

function known(secrets: string): readonly Output[] {
  const runs = [...ESCAPES, "a", "\0", "="].map((unit) => ({ secrets, name: `run of ${JSON.stringify(unit)}`, unit }));
  const forms = (SECRETS[secrets] ?? []).flatMap((value) =>
    [...Object.entries(MIXTURES), ["plain", (one: string) => one] as const].flatMap(([name, mixture]) => {
      const whole = mixture(value, choose);
      const wrong = mixture(`${value.slice(0, -1)}~`, choose);
      const all = mixture(value, (limit) => limit - 1);
      return [
        { secrets, name, unit: whole },
        { secrets, name: `${name}, all escaped`, unit: all },
        { secrets, name: `${name}, with a wrong end`, unit: wrong },
        { secrets, name: `${name}, cut`, unit: whole.slice(0, choose(whole.length) + 1) },
      ];
    }),
  );
  return [...runs, ...forms];
}

function mixed(secrets: string): readonly Output[] {
  const values = SECRETS[secrets] ?? [];
  return Array.from({ length: Number(process.argv[2] ?? 20) }, (_, number) => {
    const parts = Array.from({ length: 1 + choose(8) }, () => {
      const value = values[choose(values.length)] ?? "";
      return choose(4) === 0 ? value.slice(0, choose(value.length)) : (PARTS[choose(PARTS.length)] ?? "");
    });
    return { secrets, name: `random ${number}`, unit: parts.join("") };
  }).filter(({ unit }) => unit !== "");
}

function main(): void {
  const timed = outputs.map((output) => ({ output, ms: timeHere(output, SAMPLE_BYTES) }));
  const worst = timed.toSorted((one, other) => other.ms - one.ms).slice(0, SHOWN);
  process.stdout.write(`${outputs.length} outputs; those that take longest, in ms for 1 MB\n`);
  process.stdout.write("search  package  executable  secrets: output\n");
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-worst-"));
  try {
    let isTooSlow = false;
    for (const { output } of worst) {
      const times = [
        timeHere(output, BYTES),
        timeProgram([process.execPath, join(root, "bin/sophia-run.cjs")], output, folder),
        existsSync(executable) ? timeProgram([executable], output, folder) : undefined,
      ];
      isTooSlow ||= times.some((ms) => ms !== undefined && ms > LIMIT_MS);
      const cells = times.map((ms, index) => (ms === undefined ? "-" : ms.toFixed(0)).padStart([6, 7, 10][index] ?? 0));
      const shown = JSON.stringify(output.unit.slice(0, 60));
      process.stdout.write(`${cells.join("  ")}  ${output.secrets}: ${output.name}: ${shown}\n`);
    }
    process.exitCode = isTooSlow ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bytesOf({ unit }: Output, length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(unit));
}

function timeHere(output: Output, length: number): number {
  const masking = createMasking((SECRETS[output.secrets] ?? []).map((value) => ({ name: "SECRET", value })));
  masking.prepare(search);
  const bytes = bytesOf(output, length);
  const masker = masking.stream();
  const before = process.cpuUsage();
  for (let at = 0; at < length; at += CHUNK_BYTES) masker.push(bytes.subarray(at, at + CHUNK_BYTES));
  masker.flush();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Returns the time by which masking makes a program take longer. */
function timeProgram(command: readonly string[], output: Output, folder: string): number {
  const values = SECRETS[output.secrets] ?? [];
  const variables = Object.fromEntries(values.map((_, index) => [`SECRET_${index}`, { secret: true }]));
  writeFileSync(join(folder, "sophia.contract.json"), JSON.stringify({ variables }));
  writeFileSync(join(folder, "output"), bytesOf(output, BYTES));
  const env = { ...BARE_ENVIRONMENT, ...Object.fromEntries(values.map((value, index) => [`SECRET_${index}`, value])) };
  const time = (...words: readonly string[]): number => {
    const [file = "", ...args] = [...command, ...words];
    const before = performance.now();
    const { status } = spawnSync(file, args, { cwd: folder, env, maxBuffer: 1 << 28, timeout: 20_000 });
    if (status !== 0) return Infinity;
    return performance.now() - before;
  };
  return Math.max(0, time("--redact", "--", "cat", "output") - time("--redact", "--", "true"));
}

function text(length: number, letters: string): string {
  return Array.from({ length }, () => letters[choose(letters.length)] ?? "").join("");
}

/** Returns a linear congruential generator from 0 to 1, so that each run has the same bytes. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
