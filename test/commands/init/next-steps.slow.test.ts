import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientEnvironment, clients, standIns } from "../../helpers/clients.ts";
import { pack } from "../../helpers/pack.ts";
import { notNightly, notPackage, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { start } from "../../helpers/started.ts";

skipBecause(notPackage);

/** Stands for the release that the printed address names. */
async function serveTarball(tarball: string): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === `/${basename(tarball)}` ? 200 : 404;
    if (response.statusCode === 200) void pipeline(createReadStream(tarball), response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

describe.each(clients())("with $name what init prints works, but for the address", (client) => {
  test("the dependency, then each of the next steps", async ({ skip }) => {
    // installs.slow.test.ts adds the package and starts it with each of them.
    skip(!client.name.startsWith("npm") && notNightly !== undefined, notNightly);
    const cwd = folder({
      "package.json": JSON.stringify({ name: "p", private: true, packageManager: client.packageManager }),
      ".env.example": "# The greeting (optional).\nGREETING=hello\n",
      ...client.files,
    });
    const home = folder();
    const url = await serveTarball(await pack(home));
    const base = clientEnvironment(home);
    const env = { ...base, PATH: `${standIns(folder(), client)}:${base["PATH"] ?? ""}` };
    const first = await sophia(["init"], { cwd });
    const commands = /among its dependencies; run\n((?: {2}.*\n)+)/.exec(first.stdout)?.[1] ?? "";
    const here = commands.replace(/https:\S+/, (address) => `${url}/${basename(address)}`);
    expect(here).not.toBe(commands);
    const added = await start(["sh", "-ec", here], { cwd, env }).finished;
    expect(added.status, added.stdout + added.stderr).toBe(0);

    const { stdout } = await sophia(["init"], { cwd });
    expect(stdout).not.toContain("among its dependencies");
    const [, check = "", docs = ""] = /then run\n {2}(.* check)\n {2}(.* docs)\n/.exec(stdout) ?? [];
    for (const command of [check, docs, `${docs} --check`]) {
      const ran = await start(["sh", "-ec", command], { cwd, env }).finished;
      expect(ran.status, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0);
    }
  }, 180_000);
});
