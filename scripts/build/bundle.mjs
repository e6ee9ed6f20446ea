// src/ as CommonJS, which Node.js starts several milliseconds sooner than ES modules.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { builtCommit } from "./commit.mjs";
import { withUsedRequests } from "./sdk.mjs";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Groups of modules that are needed together, each in one file, because each further file costs Node.js up to half a
 * millisecond. Every run loads `program`. Any other module behind an `import()` is a file of its own. The bundler's helpers are
 * in one more.
 */
const GROUPS = [
  { name: "program", tags: ["$initial"], priority: 1 },
  // Before the groups that use it.
  {
    name: "looks-secret",
    test: /\/src\/contract\/(?:looks-secret|credential-forms|known-credentials)\.ts$/,
    priority: 2,
  },
  { name: "url", test: /\/src\/core\/url\.ts$/, priority: 2 },
  // Else `broker` would have it, and its modules of Node.js would be loaded for each of the many files that use it.
  { name: "names", test: /\/src\/core\/names\.ts$/, priority: 2 },
  // Precedes the groups with messages.
  { name: "stderr", test: /\/src\/output\/stderr\.ts$/, priority: 1 },
  { name: "start-error", test: /\/src\/launch\/(?:program\/start-error|exec\/by-node)\.ts$/ },
  // In front of it, since it takes priority: spawn mode by the monitor needs nothing else of that. A parent process also asks
  // for the state of processes; a start that replaces itself does only under options of Node.js.
  { name: "monitor", test: /\/src\/launch\/(?:monitor\/replace-by-monitor|proc\/process-stat)\.ts$/, priority: 1 },
  { name: "spawn", test: /\/src\/launch\/spawn\/spawn\.ts$/ },
  { name: "masking", test: /\/src\/(?:commands\/run\/output-masking|launch\/masking\/open)\.ts$/ },
  { name: "load", test: /\/src\/(?:contract\/(?:file\/load-file|apply|format|contract-words)|core\/suggest)\.ts$/ },
  { name: "risks", test: /\/src\/(?:resolve\/risks-of-files|contract\/file\/dangerous-default)\.ts$/ },
  // Precedes `esc`: a start from the cache needs no more of it.
  {
    name: "access",
    test: /\/src\/(?:esc\/settings\/access-settings|access\/esc-access|resolve\/open-store|output\/progress)\.ts$/,
    priority: 1,
  },
  // In front of it: a start that remembers what it has told needs no more of it.
  { name: "private-folder", test: /\/src\/system\/(?:private-folder|folders)\.ts$/, priority: 1 },
  // Precedes `esc`: the broker needs no more of it.
  { name: "network", test: /\/src\/network\/pool\.ts$/, priority: 1 },
  { name: "broker", test: /\/src\/commands\/run\/broker\/run-broker\.ts$/ },
  { name: "cached", test: /\/src\/sources\/cached\/read\.ts$/ },
  { name: "esc", test: /\/src\/(?:sources\/esc-layers|esc\/api\/sdk)\.ts$/ },
  { name: "dotenv", test: /\/src\/sources\/dotenv\/thorough\.ts$/ },
];

/**
 * @param define identifiers in the sources, with their values
 * @param plugins of rolldown
 * @param form output options in place of {@link OUTPUT}'s
 * @returns rolldown's chunks, those of {@link GROUPS} under these names
 */
export async function bundle(define = {}, plugins = [], form = {}) {
  const all = { SOPHIA_RUN_COMMIT: JSON.stringify(builtCommit(ROOT)), ...define };
  const build = await rolldown({ ...(await options(all, plugins)), input: { program: "src/main.ts" } });
  const { output } = await build.generate({
    ...OUTPUT,
    ...form,
    // Compiled code is stored by this name, so it must change with the content.
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

/** The output options of all bundles. */
export const OUTPUT = {
  format: "cjs",
  exports: "named",
  strict: true,
  minify: true,
  comments: false,
  // `import()` becomes a plain require: no ES module loader is started.
  dynamicImportInCjs: false,
  externalLiveBindings: false,
};

/** Returns rolldown's input options for an entry of src/. */
async function options(define = {}, plugins = []) {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return {
    cwd: ROOT,
    platform: "node",
    preserveEntrySignatures: false,
    plugins: [withUsedRequests(ROOT), ...plugins],
    resolve: {
      alias: {
        // The ESC SDK runs on our own HTTP client.
        axios: join(ROOT, "scripts/no-axios.mjs"),
        // The other form hides its modules from a bundler.
        "jsonc-parser": "jsonc-parser/lib/esm/main.js",
        // The form for Node.js is larger, and prints what it reads if LOG_TOKENS or LOG_STREAM is set.
        yaml: join(ROOT, "node_modules/yaml/browser/dist/index.js"),
      },
    },
    transform: {
      target: "node20.19",
      define: {
        SOPHIA_RUN_VERSION: JSON.stringify(version),
        SOPHIA_RUN_PHASES: "false",
        // yargs resolves `extends` of configuration files with it; there are none.
        "import.meta.resolve": "undefined",
        ...define,
      },
    },
  };
}

/**
 * Bundles src/loader.ts, the command that npm installs, for a bundle whose entry has this name.
 *
 * @returns the text of one file
 */
export async function bundleLoader(program, define = {}, form = {}) {
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
  const { output } = await build.generate({ format: "cjs", strict: true, minify: true, comments: false, ...form });
  await build.close();
  return `#!/usr/bin/env node\n${asAscii(output[0].code)}`;
}

/** Removes the loading of the bundler's helpers from files that do not use them. */
function withoutIdleRequire(code) {
  return code.replace(/^("use strict";)require\("\.\/rolldown-runtime-[\w-]+\.cjs"\);/, "$1");
}

/** Escapes characters beyond ASCII: V8 reads a text with one character beyond Latin-1 in twice the time. */
export function asAscii(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
