// Bundles src/ into dist/: CommonJS (Node starts it several milliseconds sooner than ES modules) with code
// splitting (what a run does not need is not even read).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleProgram } from "./build/program.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");
const target = "node20.19";
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const { files } = await bundleProgram({ root, target, version });
const hash = createHash("sha256");
for (const [name, text] of files) hash.update(`${name}\0${text}\0`);

const start = await build({
  absWorkingDir: root,
  entryPoints: { main: "src/start/main.ts", precompile: "src/start/precompile.ts" },
  outdir,
  bundle: true,
  format: "cjs",
  platform: "node",
  target,
  minify: true,
  legalComments: "none",
  define: { SOPHIA_RUN_BUILD: JSON.stringify(hash.digest("hex").slice(0, 16)) },
  write: false,
  logLevel: "warning",
});
// The entry last, and each by rename: a launcher that starts meanwhile finds a whole program.
for (const { path, text } of start.outputFiles.toReversed()) files.set(path.slice(outdir.length + 1), text);

await mkdir(outdir, { recursive: true });
for (const [name, text] of files) {
  const temporary = join(outdir, `.${name}.${process.pid}`);
  await writeFile(temporary, text);
  await rename(temporary, join(outdir, name));
}
for (const name of await readdir(outdir)) {
  if (!files.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}
// What npm does after an installation, for the Node.js that builds.
spawnSync(process.execPath, [join(outdir, "precompile.js")], { stdio: "inherit" });
