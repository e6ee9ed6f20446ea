import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, sophia } from "../../helpers/sophia.ts";

test("docs --check accepts documents when a workflow comes or goes, until docs writes them again", async () => {
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ environment: "acme/app/dev", variables: { API_KEY: {} } }),
  });
  execFileSync("git", ["init", "--quiet"], { cwd });
  const document = () => readFileSync(join(cwd, "SECRETS.md"), "utf8");
  expect((await sophia(["docs"], { cwd })).status).toBe(0);
  expect(document()).not.toContain("repository secrets");
  mkdirSync(join(cwd, ".github/workflows"), { recursive: true });
  writeFileSync(
    join(cwd, ".github/workflows/check secrets.yml"),
    "jobs:\n  check:\n    steps:\n      - run: sophia-run check\n",
  );
  expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
  expect((await sophia(["docs"], { cwd })).status).toBe(0);
  expect(document()).toContain("## The two repository secrets");
  expect(document()).toContain("gh run list --workflow check secrets.yml");
  rmSync(join(cwd, ".github"), { recursive: true });
  expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
  writeFileSync(
    join(cwd, "sophia.contract.json"),
    JSON.stringify({ environment: "acme/app/dev", variables: { OTHER_KEY: {} } }),
  );
  expect((await sophia(["docs", "--check"], { cwd })).status).toBe(1);
});
