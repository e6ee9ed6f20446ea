// Gives random bytes to the executable: `node scripts/platforms/runtime-fuzz.mjs [--subject NAME]... [--runs N | --seconds N]
// [--seed N] [--node PATH]`. Each input is a file of runtime/test/fuzz/corpus, first as it is and then changed. The scripts of
// runtime/test/fuzz run in the runtime under AddressSanitizer and UndefinedBehaviorSanitizer, and in Node.js where both must have the
// same results. The executable that ships, the one that checks its memory and the one without image get the same inputs, and must
// say and do the same. Prints the seed, and the executions of each case; ends with `N passed, N failed`.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { buildRuntime } from "../../runtime/build/runtime.mjs";
import { ANSWER, serveHostileTls } from "../../runtime/test/fuzz/hostile-tls.mjs";
import { inputCases } from "../../runtime/test/fuzz/inputs.mjs";
import { serviceCases } from "../../runtime/test/fuzz/services.mjs";

const root = join(import.meta.dirname, "../..");
const fuzz = join(root, "runtime/test/fuzz");
const LIMIT_MS = 3_600_000;
/** Runs of a case between two looks at the clock. */
const BATCH = 30;
/** The cases of each subject, each with its part of `--runs`: values take microseconds, starts of programs milliseconds. */
const SUBJECTS = {
  "command-line": { "command-line": 1 / 3 },
  dotenv: { dotenv: 1 / 3 },
  contracts: { contracts: 1 / 3 },
  code: { code: 1 / 3 },
  masking: { masking: 1 / 3 },
  http: { "http-answers": 1, "http-requests": 1, broker: 1 / 30 },
  tls: { tls: 1 },
  esc: { esc: 1 / 3 },
  values: { values: 20 },
};
/** The subjects whose scripts run in the runtime's shell, with sanitizers. The others need only the executables. */
const SHELL_SUBJECTS = new Set(["http", "tls", "values"]);

const options = readOptions();
const seed = Number(options.seed);
const programs = {
  "the executable": join(root, `dist-standalone/sophia-run-linux-${process.arch}`),
  "the checking one": join(root, `.cache/runtime/checked-sophia-run-linux-${process.arch}`),
  "the one without image": join(root, `.cache/runtime/imageless-sophia-run-linux-${process.arch}`),
};
const obstacle = findObstacle();
if (obstacle !== undefined) {
  process.stderr.write(`not run: ${obstacle}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "sophia-run-fuzz-"));
const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
const CASES = {
  ...inputCases(programs),
  ...serviceCases(programs),
  "http-answers": (batch) => compareWithNode("http-answers.cjs", batch, join(fuzz, "corpus/http-answers")),
  "http-requests": (batch) => compareWithNode("http-requests.cjs", batch, join(fuzz, "corpus/http-requests")),
  values: (batch) => compareWithNode("values.cjs", batch, certificate),
  tls: connectToHostileServer,
};
/** The bundled scripts, by their names: a script runs once for each batch. */
const bundles = new Map();
let shell;
try {
  makeCertificate();
  // It takes minutes when nothing of it is in the cache.
  if (options.subject.some((name) => SHELL_SUBJECTS.has(name))) shell = options.shell ?? (await buildShell());
  process.exitCode = await runSubjects();
} finally {
  rmSync(folder, { recursive: true });
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        subject: { type: "string", multiple: true, default: Object.keys(SUBJECTS) },
        seed: { type: "string", default: process.env.PROPERTY_SEED || "20261128" },
        runs: { type: "string", default: "300" },
        // For each subject, in place of `--runs`.
        seconds: { type: "string" },
        // For a comparison without sanitizers.
        shell: { type: "string" },
        node: { type: "string", default: process.execPath },
      },
    });
    const unknown = values.subject.find((name) => !Object.hasOwn(SUBJECTS, name));
    if (unknown !== undefined) throw new Error(`no subject ${unknown}; there are ${Object.keys(SUBJECTS).join(", ")}`);
    for (const name of ["seed", "runs", "seconds"]) {
      if (values[name] !== undefined && !/^[1-9]\d{0,8}$/.test(values[name])) {
        throw new Error(`--${name} is a whole number from 1, not ${values[name]}`);
      }
    }
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

function findObstacle() {
  const version = execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim();
  if (Number.parseInt(version.slice(1), 10) < 24) {
    return `Node.js ${version} reads some URLs in another way than the runtime: name Node.js 24 or later by --node PATH`;
  }
  const missing = Object.values(programs).find((path) => !existsSync(path));
  if (missing === undefined) return undefined;
  return `no ${missing}\n  npm run build:standalone && node runtime/build/runtime.mjs --checked`;
}

function makeCertificate() {
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2`;
  const files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];
  execFileSync("openssl", [...request.split(" "), ...files], { stdio: "pipe" });
}

function buildShell() {
  return buildRuntime({
    processor: process.arch,
    kind: "shell",
    otherCompiler: join(import.meta.dirname, "sanitized-compiler.sh"),
  });
}

/** Returns the path of a script with all that it imports, in one file. */
async function bundleOf(script) {
  if (!bundles.has(script)) {
    const file = join(folder, script);
    const build = await rolldown({ input: join(fuzz, script), platform: "node" });
    await build.write({ file, format: "cjs" });
    bundles.set(script, file);
  }
  return bundles.get(script);
}

/** Runs the cases of all subjects that the caller wants. Returns the exit code. */
async function runSubjects() {
  process.stdout.write(`seed ${seed}\n`);
  const cases = [];
  for (const subject of options.subject) {
    const parts = Object.entries(SUBJECTS[subject]);
    for (const [name, part] of parts) {
      const start = performance.now();
      const { problem, executions } = await runCase(name, part, parts.length);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const executed = `${executions} executions in ${seconds} s`;
      process.stdout.write(`${problem === undefined ? "ok" : "FAIL"} ${name}: ${executed}\n`);
      if (problem !== undefined) process.stdout.write(`${problem}\n`);
      cases.push({ name, executions, outcome: problem === undefined ? "passed" : "failed" });
    }
  }
  const reports = process.env.TEST_REPORTS || undefined;
  if (reports !== undefined) writeFileSync(join(reports, "runtime-fuzz.json"), JSON.stringify({ cases }));
  const failed = cases.filter(({ outcome }) => outcome === "failed").length;
  if (failed > 0) {
    const length = options.seconds === undefined ? `--runs ${options.runs}` : `--seconds ${options.seconds}`;
    process.stdout.write(`the same again: node scripts/platforms/runtime-fuzz.mjs --seed ${seed} ${length}\n`);
  }
  process.stdout.write(`${cases.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/**
 * Runs a case as long as the options say: in one batch of runs, or in batches until the time is over. Returns the number of runs,
 * and the first problem.
 *
 * @param part of `--runs` @param count of the cases that share the time of a subject
 */
async function runCase(name, part, count) {
  const runs = Math.ceil((options.seconds === undefined ? Number(options.runs) : BATCH) * part);
  const end = performance.now() + (1000 * Number(options.seconds ?? 0)) / count;
  let [executions, successes] = [0, 0];
  try {
    do {
      const result = await CASES[name]({ seed, first: executions, runs });
      executions += result.runs;
      successes += result.successes;
    } while (performance.now() < end);
  } catch (error) {
    return { problem: error.message, executions };
  }
  // Otherwise the changes are too many.
  return { problem: successes === 0 ? "no run was successful" : undefined, executions };
}

/** Runs a script, which has one line for each run. @throws if it does not end as it should */
async function linesOf(program, script, args) {
  const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0:detect_stack_use_after_return=0" };
  const child = spawn(program, [await bundleOf(script), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  const ended = new Promise((resolve) => child.on("close", (status, signal) => resolve(signal ?? status)));
  const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const end = await ended;
  if (end !== 0) throw new Error(`${script} ended by ${end}\n${errors}`);
  return lines.trimEnd().split("\n");
}

/** Compares what a script prints in the runtime and in Node.js. */
async function compareWithNode(script, { seed: firstSeed, first, runs }, input) {
  const args = [String(firstSeed), String(first), String(runs), input];
  const printed = await linesOf(shell, script, args);
  const expected = await linesOf(options.node, script, args);
  const different = expected.flatMap((line, index) =>
    line === printed[index] ? [] : [`  Node.js: ${line.slice(0, 500)}\n  runtime: ${printed[index]?.slice(0, 500)}`],
  );
  if (different.length > 0) throw new Error(`${different.length} differ\n${different.slice(0, 5).join("\n")}`);
  return { runs, successes: runs };
}

async function connectToHostileServer({ seed: firstSeed, first, runs }) {
  const server = await serveHostileTls({ seed: firstSeed, first }, readFileSync(key), readFileSync(certificate));
  try {
    const lines = await linesOf(shell, "tls.cjs", [String(server.port), String(runs), certificate]);
    const results = lines.map((line) => JSON.parse(line));
    const late = results.filter(([failure]) => failure === "too late").length;
    if (late > 0) throw new Error(`${late} connections have no end`);
    if (results.some(([, received]) => !ANSWER.startsWith(received))) throw new Error("a changed byte was received");
    return { runs, successes: results.filter(([, received]) => received === ANSWER).length };
  } finally {
    server.close();
  }
}
