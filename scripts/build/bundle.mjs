// src/ as CommonJS, which Node.js starts several milliseconds sooner than ES modules.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "../..");

/**
 * What is needed together is one file, since each further file costs Node.js up to half a millisecond: `program` has what
 * every run loads, each of the others what one need takes beyond that. All else that is behind an `import()` is a file of
 * its own. The bundler keeps its helpers in one more, which few need.
 */
export const GROUPS = [
  { name: "program", tags: ["$initial"], priority: 1 },
  { name: "loopback", test: /\/src\/core\/loopback\.ts$/, priority: 2 },
  // In front of those that say something, too.
  { name: "stderr", test: /\/src\/output\/stderr\.ts$/, priority: 1 },
  { name: "start-error", test: /\/src\/launch\/(?:program\/start-error|exec\/by-node)\.ts$/ },
  // In front of it, since it takes priority: where the monitor stays beside the program, nothing else of that is needed.
  { name: "hand-over", test: /\/src\/launch\/monitor\/hand-over\.ts$/, priority: 1 },
  { name: "spawn", test: /\/src\/launch\/spawn\/spawn\.ts$/ },
  { name: "redact", test: /\/src\/(?:commands\/run\/redaction|launch\/redact\/(?:outputs|continuation))\.ts$/ },
  { name: "load", test: /\/src\/(?:contract\/(?:file\/load|words)|core\/(?:code-values|suggest))\.ts$/ },
  // In front of it, since it takes priority: a start that reads its cache needs no more of ESC.
  {
    name: "access",
    test: /\/src\/(?:esc\/settings\/access|resolve\/from-esc|output\/progress)\.ts$/,
    priority: 1,
  },
  // In front of it: a start that remembers what it has told needs no more of it.
  { name: "private-folder", test: /\/src\/system\/(?:private-folder|cache-folder|folders)\.ts$/, priority: 1 },
  { name: "cached", test: /\/src\/sources\/cached\/read\.ts$/ },
  { name: "esc", test: /\/src\/(?:sources\/esc|esc\/api\/sdk)\.ts$/ },
  { name: "dotenv", test: /\/src\/sources\/dotenv\/value\.ts$/ },
];

/**
 * @param define what stands in the sources for a value that the build knows
 * @returns rolldown's chunks, those of {@link GROUPS} under these names
 */
export async function bundle(define = {}) {
  const build = await rolldown({ ...(await options(define)), input: { program: "src/main.ts" } });
  const { output } = await build.generate({
    ...OUTPUT,
    // A file of this name never has another content: by it the compiled code is kept.
    entryFileNames: "[name]-[hash].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    codeSplitting: { groups: GROUPS },
  });
  await build.close();
  const missing = GROUPS.find(({ name }) => !output.some((chunk) => chunk.name === name));
  if (missing !== undefined) throw new Error(`no file ${missing.name}: its sources have other names now`);
  return output.map((chunk) => ({ ...chunk, code: asAscii(withoutIdleRequire(chunk.code)) }));
}

/**
 * The GitHub Action.
 *
 * @returns the text of one file
 */
export async function bundleAction() {
  const build = await rolldown({ ...(await options()), input: "src/action/main.ts" });
  const { output } = await build.generate({ ...OUTPUT, codeSplitting: false });
  await build.close();
  return asAscii(output[0].code);
}

const OUTPUT = {
  format: "cjs",
  exports: "named",
  strict: true,
  minify: true,
  comments: false,
  // `import()` becomes a plain require: no ES module loader is started.
  dynamicImportInCjs: false,
  externalLiveBindings: false,
};

/** What rolldown takes for any entry of src/. */
async function options(define = {}) {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return {
    cwd: ROOT,
    platform: "node",
    preserveEntrySignatures: false,
    resolve: {
      alias: {
        // The ESC SDK runs on our own HTTP client.
        axios: join(ROOT, "scripts/no-axios.mjs"),
        // Its other form hides its parts from a bundler.
        "jsonc-parser": "jsonc-parser/lib/esm/main.js",
      },
    },
    transform: {
      target: "node20.19",
      define: {
        SOPHIA_RUN_VERSION: JSON.stringify(version),
        SOPHIA_RUN_PHASES: "false",
        // yargs would find by it what a configuration file extends; there is none.
        "import.meta.resolve": "undefined",
        ...define,
      },
    },
  };
}

/**
 * What npm installs as the command: src/loader.ts, for a bundle whose entry has this name.
 *
 * @returns the text of one file
 */
export async function bundleLoader(program, define = {}) {
  const build = await rolldown({
    cwd: ROOT,
    input: "src/loader.ts",
    platform: "node",
    transform: {
      target: "node20.19",
      define: {
        SOPHIA_RUN_FOLDER: "__dirname",
        SOPHIA_RUN_PROGRAM: JSON.stringify(`./${program}`),
        SOPHIA_RUN_PHASES: "false",
        ...define,
      },
    },
  });
  const { output } = await build.generate({ format: "cjs", strict: true, minify: true, comments: false });
  await build.close();
  return `#!/usr/bin/env node\n${asAscii(output[0].code)}`;
}

/**
 * What the bundle finds in place of Node.js in a start without Bun, for a bundle whose entry has this name.
 *
 * @returns a function, as an expression
 */
export async function bundleHost(program) {
  const build = await rolldown({
    cwd: ROOT,
    input: "src/launch/standalone/without-bun/host.ts",
    transform: {
      target: "node20.19",
      define: {
        SOPHIA_RUN_PROGRAM: JSON.stringify(`./${program}`),
      },
    },
  });
  const { output } = await build.generate({
    format: "iife",
    name: "host",
    strict: true,
    minify: true,
    comments: false,
  });
  await build.close();
  return `(function(native){${asAscii(output[0].code)}\nhost.host(native)})`;
}

/** The bundler has each file load its helpers, used or not; they do nothing by themselves. */
function withoutIdleRequire(code) {
  return code.replace(/^("use strict";)require\("\.\/rolldown-runtime-[\w-]+\.cjs"\);/, "$1");
}

/** V8 takes twice the time to read a text with one character beyond Latin-1. These stand in strings and patterns only. */
function asAscii(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
