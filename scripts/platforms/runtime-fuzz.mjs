// Gives random bytes to the executable: `node scripts/platforms/runtime-fuzz.mjs [--seed N] [--runs N] [--node PATH]`.
// Each script of runtime/test/fuzz runs in the runtime under AddressSanitizer and UndefinedBehaviorSanitizer, and in Node.js where
// both must have the same results. Then the executable that ships, the one that checks its memory and the one without image get the
// same changed files, command lines, answers and requests (runtime/test/fuzz/executables.mjs). Prints the seed; ends with
// `N passed, N failed`.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { buildRuntime } from "../../runtime/build/runtime.mjs";
import { executableCases } from "../../runtime/test/fuzz/executables.mjs";
import { ANSWER, serveHostileTls } from "../../runtime/test/fuzz/hostile-tls.mjs";

const root = join(import.meta.dirname, "../..");
const LIMIT_MS = 3_600_000;
const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: process.env.PROPERTY_SEED || "20261128" },
    runs: { type: "string", default: "300" },
    // For a comparison without sanitizers.
    shell: { type: "string" },
    node: { type: "string", default: process.execPath },
  },
});
const version = execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim();
if (Number.parseInt(version.slice(1), 10) < 24) {
  process.stderr.write(
    `Node.js ${version} reads some URLs in another way than the runtime: name Node.js 24 or later by --node PATH\n`,
  );
  process.exit(2);
}
const seed = Number(options.seed);
const runs = Number(options.runs);
process.stdout.write(`seed ${seed}, ${runs} runs\n`);

const programs = {
  "the executable": join(root, `dist-standalone/sophia-run-linux-${process.arch}`),
  "the checking one": join(root, `.cache/runtime/checked-sophia-run-linux-${process.arch}`),
  "the one without image": join(root, `.cache/runtime/imageless-sophia-run-linux-${process.arch}`),
};
const missing = Object.values(programs).find((path) => !existsSync(path));
if (missing !== undefined) {
  process.stderr.write(`no ${missing}: npm run build:standalone, then node runtime/build/runtime.mjs --checked\n`);
  process.exit(2);
}

const shell =
  options.shell ?? (await buildRuntime(process.arch, "shell", join(import.meta.dirname, "sanitized-compiler.sh")));
const folder = mkdtempSync(join(tmpdir(), "sophia-run-fuzz-"));
const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2`;
const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];

/** Runs a script, which has one line for each run. @throws if it does not end as it should */
async function linesOf(program, script, args) {
  const output = join(folder, "script.cjs");
  const build = await rolldown({ input: join(root, "runtime/test/fuzz", script), platform: "node" });
  await build.write({ file: output, format: "cjs" });
  const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0:detect_stack_use_after_return=0" };
  const child = spawn(program, [output, ...args], { env, stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT_MS });
  const ended = new Promise((resolve) => child.on("close", (status, signal) => resolve(signal ?? status)));
  const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const end = await ended;
  if (end !== 0) throw new Error(`${script} ended by ${end}\n${errors}`);
  return lines.trimEnd().split("\n");
}

async function sameAsNode(script, args) {
  const found = await linesOf(shell, script, args);
  const expected = await linesOf(options.node, script, args);
  const different = expected.flatMap((line, index) =>
    line === found[index] ? [] : [`  Node.js: ${line.slice(0, 500)}\n  runtime: ${found[index]?.slice(0, 500)}`],
  );
  if (different.length > 0) throw new Error(`${different.length} differ\n${different.slice(0, 5).join("\n")}`);
}

async function tls() {
  const server = await serveHostileTls(seed, readFileSync(key), readFileSync(certificate));
  try {
    const lines = await linesOf(shell, "tls.cjs", [String(server.port), String(runs), certificate]);
    const results = lines.map((line) => JSON.parse(line));
    const late = results.filter(([failure]) => failure === "too late").length;
    if (late > 0) throw new Error(`${late} connections have no end`);
    if (results.some(([, received]) => !ANSWER.startsWith(received))) throw new Error("a changed byte was received");
    if (!results.some(([, received]) => received === ANSWER)) throw new Error("no connection has worked");
    const codes = results.map(([failure]) => failure);
    process.stdout.write(
      `  codes: ${Array.from(new Set(codes))
        .toSorted((one, other) => one.localeCompare(other))
        .join(" ")}\n`,
    );
  } finally {
    server.close();
  }
}

const CASES = {
  values: () => sameAsNode("values.cjs", [String(seed), String(runs * 20), certificate]),
  http: () => sameAsNode("http.cjs", [String(seed), String(runs)]),
  requests: () => sameAsNode("requests.cjs", [String(seed), String(runs)]),
  tls,
  ...executableCases(programs, seed, Math.ceil(runs / 3)),
};

try {
  execFileSync("openssl", [...request.split(" "), ...names], { stdio: "pipe" });
  const cases = [];
  for (const [name, run] of Object.entries(CASES)) {
    const start = performance.now();
    const problem = await run().then(
      () => undefined,
      (error) => error,
    );
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(`${problem === undefined ? "ok" : "FAIL"} ${name} (${seconds} s)\n`);
    if (problem !== undefined) process.stdout.write(`${problem.message}\n`);
    cases.push({ name, outcome: problem === undefined ? "passed" : "failed" });
  }
  const reports = process.env.TEST_REPORTS || undefined;
  if (reports !== undefined) writeFileSync(join(reports, "runtime-fuzz.json"), JSON.stringify({ cases }));
  const failed = cases.filter(({ outcome }) => outcome === "failed").length;
  if (failed > 0) {
    process.stdout.write(`the same again: node scripts/platforms/runtime-fuzz.mjs --seed ${seed} --runs ${runs}\n`);
  }
  process.stdout.write(`${cases.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
