// Finds out which functions of sophia-run a start in exec mode executes. V8's coverage counts them, in a bundle in which names and
// files can still be told apart. The package must be built.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, bundleLoader } from "../build/bundle.mjs";
import { runWithoutDescriptors } from "./clean-descriptors.mjs";

const ROOT = join(import.meta.dirname, "../..");
const READABLE = { minify: false, comments: true };
/** The loader runs each file of the bundle inside of a function, which begins with this text. */
const WRAPPER = "(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){";
/** The comment that rolldown puts before the code of each file. */
const FILE = /^\/\/ ((?:src|native|node_modules)\/\S+)$/gm;

/**
 * Counts by V8's coverage, in place of the execve(2) by which the program would replace this process.
 *
 * @param folder of the bundle @param report the file to write
 */
const preload = (folder, report) => `
const { Session } = require("node:inspector");
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
const dlopen = process.dlopen;
process.dlopen = function (module, ...rest) {
  dlopen.call(this, module, ...rest);
  if (typeof module.exports.execve !== "function") return;
  const execve = () => {
    session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      const scripts = result.filter(({ url }) => url.includes(${JSON.stringify(folder)}));
      require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify(scripts));
    });
    process.reallyExit(0);
  };
  module.exports = Object.create(module.exports, { execve: { value: execve } });
};`;

/**
 * Returns the names of the functions that a start executes, by the file that has them. Functions without a name, such as those
 * that are passed to `map`, are part of the one around them.
 *
 * @param {readonly string[]} args those of sophia-run
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [surroundings] of the start; by default those of this process
 * @returns {Promise<ReadonlyMap<string, ReadonlySet<string>>>}
 * @throws if the start fails
 */
export async function executedFunctions(args, { cwd, env = process.env } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-executed-"));
  try {
    const [bin, dist, report] = ["bin", "dist", "report.json"].map((name) => join(folder, name));
    for (const each of [bin, dist]) mkdirSync(each);
    const defined = { SOPHIA_RUN_FOLDER: "__dirname", SOPHIA_RUN_STANDALONE: "false" };
    const chunks = await bundle(defined, [], READABLE);
    for (const { fileName, code } of chunks) writeFileSync(join(dist, fileName), code);
    const { fileName } = chunks.find(({ isEntry }) => isEntry);
    writeFileSync(join(bin, "sophia-run.cjs"), await bundleLoader(fileName, {}, READABLE));
    for (const name of readdirSync(join(ROOT, "dist"))) {
      if (/\.node$|-monitor$/.test(name)) copyFileSync(join(ROOT, "dist", name), join(dist, name));
    }
    writeFileSync(join(folder, "preload.cjs"), preload(folder, report));
    const command = ["--require", join(folder, "preload.cjs"), join(bin, "sophia-run.cjs"), ...args];
    // V8 does not count functions whose code a former start has put into the cache.
    const surroundings = { cwd, env: { ...env, NODE_DISABLE_COMPILE_CACHE: "1" } };
    const { status, stderr } = runWithoutDescriptors([process.execPath, ...command], surroundings);
    if (status !== 0) throw new Error(`the start ended with ${status}: ${stderr}`);
    return functionsByFile(JSON.parse(readFileSync(report, "utf8")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function functionsByFile(scripts) {
  const byFile = new Map();
  for (const { url, functions } of scripts) {
    const path = url.replace(/^file:\/\//, "");
    const text = readFileSync(path, "utf8");
    const isWrapped = path.includes("/dist/");
    const files = Array.from(text.matchAll(FILE), ({ index, 1: file }) => ({ index, file }));
    for (const { functionName, ranges } of functions) {
      const [{ startOffset, count }] = ranges;
      const at = startOffset - (isWrapped ? WRAPPER.length : 0);
      const file = files.findLast(({ index }) => index <= at)?.file;
      // `get` is how the bundler exports a binding.
      if (count === 0 || file === undefined || functionName === "" || functionName === "get") continue;
      byFile.set(file, (byFile.get(file) ?? new Set()).add(functionName));
    }
  }
  return byFile;
}
