import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cleanPath } from "../helpers/pack.ts";
import { folder } from "../helpers/sophia.ts";
import { start } from "../helpers/started.ts";
import { readWorkflow } from "../helpers/workflow.ts";

const root = join(import.meta.dirname, "../..");

describe(".github/workflows/checks.yml", () => {
  const path = join(root, ".github/workflows/checks.yml");
  const text = readFileSync(path, "utf8");
  const workflow = readWorkflow(path);
  const lookUp = workflow.steps.find(({ id }) => id === "secrets") ?? {};
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const commands = workflow.steps.flatMap(({ run = "" }) => run.split("\n").map((line) => line.trim()));

  test("every npm script that it calls exists, and one mode of the conformance suite runs", () => {
    const called = commands.flatMap((line) => /^npm (?:run )?([\w:-]+)/.exec(line)?.[1] ?? []);
    expect(called).toEqual(
      expect.arrayContaining(["ci", "lint", "format:check", "typecheck", "knip", "publint", "test"]),
    );
    for (const name of new Set(called)) {
      if (name !== "ci") expect(manifest).toHaveProperty(["scripts", name]);
    }
    expect(commands).toContain("bin/sophia-run check");
    expect(commands).toContain("npm run conformance -- --launcher 'bin/sophia-run --no-contract --mode spawn --'");
    expect(manifest).toHaveProperty(["bin", "sophia-run"]);
  });

  test("has the least permissions, and pins each action to a commit, with its version beside it", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    const used = text.split("\n").filter((line) => /^\s*(?:- )?uses: (?!\.\/$)/.test(line));
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("the secrets reach one step alone, and no command line", () => {
    const holds = (value: unknown): boolean => /\$\{\{\s*secrets\.\w+\s*\}\}/.test(JSON.stringify(value ?? {}));
    expect(workflow.steps.filter(({ env }) => holds(env)).map(({ run }) => run)).toEqual(["bin/sophia-run check"]);
    // The step that looks for them is told whether they are there.
    expect(lookUp.env).toEqual({
      PRESENT: "${{ secrets.ESC_ENV != '' && secrets.ESC_TOKEN != '' }}",
      MAY_SKIP: "${{ github.event_name == 'pull_request' || github.event.repository.fork || github.event.created }}",
    });
    expect(commands.join("\n")).not.toMatch(/\$\{\{/);
  });

  test("the rest of the job depends on what that step found", () => {
    const rest = workflow.steps.slice(workflow.steps.indexOf(lookUp) + 1);
    expect(rest.length).toBeGreaterThan(2);
    for (const one of rest) expect(one.if).toBe("steps.secrets.outputs.present == 'true'");
  });

  // What GitHub makes of the two expressions: an event without the property gives an empty string.
  test.each([
    { of: "any event with both", env: { PRESENT: "true", MAY_SKIP: "false" }, status: 0, told: /^$/ },
    { of: "a pull request with both", env: { PRESENT: "true", MAY_SKIP: "true" }, status: 0, told: /^$/ },
    {
      of: "a fork's pull request",
      env: { PRESENT: "false", MAY_SKIP: "true" },
      status: 0,
      told: /^::notice title=Smoke /,
    },
    {
      of: "a push to main without",
      env: { PRESENT: "false", MAY_SKIP: "false" },
      status: 1,
      told: /^::error title=Sec/,
    },
    {
      of: "a schedule without",
      env: { PRESENT: "false", MAY_SKIP: "" },
      status: 1,
      told: /^::error title=Secrets miss/,
    },
  ])("$of: status $status", async ({ env, status, told }) => {
    const cwd = folder({ output: "", "step.sh": lookUp.run ?? "exit 99" });
    const step = await start(["bash", "-e", "step.sh"], {
      cwd,
      env: { PATH: cleanPath, GITHUB_OUTPUT: join(cwd, "output"), ...env },
    }).finished;
    expect(step).toMatchObject({ status, stdout: expect.stringMatching(told), stderr: "" });
    expect(readFileSync(join(cwd, "output"), "utf8")).toBe(`present=${env.PRESENT}\n`);
  });
});
