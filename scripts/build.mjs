// Bundles src/ into dist/, with code splitting: what a run does not need is not even read. Beside it come the addons; with
// `--release` a missing one is an error.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compileAddons } from "./build/addon.mjs";
import { bundle, GROUPS } from "./build/bundle.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");

const files = new Map();
for (const { name, fileName, code } of await bundle({ SOPHIA_RUN_FOLDER: "__dirname" })) {
  // The mark, by which bin/sophia-run knows the code cache of this text.
  const mark = createHash("sha256").update(code).digest("hex").slice(0, 16);
  files.set(fileName, GROUPS.some((group) => group.name === name) ? `//${mark}\n${code}` : code);
}
files.set("precompile.js", await readFile(join(root, "scripts/build/precompile.cjs"), "utf8"));

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
// For the Node.js that builds.
spawnSync(process.execPath, [join(outdir, "precompile.js")], { stdio: "inherit" });

/** By rename: a launcher that starts meanwhile finds a whole file. */
async function replaceFile(path, content) {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
