// Bundles src/ into dist/: CommonJS (Node starts it several milliseconds sooner than ES modules) with code
// splitting (what a run does not need is not even read). Three steps:
// 1. esbuild bundles and splits, which it does for ES modules only;
// 2. each chunk becomes a CommonJS function by itself;
// 3. the chunks that every run needs go into main.js, since each further file costs Node half a millisecond.
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
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

const chunks = new Map();
for (const file of bundle.outputFiles) chunks.set(basename(file.path), await toFunction(file.text));
const hot = reachableFrom("main.js");

/** The source of a function that fills `module.exports`. */
async function toFunction(text) {
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
  return `(function(require,module,exports){${code}})`;
}

/** The chunks that a chunk imports statically, itself included. */
function reachableFrom(name, found = new Set()) {
  found.add(name);
  for (const { path, kind, external } of bundle.metafile.outputs[`dist/${name}`].imports) {
    if (kind === "import-statement" && external !== true && !found.has(basename(path))) reachableFrom(basename(path), found);
  }
  return found;
}

// The functions of all chunks share one require, which finds the hot ones here and the others beside this file.
const loader = `"use strict";
const hot={${[...hot].map((name) => `"./${name}":${chunks.get(name)}`).join(",\n")}};
const loaded={__proto__:null};
function load(name){
if(!name.startsWith("./"))return require(name);
if(loaded[name])return loaded[name].exports;
const module=loaded[name]={exports:{}};
(hot[name]||require(name))(load,module,module.exports);
return module.exports;
}
load("./main.js");
`;

// The entry last, and each by rename: a launcher that starts meanwhile finds a whole program.
const files = new Map();
for (const [name, code] of chunks) if (!hot.has(name)) files.set(name, `"use strict";module.exports=${code};\n`);
files.set("main.js", loader);
await mkdir(outdir, { recursive: true });
for (const [name, text] of files) {
  const temporary = join(outdir, `.${name}.${process.pid}`);
  await writeFile(temporary, text);
  await rename(temporary, join(outdir, name));
}
for (const name of await readdir(outdir)) {
  if (!files.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}
