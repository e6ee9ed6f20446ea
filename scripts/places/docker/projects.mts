/**
 * Makes the folders that are sent to the builder: projects.mts FOLDER. It runs outside of the space, where npm is. sophia-run is
 * installed as the documents say for the time before the first release: from the file of `npm pack`, or the wheel.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { install, npmEnvironment, pack } from "../../../test/helpers/pack.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: projects.mts FOLDER");

/** Makes a project, with sophia-run as a dependency and a lock file. */
async function project(name: string, fill: (path: string) => void): Promise<string> {
  const path = join(into, name);
  mkdirSync(path);
  fill(path);
  copyFileSync(tarball, join(path, basename(tarball)));
  await install(`./${basename(tarball)}`, path, home);
  return path;
}

const into = folder;
const home = join(into, "home");
mkdirSync(home, { recursive: true });
const tarball = await pack(home);

await project("docker", (path) => cpSync("examples/docker", path, { recursive: true }));

const written = await project("init", (path) => {
  const manifest = { name: "shop", private: true, scripts: { start: "node server.js" } };
  writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
  copyFileSync("examples/docker/server.js", join(path, "server.js"));
  copyFileSync("examples/docker/sophia.contract.json", join(path, "sophia.contract.json"));
});
const installed = join(written, "node_modules/sophia-run/bin/sophia-run.cjs");
execFileSync(process.execPath, [installed, "init", "--with", "docker"], { cwd: written, env: npmEnvironment(home) });

cpSync("examples/python", join(into, "python"), { recursive: true });
const wheel = execFileSync(process.execPath, ["scripts/wheel.mjs"], { encoding: "utf8" }).trim();
mkdirSync(join(into, "release"));
copyFileSync(wheel, join(into, "release", basename(wheel)));
