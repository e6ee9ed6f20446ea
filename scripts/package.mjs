// Makes the whole package of a checkout, with the executables for Linux, and puts it into a folder:
//
//   npm run package -- ../my-app             # sophia-run-VERSION.tgz, for npm, pnpm, Yarn and Bun
//   npm run package -- --python ../my-app    # a wheel for each processor, for pip, uv and the like
//
// An executable is built if its inputs have changed. What cannot be built is left out, with the reason; the package then starts
// Node.js in its place.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { BuildFailure } from "../runtime/build/failure.mjs";
import { EXECUTABLES } from "./build/executables.mjs";
import { buildLinuxExecutable, isExecutableBuilt } from "./build/linux-executable.mjs";
import { buildProgress } from "./build/progress.mjs";
import { executableName, LINUX_TARGETS } from "./build/targets.mjs";

const USAGE = "usage: npm run package -- [--python] FOLDER, such as ../my-app";

const root = join(import.meta.dirname, "..");
/** npm runs scripts in the repository; FOLDER is relative to the folder of the user. */
const cwd = process.env["INIT_CWD"] ?? process.cwd();
const [options, folders] = [true, false].map((isOption) =>
  process.argv.slice(2).filter((word) => word.startsWith("-") === isOption),
);
const isPython = options.length === 1 && options[0] === "--python";
const to = resolve(cwd, folders[0] ?? ".");

if (folders.length !== 1 || options.length !== (isPython ? 1 : 0)) {
  fail(USAGE);
} else if (statSync(to, { throwIfNoEntry: false })?.isDirectory() !== true) {
  fail(`there is no folder ${folders[0]}`, `mkdir -p '${to.replaceAll("'", String.raw`'\''`)}'`);
} else {
  const built = await buildExecutables();
  if (isPython) packWheels(built);
  else packPackage(built);
}

/** Builds what can be built. @returns the targets that have an executable */
async function buildExecutables() {
  const outdated = LINUX_TARGETS.filter((target) => !isExecutableBuilt(root, target));
  const leftOut = [];
  if (process.platform !== "linux") {
    for (const target of outdated) leftOut.push([target, "Linux alone builds it"]);
  } else if (outdated.length > 0) {
    const progress = buildProgress(join(root, ".cache", "standalone-seconds.json"), outdated);
    for (const target of outdated) {
      try {
        await buildLinuxExecutable(root, target, progress);
      } catch (error) {
        if (!(error instanceof BuildFailure)) throw error;
        leftOut.push([target, error.message.trim().split("\n")[0]]);
      }
    }
  }
  for (const [target, why] of leftOut) process.stderr.write(`left out: the executable for ${target}: ${why}\n`);
  const missing = new Set(leftOut.map(([target]) => target));
  return LINUX_TARGETS.filter((target) => !missing.has(target));
}

function packPackage(built) {
  node("scripts/build.mjs", "--if-changed");
  // The build has also copied those of former sources.
  const current = new Set(built.map(executableName));
  for (const name of EXECUTABLES) if (!current.has(name)) rmSync(join(root, "dist", name), { force: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const packing = ["pack", "--json", "--ignore-scripts", "--pack-destination", to];
  const shell = process.platform === "win32";
  const text = execFileSync(npm, packing, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], shell });
  const [{ filename, size }] = JSON.parse(text);
  const holds = built.length === 0 ? "without an executable, so that Node.js starts it" : `with ${built.join(" and ")}`;
  print(`${shown(join(to, filename))}: ${(size / 1e6).toFixed(1)} MB, ${holds}`);
  print("install it in that folder, or with another package manager as the README says:");
  print(`  npm install ./${filename}`);
}

function packWheels(built) {
  if (built.length === 0) {
    return fail("a wheel is an executable, and none can be built", "see above; `npm run package -- FOLDER` needs none");
  }
  const made = node("scripts/wheel.mjs", ...built)
    .trim()
    .split("\n");
  for (const path of made) {
    copyFileSync(path, join(to, basename(path)));
    print(shown(join(to, basename(path))));
  }
  print("install the one for your processor in that folder, for example:");
  print(`  pip install ./${basename(made[0])}`);
}

/** @returns the standard output */
function node(...args) {
  return execFileSync(process.execPath, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function shown(path) {
  return relative(cwd, path) || path;
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function fail(...lines) {
  process.stderr.write(`${lines.join("\n  ")}\n`);
  process.exitCode = 1;
}
