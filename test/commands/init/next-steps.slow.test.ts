import { describe, expect, test } from "vitest";
import { packageManagerEnvironment, availableClients, writeStandIns } from "../../helpers/package-managers.ts";
import { packPackage } from "../../helpers/pack.ts";
import { createLocalRepository } from "../../helpers/local-repository.ts";
import { notNightly, notPackage, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { startProcess } from "../../helpers/start-process.ts";

skipBecause(notPackage);

describe.each(availableClients())("with $name the steps that init prints work:", (client) => {
  test("it installs the dependency, then runs each of the next steps", async ({ skip }) => {
    // installs.slow.test.ts adds the package and starts it with each of them.
    skip(!client.name.startsWith("npm") && notNightly !== undefined, notNightly);
    const cwd = folder({
      "package.json": JSON.stringify({ name: "p", private: true, packageManager: client.packageManager }),
      ".env.example": "# The greeting (optional).\nGREETING=hello\n",
      ...client.files,
    });
    const home = folder();
    const repository = createLocalRepository(await packPackage(folder()));
    const base = packageManagerEnvironment(home);
    const env = { ...base, ...repository, PATH: `${writeStandIns(folder(), client)}:${base["PATH"] ?? ""}` };
    const first = await sophia(["init"], { cwd });
    const commands = /among its dependencies; run\n((?: {2}.*\n)+)/.exec(first.stdout)?.[1] ?? "";
    const added = await startProcess(["sh", "-ec", commands], { cwd, env }).finished;
    expect(added.status, added.stdout + added.stderr).toBe(0);

    const { stdout } = await sophia(["init"], { cwd });
    expect(stdout).not.toContain("among its dependencies");
    const [, check = "", docs = ""] = /then run\n {2}(.* check)\n {2}(.* docs)\n/.exec(stdout) ?? [];
    for (const command of [check, docs, `${docs} --check`]) {
      const ran = await startProcess(["sh", "-ec", command], { cwd, env }).finished;
      expect(ran.status, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0);
    }
  }, 180_000);
});
