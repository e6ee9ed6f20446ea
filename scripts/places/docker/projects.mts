/**
 * Makes the folders that are sent to the builder: projects.mts FOLDER. It runs outside of the space, where npm is. sophia-run is
 * installed from the file of `npm pack`, once with the executables and once without.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { installPackage, npmEnvironment, packPackage } from "../../../test/helpers/pack.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: projects.mts FOLDER");

/** Makes a project, with sophia-run as a dependency and a lock file. */
async function project(name: string, from: string, fill: (path: string) => void): Promise<string> {
  const path = join(into, name);
  mkdirSync(path);
  fill(path);
  copyFileSync(from, join(path, basename(from)));
  await installPackage(`./${basename(from)}`, path, home);
  return path;
}

/** Returns the path of a tarball like another, but without executables: `npm pack` makes it in a checkout that has not built them. */
function withoutExecutables(whole: string): string {
  const unpacked = join(into, "without");
  mkdirSync(unpacked);
  execFileSync("tar", ["-xzf", whole, "-C", unpacked]);
  const dist = join(unpacked, "package/dist");
  for (const name of readdirSync(dist)) if (/^sophia-run-linux-\w+$/.test(name)) rmSync(join(dist, name));
  execFileSync("tar", ["-czf", join(unpacked, basename(whole)), "-C", unpacked, "package"]);
  return join(unpacked, basename(whole));
}

const into = folder;
const home = join(into, "home");
mkdirSync(home, { recursive: true });
const tarball = await packPackage(home);

const stripped = withoutExecutables(tarball);

for (const [name, from] of [
  ["docker", tarball],
  ["docker-without", stripped],
] as const) {
  await project(name, from, (path) => cpSync("examples/docker", path, { recursive: true }));
}
for (const [name, from] of [
  ["python", tarball],
  ["python-without", stripped],
] as const) {
  cpSync("examples/python", join(into, name), { recursive: true });
  copyFileSync(from, join(into, name, basename(from)));
}

const written = await project("init", tarball, (path) => {
  const manifest = { name: "shop", private: true, scripts: { start: "node server.js" } };
  writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
  copyFileSync("examples/docker/server.js", join(path, "server.js"));
  copyFileSync("examples/docker/sophia.contract.json", join(path, "sophia.contract.json"));
});
const installed = join(written, "node_modules/sophia-run/bin/sophia-run.cjs");
execFileSync(process.execPath, [installed, "init", "--with", "docker"], { cwd: written, env: npmEnvironment(home) });
