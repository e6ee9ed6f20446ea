/** `npm run mutations` in a small repository, which has the scripts of this one: what it says, and what it leaves behind. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { notInstalled, notLinux, notNightly, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

// The runs take minutes of processor time, and the script changes rarely.
skipBecause(notNightly ?? notLinux ?? notInstalled("git", "--version"));

const root = join(import.meta.dirname, "../..");

const FILES: Readonly<Record<string, string>> = {
  "package.json": "{}",
  ".gitignore": "/node_modules\n/.cache\n/dist\n",
  "src/esc/larger.ts": `/** Returns the larger number. */
export function largerOf(first: number, second: number): number {
  return first > second ? first : second;
}
`,
  "test/esc/larger.test.ts": `import { expect, test } from "vitest";
import { largerOf } from "../../src/esc/larger.ts";

test("the larger number is returned", () => {
  expect([largerOf(1, 2), largerOf(2, 1)]).toEqual([2, 2]);
});
`,
  "src/esc/unit.ts": `/** Returns the unit of numbers. */
export function unitOf(): string {
  return "s";
}
`,
  // This test notices no mutant of the file that it reaches.
  "test/esc/unit.test.ts": `import { expect, test } from "vitest";
import { unitOf } from "../../src/esc/unit.ts";

test("the unit is text", () => {
  expect(typeof unitOf()).toBe("string");
});
`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: { strict: true, types: [], noEmit: true, module: "preserve", target: "es2023" },
    include: ["src"],
  }),
  "vitest.config.mts": `import { join } from "node:path";
import { defineConfig } from "vitest/config";

const project = (name: string, include: string) => ({ extends: true as const, test: { name, include: [include] } });
export default defineConfig({
  test: {
    reporters: [["json", { outputFile: join(process.env["TEST_REPORTS"] ?? "", "report.json") }]],
    projects: [
      project("unit", "test/**/{larger,unit}.test.ts"),
      ...["esc", "process", "slow"].map((name) => project(name, \`test/**/*.\${name}.test.ts\`)),
    ],
  },
});
`,
  // Test files are looked for in this folder, too.
  "runtime/test/README.md": "",
  "scripts/build.mjs": `import { build } from "rolldown";
await build({ input: "src/esc/larger.ts", output: { dir: "dist" } });
`,
};

/** A repository with one function, of which one mutant is equivalent, and an empty folder for temporary files. */
function createRepository() {
  const cwd = folder();
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const scripts = [
    "scripts/mutations.mts",
    "scripts/mutations",
    "scripts/platforms/clone.sh",
    "test/helpers/projects.mts",
    "src/core/group-by.ts",
  ];
  for (const name of scripts) cpSync(join(root, name), join(cwd, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"));
  execFileSync("git", ["init", "--quiet"], { cwd });
  execFileSync("git", ["add", "."], { cwd });
  const author = ["-c", "user.name=n", "-c", "user.email=e@example.test", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...author, "commit", "--quiet", "--message", "x"], { cwd });
  const temporary = join(cwd, ".cache/t");
  // npm keeps its cache below HOME.
  const home = join(cwd, ".cache/home");
  for (const path of [temporary, home]) mkdirSync(path, { recursive: true });
  const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}) =>
    startProcess([process.execPath, "--import", "tsx", "scripts/mutations.mts", ...args], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: temporary, ...variables },
    });
  // tsx has a cache of its own there.
  const left = () => readdirSync(temporary).filter((name) => !name.startsWith("tsx-"));
  return { cwd, left, run };
}

/** As {@link createRepository}, with StrykerJS, which is installed into this repository's `.cache` the first time. */
function withStryker() {
  const made = createRepository();
  const installed = join(root, ".cache/mutations/instrumenter");
  mkdirSync(installed, { recursive: true });
  mkdirSync(join(made.cwd, ".cache/mutations"));
  symlinkSync(installed, join(made.cwd, ".cache/mutations/instrumenter"));
  return made;
}

test("each mutant is tested: the survivor is shown as a diff, and nothing is left", { timeout: 600_000 }, async () => {
  const { cwd, left, run } = withStryker();
  const before = execFileSync("git", ["status", "--porcelain"], { cwd, encoding: "utf8" });
  const { status, stdout, stderr } = await run(["--seed", "1", "--report", "report.json"]).finished;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("seed 1, ");
  const by = "by test/esc/larger.test.ts: the larger number is returned";
  expect(stdout.match(new RegExp(`^killed src/esc/larger\\.ts:3 .*${by}$`, "gm"))).toHaveLength(3);
  expect(stdout).toMatch(
    /^survived src\/esc\/larger\.ts:3 .*\n {2}-.* first > second \?.*\n {2}\+.* first >= second \?.*$/m,
  );
  expect(stdout).toMatch(/^survived src\/esc\/unit\.ts:3 \(StringLiteral, 1 test file, /m);
  expect(stdout).toMatch(/^refused src\/esc\/larger\.ts:2 /m);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("3 killed, 0 timeout, 2 survived, 2 refused: 60 % noticed");
  expect(JSON.parse(readFileSync(join(cwd, "report.json"), "utf8"))).toMatchObject({ seed: 1, score: 60 });
  rmSync(join(cwd, "report.json"));
  expect(execFileSync("git", ["status", "--porcelain"], { cwd, encoding: "utf8" })).toBe(before);
  expect(left()).toEqual([]);
});

test("a test that fails without a mutant, too, kills none, and its file is named", { timeout: 600_000 }, async () => {
  const { cwd, run } = withStryker();
  const text = FILES["test/esc/larger.test.ts"]?.replace("[2, 2]", "[2, 3]") ?? "";
  writeFileSync(join(cwd, "test/esc/larger.test.ts"), text);
  const { status, stdout } = await run(["--seed", "1", "--report", "report.json"]).finished;
  expect(status).toBe(0);
  expect(stdout).toContain(
    "left out: test/esc/larger.test.ts does not pass without a mutant: the larger number is returned\n",
  );
  expect(stdout).toMatch(/\n0 killed, 0 timeout, 5 survived, 2 refused: 0 % noticed\n$/);
});

test("a mutant that never ends is a timeout, and the next one is tested", { timeout: 600_000 }, async () => {
  const { cwd, run } = withStryker();
  writeFileSync(
    join(cwd, "src/esc/larger.ts"),
    `export function largerOf(first: number, second: number): number {
  let larger = first;
  while (larger < second) larger++;
  return larger;
}
`,
  );
  const { status, stdout } = await run(["--seed", "1", "--report", "report.json"]).finished;
  expect(status).toBe(0);
  expect(stdout).toMatch(/^timeout src\/esc\/larger\.ts:3 \(UpdateOperator/m);
  expect(stdout).toMatch(/^killed src\/esc\/larger\.ts:3 \(ConditionalExpression/m);
});

test("a mutant in a program that a test starts is turned on there", { timeout: 600_000 }, async () => {
  const { cwd, run } = withStryker();
  rmSync(join(cwd, "test/esc/larger.test.ts"));
  writeFileSync(
    join(cwd, "test/esc/larger.process.test.ts"),
    `import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const built = join(import.meta.dirname, "../../dist/larger.js");
const larger = (first: number, second: number): string => {
  const program = \`import(process.argv[1]).then(({ largerOf }) => console.log(largerOf(\${first}, \${second})))\`;
  // A program under test may have an environment of its own.
  return execFileSync(process.execPath, ["-e", program, built], { env: {}, encoding: "utf8" }).trim();
};

test("the program prints the larger number", () => {
  expect([larger(1, 2), larger(2, 1)]).toEqual(["2", "2"]);
});
`,
  );
  const inProcess = await run(["--seed", "1", "--stages", "1", "--report", "report.json"]).finished;
  expect(inProcess.stdout).toMatch(/\n0 killed, 0 timeout, 5 survived, 2 refused: 0 % noticed\n$/);
  const { status, stdout } = await run(["--seed", "1", "--report", "report.json"]).finished;
  expect(status).toBe(0);
  expect(
    stdout.match(/^killed .* by test\/esc\/larger\.process\.test\.ts: the program prints the larger number$/gm),
  ).toHaveLength(3);
  expect(stdout).toMatch(/\n3 killed, 0 timeout, 2 survived, 2 refused: 60 % noticed\n$/);
});

test(
  "a run that is ended by a signal leaves nothing, and has a report of what it has done",
  { timeout: 600_000 },
  async () => {
    const { cwd, left, run } = withStryker();
    const started = run(["--seed", "1", "--report", "report.json"]);
    await started.waitForStdout(/^(?:killed|survived|refused) /m);
    process.kill(started.pid, "SIGTERM");
    expect((await started.finished).signal).toBe("SIGTERM");
    expect(left()).toEqual([]);
    expect(JSON.parse(readFileSync(join(cwd, "report.json"), "utf8"))).toMatchObject({ seed: 1 });
  },
);

test("without the network nothing runs: one line says so, and nothing is left", { timeout: 300_000 }, async () => {
  const { cwd, left, run } = createRepository();
  const offline = { npm_config_registry: "http://127.0.0.1:1/", npm_config_fetch_retries: "0" };
  const { status, stderr } = await run(["--count", "1"], offline).finished;
  expect(status).toBe(2);
  expect(stderr).toBe("not run: npm cannot install StrykerJS (ECONNREFUSED): it needs the network once\n");
  expect([readdirSync(join(cwd, ".cache/mutations")), left()]).toEqual([[], []]);
});

test("on a disk that is almost full nothing runs, and one line says how much is needed", ({ skip }) => {
  const { cwd } = withStryker();
  const small = 'mkdir small && mount -t tmpfs -o size=9m none small && exec "$@"';
  const prefix = ["--mount", "--user", "--map-root-user", "sh", "-c", small, "sh"];
  const canMount = spawnSync("unshare", [...prefix, "true"], { cwd: folder() }).status === 0;
  skip(!canMount, "needs mount namespaces");
  const command = [process.execPath, "--import", "tsx", "scripts/mutations.mts", "--count", "1"];
  const env = { PATH: process.env["PATH"], HOME: cwd, TMPDIR: join(cwd, "small") };
  const { status, stderr } = spawnSync("unshare", [...prefix, ...command], { cwd, env, encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: `not run: the clone needs 1000 MB of disk in ${join(cwd, "small")}, set TMPDIR to another folder\n`,
  });
});

test.each([
  [["--count", "0"]],
  [["--count", "many"]],
  [["--part", "3/2"]],
  [["--part", "0/2"]],
  [["--stages", "0"]],
  [["--stages", "4"]],
  [["--unknown"]],
])("%j is refused with the usage", async (args) => {
  const { run } = createRepository();
  const { status, stdout, stderr } = await run(args).finished;
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^usage: npm run mutations .*\n$/);
});
