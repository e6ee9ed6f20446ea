import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { memberAt } from "../helpers/json-members.ts";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

skipBecause(notLinux ?? notInstalled("bash", "--version"));

const root = join(import.meta.dirname, "../..");
const LIST = "scripts/checks.mjs";
/** Neither checks the sources: one makes the list, one the configuration of the repository's secrets. */
const OTHER_JOBS: ReadonlySet<string> = new Set(["list", "smoke"]);

async function linesOf(...args: readonly string[]): Promise<readonly string[]> {
  const env = { PATH: process.env["PATH"] ?? "" };
  const { status, stdout } = await startProcess([process.execPath, LIST, ...args], { cwd: root, env }).finished;
  expect(status).toBe(0);
  return stdout.trimEnd().split("\n");
}

/** The first fields of lines. */
function firstOf(lines: readonly string[]): readonly (string | undefined)[] {
  return lines.map((line) => line.split("\t")[0]);
}

/** The files that a glob pattern with `*` and `{one,other}` names. */
function asExpression(pattern: string): RegExp {
  const source = pattern
    .replaceAll(".", "\\.")
    .replaceAll("*", "[^/]*")
    .replaceAll(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(",", "|")})`);
  return new RegExp(`^${source}$`);
}

describe("the list of checks", () => {
  test("has a different name for each check, and .ci/run, checks.yml or weekly.yml runs it", async () => {
    const names = await linesOf();
    expect(names.length).toBeGreaterThan(20);
    for (const line of names) expect(line).toMatch(/^[\w-]+(?=\t)(?:\there)?(?:\thosted)?(?:\tweekly)?$/);
    expect(new Set(firstOf(names)).size).toBe(names.length);
  });

  test("names only npm scripts, files and projects that exist", async () => {
    const lists = await Promise.all(["here", "hosted", "weekly"].map((list) => linesOf(list)));
    const text = lists.flat().join("\n");
    const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const scripts = Array.from(text.matchAll(/npm run ([\w:-]+)/g), ([, name = ""]) => name);
    expect(new Set(scripts).size).toBeGreaterThan(8);
    for (const name of scripts) expect(manifest).toHaveProperty(["scripts", name]);
    const files = Array.from(text.matchAll(/\b(?:scripts|test)\/[\w/.-]+\.(?:sh|m[jt]s|py|ts)/g), ([name]) => name);
    expect(new Set(files).size).toBeGreaterThan(12);
    for (const name of files) expect(readFileSync(join(root, name), "utf8")).not.toBe("");
    // The block of commands that README.md begins with, and nothing else.
    const [readme = ""] =
      /(?<=^## Try it$[^]*?^```sh\n)[^]*?(?=^```$)/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
    const commands = readme.trimEnd().split("\n");
    expect(commands).toEqual(["npm run demo", "npm test"]);
    expect(text).toContain(`scripts/platforms/fresh.sh ${commands.map((command) => `'${command}'`).join(" ")}`);
    for (const suite of ["bookworm", "trixie", "noble"]) {
      for (const node of ["20", "22", "24"]) expect(text).toContain(`scripts/platforms/system.sh ${suite} ${node}`);
    }
  });

  test("runs checks by their names, all of them, and fails if one does", async () => {
    const path = [
      join(folder({ bash: '#!/bin/sh\necho "ran $4"; case $4 in *run\\ lint*) exit 1 ;; esac\n' })),
      process.env["PATH"],
    ];
    chmodSync(join(path[0] ?? "", "bash"), 0o755);
    const env = { PATH: path.join(delimiter) };
    const byName = (...names: readonly string[]) =>
      startProcess([process.execPath, LIST, "run", ...names], { cwd: root, env }).finished;
    const result = await byName("lint", "static");
    expect(result.status).toBe(1);
    expect(result.stdout).toMatch(/^ran npm run lint && .*\nran npx oxfmt --check && .*\nfailed: lint\n$/);
    expect(await byName("static")).toMatchObject({ status: 0 });
    expect(await byName("nothing")).toMatchObject({ status: 1, stderr: expect.stringContaining("usage: ") });
  });

  test("is run by checks.yml in three jobs, which names no missing check", async () => {
    const outputs = Object.fromEntries(
      (await linesOf("hosted", "night")).map((line): [string, string] => [
        line.slice(0, line.indexOf("=")),
        line.slice(line.indexOf("=") + 1),
      ]),
    );
    const names = Object.values(outputs).flatMap((matrix) => {
      const include = memberAt(JSON.parse(matrix), "include");
      return Array.isArray(include) ? include.map((entry: unknown) => memberAt(entry, "name")) : [];
    });
    const expected = firstOf((await linesOf()).filter((line) => line.endsWith("\thosted")));
    expect(new Set(names)).toEqual(new Set(expected));

    const workflow: unknown = parse(readFileSync(join(root, ".github/workflows/checks.yml"), "utf8"));
    const jobs = Object.entries(memberAt(workflow, "jobs") ?? {});
    expect(jobs.map(([name]: readonly [string, unknown]) => name)).toEqual(["list", ...Object.keys(outputs), "smoke"]);
    for (const [name, job] of jobs.filter(([each]) => !OTHER_JOBS.has(each))) {
      expect(memberAt(job, "strategy", "matrix")).toBe(`\${{ fromJSON(needs.list.outputs.${name}) }}`);
      const steps = memberAt(job, "steps");
      const checkSteps = (Array.isArray(steps) ? steps : []).filter(
        (step: unknown) => memberAt(step, "name") === "The check",
      );
      expect(checkSteps.map((step: unknown) => [memberAt(step, "env", "CHECK"), memberAt(step, "run")])).toEqual([
        ["${{ matrix.run }}", expect.stringMatching(/^bash -euo pipefail -c "\$CHECK"$/m)],
      ]);
    }
  });

  test("has the seed of the night for all checks each night, with searches that take too long for each change", async () => {
    const namesOf = async (...when: readonly string[]) =>
      (await linesOf("hosted", ...when)).flatMap((line) =>
        Array.from(line.matchAll(/"name":"([^"]+)"/g), ([, name]) => name),
      );
    const [day, night] = [await namesOf(), await namesOf("night")];
    expect(night.filter((name) => !day.includes(name))).toEqual(["runtime-fuzz"]);
    expect(day.filter((name) => !night.includes(name))).toEqual([]);
    const workflow = readFileSync(join(root, ".github/workflows/checks.yml"), "utf8");
    expect(workflow).toContain(
      'node scripts/checks.mjs hosted $([ "$EVENT" != schedule ] || echo night) >> "$GITHUB_OUTPUT"',
    );
    expect(workflow).toMatch(/^ {2}checks:$[^]*"\$EVENT" = schedule[^]*export PROPERTY_SEED="\$GITHUB_RUN_NUMBER"/m);
    // It runs commands without the variables of its caller.
    expect(readFileSync(join(root, "scripts/platforms/fresh.sh"), "utf8")).toMatch(/^for name in .*\bPROPERTY_SEED\b/m);
  });

  test("is run by weekly.yml, as far as it is weekly.yml's part", async () => {
    const [output = ""] = await linesOf("weekly");
    const include = memberAt(JSON.parse(output.replace(/^checks=/, "")), "include");
    const names = Array.isArray(include) ? include.map((entry: unknown) => memberAt(entry, "name")) : [];
    expect(names).toEqual(firstOf((await linesOf()).filter((line) => line.endsWith("\tweekly"))));
    expect(names.length).toBeGreaterThan(0);
    const workflow: unknown = parse(readFileSync(join(root, ".github/workflows/weekly.yml"), "utf8"));
    expect(memberAt(workflow, "on")).toHaveProperty("schedule");
    const job = memberAt(workflow, "jobs", "checks");
    expect(memberAt(job, "strategy", "matrix")).toBe("${{ fromJSON(needs.list.outputs.checks) }}");
    expect(memberAt(job, "steps")).toContainEqual(expect.objectContaining({ env: { CHECK: "${{ matrix.run }}" } }));
  });

  test("has a check of the executable that runs what slow leaves to it, and skips none of it", async () => {
    const lines = (await linesOf("here")).map((line) => line.split("\t"));
    const excluded = (name: string) =>
      Array.from(
        (lines.find(([each]) => each === name)?.at(-1) ?? "").matchAll(/--exclude (\S+)/g),
        ([, file = ""]) => file,
      );
    const left = excluded("slow").filter((file) => !file.startsWith("test/launch/"));
    expect(left.length).toBeGreaterThan(20);
    const script = readFileSync(join(root, "scripts/platforms/executable.sh"), "utf8");
    const patterns = [
      ...excluded("executable"),
      ...Array.from(script.matchAll(/--exclude '([^']+)'/g), ([, pattern = ""]) => pattern),
    ].map(asExpression);
    expect(patterns.length).toBeGreaterThan(3);
    for (const file of left) {
      expect(file).toMatch(/^test\/(?:access|commands|scenarios)\/.+\.slow\.test\.ts$/);
      expect(patterns.filter((pattern) => pattern.test(file))).toEqual([]);
      const text = readFileSync(join(root, file), "utf8");
      expect(text, file).not.toMatch(/\b(?:notPackage|notPreloadable|noAddon|skip\w*\(isStandalone)\b/);
    }
    expect(script).toMatch(/ test\/commands test\/scenarios /);
  });

  test("is run by .ci/run, as far as it is .ci/run's part, and nothing else is", async () => {
    const expected = firstOf((await linesOf()).filter((line) => line.includes("\there")));
    expect(firstOf(await linesOf("here"))).toEqual(expected);
    const text = readFileSync(join(root, ".ci/run"), "utf8");
    expect(text.match(/^\s*task .*/gm)).toEqual(['  task "$name" "${version/#-/$node}" "$command"']);
    expect(text.match(/npm (?:run|test).*/g)).toEqual(["npm run --silent build"]);
  });
});

const REPORT = (passed: number, failed: number) =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults: [] });

/** Runs a copy of it with a list of its own. Its commands to install are stubs. */
async function runChecks(checks: readonly (readonly [name: string, after: string, command: string])[]) {
  const cwd = folder();
  for (const each of [".ci", "scripts", "bin"]) mkdirSync(join(cwd, each));
  cpSync(join(root, ".ci/run"), join(cwd, ".ci/run"));
  cpSync(join(root, "scripts/count.mjs"), join(cwd, "scripts/count.mjs"));
  const lines = checks.map(([name, after, command]) => [name, after, "-", command].join("\t"));
  writeFileSync(join(cwd, LIST), `for (const line of ${JSON.stringify(lines)}) console.log(line);\n`);
  for (const each of ["npm", "apt-get"]) {
    writeFileSync(join(cwd, "bin", each), "#!/bin/sh\n");
    chmodSync(join(cwd, "bin", each), 0o755);
  }
  const path = [join(cwd, "bin"), dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  return { cwd, ...(await startProcess([".ci/run"], { cwd, env: { PATH: path } }).finished) };
}

describe(".ci/run", () => {
  test("adds up the reports of all checks, and starts a check after the checks that it needs", async () => {
    const report = (passed: number) => `echo '${REPORT(passed, 0)}' >"$TEST_REPORTS/$$.json"`;
    const result = await runChecks([
      ["first", "-", `${report(2)}; sleep 0.2; touch first`],
      ["second", "-", report(3)],
      ["third", "first second", `test -e first && ${report(4)}`],
    ]);
    expect(result.stdout.trimEnd().split("\n").at(-1)).toBe("9 passed, 0 failed");
    expect(result).toMatchObject({ status: 0, stderr: "" });
  });

  test("fails if a check fails, whatever its report says, and leaves no process", async () => {
    const result = await runChecks([
      ["good", "-", `echo '${REPORT(1, 0)}' >"$TEST_REPORTS/1.json"; sleep 3600 & echo $! >left`],
      ["bad", "-", "echo a-line-of-its-own; exit 3"],
    ]);
    expect(result.stdout).toContain("=== bad: FAILED");
    expect(result.stdout).toMatch(/^failed: bad\na-line-of-its-own$/m);
    expect(result.stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 0 failed");
    expect(result.status).toBe(1);
    const left = readFileSync(join(result.cwd, "left"), "utf8").trim();
    // One that has ended, and for which no process has waited, has no command line.
    await expect
      .poll(() => (existsSync(`/proc/${left}`) ? readFileSync(`/proc/${left}/cmdline`, "utf8") : ""))
      .toBe("");
  });

  test("prints the failed tests, and their count, at its end", async () => {
    const cases = JSON.stringify({ cases: [{ name: "a/case", outcome: "failed", message: "not so" }] });
    const result = await runChecks([["suite", "-", `echo '${cases}' >"$TEST_REPORTS/1.json"; exit 1`]]);
    expect(result.stdout).toContain("failed in suite: a/case\n  not so\n");
    expect(result.stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 1 failed");
    expect(result.status).toBe(1);
  });

  test("names the checks that were not run", async () => {
    const report = `echo '${REPORT(1, 0)}' >"$TEST_REPORTS/1.json"`;
    const result = await runChecks([
      ["ran", "-", report],
      ["place", "-", "echo 'not run: place: it must be root'"],
    ]);
    expect(result.stdout).toMatch(/=== Result ===\nnot run: place: it must be root\n1 passed, 0 failed\n$/);
    expect(result.status).toBe(0);
  });

  test("starts no check that needs a failed one", async () => {
    const result = await runChecks([
      ["lint", "-", "exit 1"],
      ["tests", "lint", "echo never"],
    ]);
    expect(result.stdout).toContain("=== lint: FAILED");
    expect(result.stdout).not.toContain("started: tests");
    expect(result.status).toBe(1);
  });
});
