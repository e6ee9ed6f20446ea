import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cleanPath } from "../helpers/pack.ts";
import { folder } from "../helpers/sophia.ts";
import { start } from "../helpers/started.ts";
import { readWorkflow } from "../helpers/workflow.ts";

const root = join(import.meta.dirname, "../..");

describe(".github/workflows/checks.yml", () => {
  const workflow = readWorkflow(join(root, ".github/workflows/checks.yml"));
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
    expect(commands).toContain("npx sophia-run check");
    expect(commands).toContain("npm run conformance -- --launcher 'bin/sophia-run --no-contract --mode spawn --'");
    expect(manifest).toHaveProperty(["bin", "sophia-run"]);
  });

  test("has the least permissions, and names a version of each action", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    const used = workflow.steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(0);
    for (const action of used) expect(action).toMatch(/@(?:v\d+(?:\.\d+)*|[0-9a-f]{40})$/);
  });

  test("the secrets reach two steps alone, and no command line", () => {
    const holders = workflow.steps.filter(({ env }) => JSON.stringify(env ?? {}).includes("secrets."));
    expect(holders.map(({ id, run }) => id ?? run)).toEqual(["secrets", "npx sophia-run check"]);
    expect(commands.join("\n")).not.toMatch(/\$\{\{/);
  });

  test.each([
    { given: { ESC_ENV: "acme/sophia/prod", ESC_TOKEN: "pul-x" }, present: "true", notice: false },
    { given: { ESC_ENV: "", ESC_TOKEN: "" }, present: "false", notice: true },
    { given: { ESC_ENV: "acme/sophia/prod", ESC_TOKEN: "" }, present: "false", notice: true },
  ])("looks for the secrets: $given leads to $present", async ({ given, present, notice }) => {
    const step = workflow.steps.find(({ id }) => id === "secrets");
    const cwd = folder({ output: "", "step.sh": step?.run ?? "exit 99" });
    const env = { PATH: cleanPath, GITHUB_OUTPUT: join(cwd, "output"), ...given };
    const { status, stdout } = await start(["bash", "-e", "step.sh"], { cwd, env }).finished;
    expect(status).toBe(0);
    expect(readFileSync(join(cwd, "output"), "utf8")).toBe(`present=${present}\n`);
    expect(stdout.startsWith("::notice title=Smoke check skipped::")).toBe(notice);
    const rest = workflow.steps.slice(workflow.steps.findIndex(({ id }) => id === "secrets") + 1);
    expect(rest).not.toEqual([]);
    for (const one of rest) expect(one.if).toBe("steps.secrets.outputs.present == 'true'");
  });
});
