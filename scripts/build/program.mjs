// The program as scripts and chunks. Three steps:
// 1. esbuild bundles and splits, which it does for ES modules only;
// 2. each chunk becomes a CommonJS function by itself;
// 3. chunks that are needed together go into one script, since each further file costs Node half a millisecond.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";

/**
 * The scripts (bin/sophia-run loads them) and the sources with which a chunk begins that belongs to them. What
 * `eager` names is needed by every run; of the others, which are many runs' need, the text is there but not compiled.
 */
const eager = "src/main.ts";
const scripts = {
  program: ["src/launch/exec/replace.ts", "src/launch/spawn/spawn.ts", "src/sources/dotenv/value.ts"],
  esc: ["src/sources/esc.ts", "src/esc/api/sdk.ts"],
};

/** @returns the files' texts by name, which of them are scripts, and esbuild's account of what went into them */
export async function bundleProgram({ root, target, version }) {
  const options = {
    absWorkingDir: root,
    entryPoints: { main: eager },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target,
    minify: true,
    legalComments: "none",
    // The ESC SDK runs on our own HTTP client; jsonc-parser's main file calls require by another name.
    alias: { axios: "./scripts/no-axios.mjs", "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    chunkNames: "[name]-[hash]",
    // The name by which programText has it.
    define: { SOPHIA_RUN_VERSION: JSON.stringify(version), SOPHIA_RUN_FOLDER: "folder" },
    write: false,
    metafile: true,
    logLevel: "warning",
    plugins: [entryIsModule],
  };
  const { metafile } = await build(options);
  const everywhere = sourcesOf(reachableFrom("main.js", metafile.outputs), metafile.outputs);
  const bundle = await build({ ...options, plugins: [entryIsModule, keepTogether(everywhere, root)] });
  const { outputs } = bundle.metafile;
  forbidCycles(outputs);
  const chunks = new Map();
  for (const file of bundle.outputFiles) chunks.set(basename(file.path), await toFunctionBody(file.text, target));

  // The entry's own chunk does no more than import the one that holds it all, and that perhaps esbuild's own helpers.
  const hot = [...reachableFrom("main.js", outputs)].filter((name) => name !== "main.js");
  const first = hot.find((name) => eager in outputs[`dist/${name}`].inputs);
  if (first === undefined || Object.keys(outputs["dist/main.js"].inputs).length > 0) {
    throw new Error(`${eager} is not in one chunk with all that every run needs`);
  }
  chunks.set(first, requireOnce(chunks.get(first)));
  const placed = new Set(["main.js", ...hot]);
  const belonging = Object.entries(scripts).map(([script, entries]) => {
    const names = entries.flatMap((entry) => [...reachableFrom(chunkOf(entry, outputs), outputs)]);
    const own = [...new Set(names)].filter((name) => !placed.has(name));
    for (const name of own) placed.add(name);
    return [script, own];
  });
  const files = new Map();
  for (const [name, body] of chunks) {
    if (!placed.has(name)) files.set(name, `"use strict";module.exports=${functionOf(body)};\n`);
  }
  for (const [script, names] of belonging) {
    const table = names
      .map((name) => `"./${name}":${functionOf(chunks.get(name))}`)
      .concat(script === "program" ? hot.map((name) => `"./${name}":(${functionOf(chunks.get(name))})`) : [])
      .join(",\n");
    const elsewhere = belonging.flatMap(([other, others]) =>
      other === "program" ? [] : others.map((name) => [`./${name}`, other]),
    );
    files.set(
      `${String(script)}.js`,
      script === "program"
        ? programText(table, first, Object.fromEntries(elsewhere))
        : `(function(){return{${table}}})\n`,
    );
  }
  return { files, scripts: Object.keys(scripts).map((name) => `${name}.js`), metafile: bundle.metafile };
}

/**
 * esbuild takes an entry without exports for CommonJS, and then wraps every module so that it can be run on demand and
 * its names are looked up from elsewhere: an eighth of the code cache.
 */
const entryIsModule = {
  name: "entry-is-module",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/main\.ts$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\nexport {};`,
      loader: "ts",
    }));
  },
};

/**
 * esbuild makes a chunk of those modules that the same entries import. So every entry, which each module is that is
 * imported dynamically, is made to import all that every run loads anyway: that is then one chunk, in which a name of
 * another module is as near as one of its own.
 */
function keepTogether(sources, root) {
  return {
    name: "keep-together",
    setup({ onResolve, onLoad }) {
      const entries = new Set();
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind === "dynamic-import") entries.add(join(resolveDir, path));
        return undefined;
      });
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        if (!entries.has(path)) return undefined;
        const imports = sources.map((source) => `import ${JSON.stringify(join(root, source))};`);
        return { contents: `${await readFile(path, "utf8")}\n${imports.join("\n")}`, loader: "ts" };
      });
    },
  };
}

/**
 * Each source requires the modules of Node's that it needs; for one chunk once will do. Only for sources of ours: their
 * imports stand at the top, where each name is seen by all.
 */
function requireOnce(code) {
  const names = new Map();
  return code.replaceAll(/([\w$]+)=require\("(node:\w+)"\)(?=[,;])/g, (text, name, module) => {
    const known = names.get(module);
    if (known === undefined) names.set(module, name);
    return known === undefined ? text : `${name}=${known}`;
  });
}

/** A chunk in a circle would ask for the exports of one that has not run to its end, when they are not yet final. */
function forbidCycles(outputs) {
  for (const path of Object.keys(outputs)) {
    const name = basename(path);
    for (const { path: imported, kind, external } of outputs[path].imports) {
      if (kind !== "import-statement" || external === true) continue;
      if (reachableFrom(basename(imported), outputs).has(name))
        throw new Error(`${name} imports itself by way of others`);
    }
  }
}

/** The sources of chunks. */
function sourcesOf(names, outputs) {
  return [...names].flatMap((name) => Object.keys(outputs[`dist/${name}`].inputs));
}

/**
 * All functions share one require, which finds chunks here, in the other scripts and in files of their own. A chunk
 * leaves a function that makes its exports: most runs need nothing but the first chunk, and nothing of what that one
 * exports.
 */
function programText(table, first, elsewhere) {
  return `(function(require,script,folder){"use strict";
const here={__proto__:null,${table}};
const elsewhere=${JSON.stringify({ __proto__: null, ...elsewhere })};
const loaded={__proto__:null};
function load(name){
const known=loaded[name]??=name.startsWith("./")?evaluate(name):{made:require(name)};
return known.made??=known.exports?.();
}
function evaluate(name){
if(!here[name])if(elsewhere[name])Object.assign(here,script(elsewhere[name]));else here[name]=require(folder+name.slice(1));
const module=loaded[name]={exports:undefined,made:undefined};
here[name](load,module);
return module;
}
evaluate("./${first}");
})
`;
}

function functionOf(body) {
  return `function(require,module){${body}}`;
}

/** The code of a function that fills `module.exports`. */
async function toFunctionBody(text, target) {
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
  // What a chunk leaves as its exports needs no copy in which a default is added.
  return exportLazily(code.trim().replaceAll(/\.then\(\(\)=>[\w$]+\((require\("\.\/[^"]+"\))\)\)/g, ".then(()=>$1)"));
}

/**
 * esbuild defines each export as a getter twice over, by a loop, which takes longer than all else that a chunk does at
 * its start. An object literal with the values is made at once, and only when it is asked for: after the chunk has run,
 * when they are final (the linter forbids to export what changes).
 */
function exportLazily(code) {
  if (!code.includes("module.exports=")) return code;
  const definitions = /[\w$]+\(([\w$]+),\{((?:[\w$]+:\(\)=>[\w$.]+,?)+)\}\);module\.exports=[\w$]+\(\1\);/;
  const [text, , list] = definitions.exec(code) ?? [];
  if (text === undefined) throw new Error("esbuild writes exports in another form than this expects");
  const values = list.replaceAll(/([\w$]+):\(\)=>([\w$.]+)/g, "$1:$2");
  return code
    .replace(text, () => `module.exports=()=>({__proto__:null,${values}});`)
    .replace(/0&&\(module\.exports=\{[\w$,]+\}\);$/, ""); // without effect, a list of the names for others
}

/** The chunks that a chunk imports statically, itself included. */
function reachableFrom(name, outputs, found = new Set()) {
  found.add(name);
  for (const { path, kind, external } of outputs[`dist/${name}`].imports) {
    if (kind === "import-statement" && external !== true && !found.has(basename(path))) {
      reachableFrom(basename(path), outputs, found);
    }
  }
  return found;
}

/** The chunk that begins with a source that is imported dynamically. */
function chunkOf(entry, outputs) {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry);
  if (found === undefined) throw new Error(`${entry} begins no chunk`);
  return basename(found[0]);
}
