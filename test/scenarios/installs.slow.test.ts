import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { packageManagerEnvironment, availableClients, writeStandIns } from "../helpers/package-managers.ts";
import { packPackage } from "../helpers/pack.ts";
import { notPackage, skipBecause } from "../helpers/skip.ts";
import { addon, CONTRACT_VALUES, folder } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";
import { readWorkflow } from "../helpers/workflow.ts";

skipBecause(notPackage);

const MANIFEST = {
  name: "project",
  private: true,
  scripts: { job: "sophia-run -- sh -c 'exit 7'", mistake: "sophia-run check --jsno" },
};

describe.each(availableClients())("the package, installed by $name,", (client) => {
  const { packageManager, files, command, add, exec, typed } = client;

  test("prints no messages about scripts, runs, and runs the scripts that init writes", async () => {
    const cwd = folder({ "package.json": JSON.stringify({ ...MANIFEST, packageManager }), ...files });
    const home = folder();
    const packed = await packPackage(home);
    const tarball = basename(packed);
    cpSync(packed, join(cwd, tarball));
    const env: Record<string, string> = { ...packageManagerEnvironment(home), ...CONTRACT_VALUES };
    const run = (...words: readonly string[]) => startProcess([...command, ...words], { cwd, env }).finished;

    const installed = await run(...add(tarball));
    expect(installed.stdout + installed.stderr).not.toMatch(/\bscripts?\b|\bwarn|\berr(?:or)?\b/i);
    expect(installed.status).toBe(0);
    if (existsSync(addon)) {
      const installedFiles = readdirSync(cwd, { encoding: "utf8", recursive: true });
      expect(installedFiles.some((path) => path.endsWith(`sophia-run/dist/${basename(addon)}`))).toBe(true);
    }

    const ran = await run(...exec, "sophia-run", "--", "printenv", "QDRANT_URL");
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({
      status: 0,
      stdout: `${CONTRACT_VALUES.QDRANT_URL}\n`,
    });
    const check = await run(...exec, "sophia-run", "check");
    expect(check.stdout).toContain("✅ All checks passed!");
    expect(check.status).toBe(0);
    expect((await run("run", "job")).status).toBe(7);
    // Both ways of starting it name the command as it can be typed in a shell.
    for (const words of [
      [...exec, "sophia-run", "check", "--jsno"],
      ["run", "mistake"],
    ]) {
      const { stdout, stderr } = await run(...words);
      expect(stdout + stderr).toContain(`? ${typed} check --help`);
    }
    if (packageManager.startsWith("bun@")) {
      const byBun = await run("--bun", "run", "job");
      expect(byBun.status).toBe(125);
      expect(byBun.stderr).toContain("sophia-run: Bun");
    }

    const initCommand = ["init", "--from", "builtin", "--with", "actions"];
    expect((await run(...exec, "sophia-run", ...initCommand)).status).toBe(0);
    const path = env["PATH"] ?? "";
    const PATH = `${writeStandIns(folder(), client)}:${path}`;
    const inShell = (script: string, more: { readonly cwd: string; readonly env?: Record<string, string> }) =>
      startProcess(["sh", "-ec", script], { cwd: more.cwd, env: { ...env, PATH, ...more.env } }).finished;
    const { steps } = readWorkflow(join(cwd, ".github/workflows/configuration.yml"));
    const checked = await inShell(steps.at(-1)?.run ?? "", { cwd });
    expect(checked).toMatchObject({ status: 0, stdout: expect.stringContaining("✅ All checks passed!") });
    // pnpm alone takes half a minute of a busy machine.
  }, 180_000);
});

test("the package has the files that its README links to, and no install scripts", async () => {
  const tarball = await packPackage(folder());
  const packed = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
    .split("\n")
    .map((path) => path.replace(/^package\//, ""));
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const links = Array.from(readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g), ([, link = ""]) => normalize(link));
  expect(links.length).toBeGreaterThan(10);
  for (const link of links) {
    expect(
      packed.some((path) => path === link || path.startsWith(`${link}/`)),
      link,
    ).toBe(true);
  }
  const manifest: unknown = JSON.parse(
    execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }),
  );
  for (const name of ["preinstall", "install", "postinstall", "prepare"]) {
    expect(manifest).not.toHaveProperty(["scripts", name]);
  }
});
