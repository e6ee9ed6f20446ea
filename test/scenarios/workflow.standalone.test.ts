import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linksOf } from "../helpers/markdown.ts";
import { cleanPath } from "../helpers/pack.ts";
import { folder, isStandalone } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";
import { readWorkflow } from "../helpers/workflow.ts";

const root = join(import.meta.dirname, "../..");

test.each(["checks.yml", "release.yml", "weekly.yml"])(
  "no step of %s finds the checkout token in .git/config",
  (name) => {
    const text = readFileSync(join(root, ".github/workflows", name), "utf8");
    const checkouts = text.match(
      /uses: actions\/checkout@.*\n(?:\s+if: .*\n)?(?:\s+with:\n\s+persist-credentials: false\n)?/g,
    );
    expect(checkouts?.length).toBeGreaterThan(0);
    for (const one of checkouts ?? []) expect(one).toContain("persist-credentials: false");
  },
);

describe(".github/workflows/checks.yml", () => {
  const path = join(root, ".github/workflows/checks.yml");
  const text = readFileSync(path, "utf8");
  const workflow = readWorkflow(path);
  const lookUp = workflow.steps.find(({ id }) => id === "secrets") ?? {};
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const commands = workflow.steps.flatMap(({ run = "" }) => run.split("\n").map((line) => line.trim()));

  test("calls only npm scripts and files that exist in its own steps", () => {
    const called = commands.flatMap((line) => /^npm (?:run )?([\w:-]+)/.exec(line)?.[1] ?? []);
    expect(called).toContain("build");
    const files = commands.flatMap((line) => /^node (scripts\/\S+)/.exec(line)?.[1] ?? []);
    expect(files).toContain("scripts/action.mjs");
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
    for (const name of new Set(called)) {
      if (name !== "ci") expect(manifest).toHaveProperty(["scripts", name]);
    }
    expect(commands).toContain("bin/sophia-run check");
    expect(manifest).toHaveProperty(["bin", "sophia-run"]);
  });

  test("has the least permissions, and pins each action to a commit, with its version beside it", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    const used = text.split("\n").filter((line) => /^\s*(?:- )?uses: (?!\.\/$)/.test(line));
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("gives the secrets to only one step, and to no command line", () => {
    const holds = (value: unknown): boolean => /\$\{\{\s*secrets\.\w+\s*\}\}/.test(JSON.stringify(value ?? {}));
    expect(workflow.steps.filter(({ env }) => holds(env)).map(({ run }) => run)).toEqual(["bin/sophia-run check"]);
    // The step that looks for them gets only a boolean.
    expect(lookUp.env).toEqual({
      PRESENT: "${{ secrets.ESC_ENV != '' && secrets.ESC_TOKEN != '' }}",
      MAY_SKIP: "${{ github.event_name == 'pull_request' || github.event.repository.fork || github.event.created }}",
    });
    expect(commands.join("\n")).not.toMatch(/\$\{\{/);
  });

  test("runs the rest of the job only with the secrets", () => {
    const rest = workflow.steps.slice(workflow.steps.indexOf(lookUp) + 1);
    expect(rest.length).toBeGreaterThan(2);
    for (const one of rest) expect(one.if).toBe("steps.secrets.outputs.present == 'true'");
  });

  // The values of GitHub's two expressions: an event without the property gives an empty string.
  test.each([
    { of: "any event with both", env: { PRESENT: "true", MAY_SKIP: "false" }, status: 0, output: /^$/ },
    { of: "a pull request with both", env: { PRESENT: "true", MAY_SKIP: "true" }, status: 0, output: /^$/ },
    {
      of: "a fork's pull request",
      env: { PRESENT: "false", MAY_SKIP: "true" },
      status: 0,
      output: /^::notice title=Smoke /,
    },
    {
      of: "a push to main without",
      env: { PRESENT: "false", MAY_SKIP: "false" },
      status: 1,
      output: /^::error title=Sec/,
    },
    {
      of: "a schedule without",
      env: { PRESENT: "false", MAY_SKIP: "" },
      status: 1,
      output: /^::error title=Secrets miss/,
    },
  ])("$of: status $status", async ({ env, status, output }) => {
    const cwd = folder({ output: "", "step.sh": lookUp.run ?? "exit 99" });
    const step = await startProcess(["bash", "-e", "step.sh"], {
      cwd,
      env: { PATH: cleanPath, GITHUB_OUTPUT: join(cwd, "output"), ...env },
    }).finished;
    expect(step).toMatchObject({ status, stdout: expect.stringMatching(output), stderr: "" });
    expect(readFileSync(join(cwd, "output"), "utf8")).toBe(`present=${env.PRESENT}\n`);
  });
});

describe(".github/workflows/release.yml", () => {
  const path = join(root, ".github/workflows/release.yml");
  const text = readFileSync(path, "utf8");
  const workflow = readWorkflow(path);
  const commands = workflow.steps.flatMap(({ run = "" }) => run.split("\n").map((line) => line.trim()));

  test("pins each action to a commit, uses no secret and no cache", () => {
    const used = text.split("\n").filter((line) => /^\s*(?:- )?uses: /.test(line));
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(text).not.toMatch(/secrets\.|cache: npm|_TOKEN: (?!\$\{\{ github\.token \}\}$)/m);
  });

  test("has jobs that build and may not publish, and only jobs that publish get an ID token", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.jobs).toEqual([
      { name: "build", permissions: undefined, environment: undefined },
      { name: "compare", permissions: undefined, environment: undefined },
      { name: "npm", permissions: { "id-token": "write" }, environment: "npm" },
      { name: "pypi", permissions: { "id-token": "write" }, environment: "pypi" },
      {
        name: "github",
        permissions: { contents: "write", "id-token": "write", attestations: "write" },
        environment: "github",
      },
    ]);
    expect(commands.filter((line) => /^npm (?:ci|publish)/.test(line))).toEqual([
      "npm ci --ignore-scripts",
      "npm publish ./sophia-run-*.tgz --provenance --access public --ignore-scripts",
    ]);
  });

  test("publishes exactly the files that it has checked", () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const scripts = commands.flatMap((line) => /^npm run ([\w:-]+)/.exec(line)?.[1] ?? []);
    expect(scripts.length).toBeGreaterThan(3);
    for (const script of scripts) expect(manifest).toHaveProperty(["scripts", script]);
    const files = commands.flatMap((line) => /\bnode (scripts\/[\w./-]+)/.exec(line)?.[1] ?? []);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
    expect(commands).toContain("node scripts/release.mjs --release");
    expect(commands).toContain("diff --recursive --brief built-on-ubuntu-24.04 built-on-ubuntu-22.04");
    expect(commands.filter((line) => line === "sha256sum --check SHA256SUMS")).toHaveLength(4);
  });
});

test("the release check refuses an additional file and an old bundle of the action, and its notes have addresses", ({
  skip,
}) => {
  skip(isStandalone, "no executable takes part");
  const copy = folder();
  const left = /^.(?:node_modules|\.cache|\.git|dist-[a-z]+)$/;
  cpSync(root, copy, { recursive: true, filter: (from) => !left.test(from.slice(root.length)) });
  // As on a machine without a compiler for it.
  const built = ["linux-arm64.node", "linux-arm64-masking.node", "linux-arm64-monitor.node", "linux-arm64-monitor"];
  for (const name of built) rmSync(join(copy, "dist", name), { force: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "docs/draft.md"), "");
  mkdirSync(join(copy, "dist-action"));
  writeFileSync(join(copy, "dist-action/main.cjs"), "");
  const commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "a"];
  for (const args of [["init", "--quiet"], commit]) spawnSync("git", args, { cwd: copy });
  const release = spawnSync(process.execPath, ["scripts/release.mjs"], { cwd: copy, encoding: "utf8" });
  const { status, stdout, stderr } = release;
  expect(stderr).toBe(
    "packed, and not in scripts/release/packed-files.txt: docs/draft.md\n" +
      "dist-action/main.cjs is not that of the sources: node scripts/action.mjs\n",
  );
  expect(stdout).toMatch(new RegExp(built.map((name) => `\\(not built here\\): dist/${name}`).join(String.raw`\n.*`)));
  expect(status).toBe(1);

  const notes = readFileSync(join(copy, "dist-release/NOTES.md"), "utf8");
  expect(notes).toContain("](https://github.com/sophia-platform/sophia-run/blob/v0.1.0/docs/sources.md)");
  expect(linksOf(notes)).toEqual([]);
});
