// Bundles src/ into dist/: CommonJS (Node starts it several milliseconds sooner than ES modules) with code
// splitting (what a run does not need is not even read). Beside it come the addons; with `--release` a missing one is an
// error.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { compileAddons } from "./build/addon.mjs";
import { bundleProgram } from "./build/program.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");
const target = "node20.19";
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const { files, scripts } = await bundleProgram({ root, target, version });
const hash = createHash("sha256");
for (const [name, text] of files) hash.update(`${name}\0${text}\0`);
// What bin/sophia-run knows the code cache of a script by.
const mark = hash.digest("hex").slice(0, 16);
for (const name of scripts) files.set(name, `//${mark}\n${files.get(name)}`);

const precompile = await build({
  absWorkingDir: root,
  entryPoints: { precompile: "scripts/build/precompile.ts" },
  outdir,
  bundle: true,
  format: "cjs",
  platform: "node",
  target,
  minify: true,
  legalComments: "none",
  write: false,
  logLevel: "warning",
});
for (const { path, text } of precompile.outputFiles) files.set(path.slice(outdir.length + 1), text);

const { addons, missing } = compileAddons(root);
const problem = missing.get(`${process.platform}-${process.arch}`);
if (problem !== undefined) {
  process.stderr.write(`built without the addon by which sophia-run becomes the program: ${problem}\n`);
}
if (missing.size > 0 && process.argv.includes("--release")) {
  const list = Array.from(missing, ([platform, why]) => `${platform}: ${why}`);
  throw new Error(`no addon for ${list.join("; ")} (see CONTRIBUTING.md)`);
}

await mkdir(outdir, { recursive: true });
// The addons first: what calls them finds what it calls.
for (const [name, content] of [...addons, ...files]) await replaceFile(join(outdir, name), content);
for (const name of await readdir(outdir)) {
  if (!files.has(name) && !addons.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}
const entry = await readFile(join(root, "bin/sophia-run"), "utf8");
// Of a .cjs file Node.js knows what it is without reading a package.json.
await replaceFile(join(root, "bin/sophia-run.cjs"), entry.replace(/^#!.*/, "#!/usr/bin/env node"), 0o755);
// What npm does after an installation, for the Node.js that builds.
spawnSync(process.execPath, [join(outdir, "precompile.js")], { stdio: "inherit" });

/** By rename: a launcher that starts meanwhile finds a whole file. */
async function replaceFile(path, content, mode = 0o644) {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content, { mode });
  await rename(temporary, path);
}
