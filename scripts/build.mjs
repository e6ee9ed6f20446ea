// Bundles src/ into dist/: CommonJS (Node starts it several milliseconds sooner than ES modules) with
// code splitting (what a run does not need is not even parsed). esbuild splits only ES modules, so it is
// done in two steps: bundle and split as ES modules, then turn each chunk into CommonJS by itself.
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, transform } from "esbuild";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");
const target = "node20.19";
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const bundle = await build({
  absWorkingDir: root,
  entryPoints: { main: "src/main.ts" },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target,
  minify: true,
  legalComments: "none",
  // The ESC SDK runs on our own HTTP client.
  alias: { axios: "./scripts/no-axios.mjs" },
  chunkNames: "[name]-[hash]",
  define: { SOPHIA_RUN_VERSION: JSON.stringify(version) },
  write: false,
  metafile: true,
  logLevel: "warning",
});

// Chunks first, the entry last and each by rename: a launcher that starts meanwhile finds a whole program.
await mkdir(outdir, { recursive: true });
const outputs = bundle.outputFiles
  .map((file) => ({ name: file.path.slice(outdir.length + 1), text: file.text }))
  .sort((a, b) => Number(a.name === "main.js") - Number(b.name === "main.js"));
for (const { name, text } of outputs) {
  const { code } = await transform(text, {
    format: "cjs",
    platform: "node",
    target,
    minify: true,
    // `import("./chunk.js")` becomes a plain require: no ES module loader is started.
    supported: { "dynamic-import": false },
    // yargs asks where it lies, to find its translations.
    ...(text.includes("import.meta.url") && {
      define: { "import.meta.url": "__moduleUrl" },
      banner: 'const __moduleUrl=require("node:url").pathToFileURL(__filename).href;',
    }),
  });
  const temporary = join(outdir, `.${name}.${process.pid}`);
  await writeFile(temporary, code);
  await rename(temporary, join(outdir, name));
}
const current = new Set(outputs.map(({ name }) => name));
for (const name of await readdir(outdir)) {
  if (!current.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}
