import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { clientEnvironment, clients } from "../helpers/clients.ts";
import { pack } from "../helpers/pack.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, CONTRACT_VALUES, folder, isStandalone } from "../helpers/sophia.ts";
import { start } from "../helpers/started.ts";

skipBecause(isStandalone ? "this is about the package" : undefined);

const MANIFEST = { name: "project", private: true, scripts: { job: "sophia-run -- sh -c 'exit 7'" } };

describe.each(clients())("$name", ({ files, command, add, exec }) => {
  test("installs the package without a word about scripts, and runs it", async () => {
    const cwd = folder({ "package.json": JSON.stringify(MANIFEST), ...files });
    const home = folder();
    const packed = await pack(home);
    const tarball = basename(packed);
    cpSync(packed, join(cwd, tarball));
    const env = { ...clientEnvironment(home), ...CONTRACT_VALUES };
    const run = (...words: readonly string[]) => start([...command, ...words], { cwd, env }).finished;

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
  });
});

test("the package has what its README links to, and no scripts that run when it is installed", async () => {
  const tarball = await pack(folder());
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
