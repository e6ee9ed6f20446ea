// Runs `npm ci` if it has not run since package-lock.json changed. The scripts that a fresh clone starts with call it first, so it
// needs nothing but Node.js, and also an old Node.js must be able to read it.
import { spawn } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRESS_MS = 3000;

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const locked = packagesIn("package-lock.json");
/** npm writes this file last: it is missing after an installation that was interrupted. */
const installed = packagesIn("node_modules/.package-lock.json");

if (!isSupported(process.versions.node, manifest.engines.node)) {
  fail(
    `this is Node.js ${process.versions.node}, and sophia-run needs ${manifest.engines.node}`,
    "install one of these versions: https://nodejs.org/en/download",
  );
} else if (!isCurrent()) {
  // npm would delete what the link leads to.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(
      "node_modules is a symbolic link to packages that package-lock.json does not name",
      "remove the link, then run the command again",
    );
  } else {
    await install();
  }
}

/** Returns the packages of a lock file by their paths; none if it is missing or damaged. */
function packagesIn(file) {
  try {
    const { "": _, ...packages } = JSON.parse(readFileSync(join(root, file), "utf8")).packages;
    return packages;
  } catch {
    return {};
  }
}

/** Compares contents, not times, which each checkout and each copy sets again. Optional packages are those for other systems, too. */
function isCurrent() {
  return Object.entries(locked).every(([path, { version, integrity, optional }]) => {
    const found = installed[path];
    return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
  });
}

async function install() {
  const required = Object.keys(locked).filter((path) => locked[path].optional !== true);
  const began = Date.now();
  const report = (what) => process.stderr.write(`npm ci: ${what}\n`);
  report(
    `installing the ${required.length} packages of package-lock.json, which takes half a minute without npm's cache`,
  );
  // npm removes what was there; until then the files of former packages would count.
  let isCleared = Object.keys(installed).length === 0;
  const timer = setInterval(() => {
    const there = required.filter((path) => existsSync(join(root, path, "package.json"))).length;
    isCleared = isCleared || there < required.length;
    if (isCleared) report(`${there} of ${required.length} packages, ${Math.round((Date.now() - began) / 1000)} s`);
  }, PROGRESS_MS);
  const status = await runNpm(["ci", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"]);
  clearInterval(timer);
  if (status !== 0) fail("npm ci failed", "see its message above, then run the command again");
}

/** Runs the npm that has started this script. @returns its exit status, or 1 */
function runNpm(args) {
  const own = process.env["npm_execpath"] ?? "";
  const isOwn = basename(own) === "npm-cli.js";
  const [file, first] = isOwn ? [process.execPath, [own]] : ["npm", []];
  return new Promise((resolve) => {
    // Windows has npm as a file for its shell.
    const options = { cwd: root, stdio: ["ignore", 2, 2], shell: !isOwn && process.platform === "win32" };
    spawn(file, [...first, ...args], options)
      .once("error", () => resolve(1))
      .once("close", (code) => resolve(code ?? 1));
  });
}

/** @param range alternatives like `^20.19.0` and `>=24` */
function isSupported(version, range) {
  const [major, minor] = version.split(".").map(Number);
  return range.split("||").some((alternative) => {
    const [, kind, lowest, least = "0"] = /^\s*(\^|>=)(\d+)(?:\.(\d+))?/.exec(alternative) ?? [];
    if (kind === ">=" && major > Number(lowest)) return true;
    return major === Number(lowest) && minor >= Number(least);
  });
}

function fail(problem, remedy) {
  process.stderr.write(`sophia-run: ${problem}\n  ${remedy}\n`);
  process.exitCode = 1;
}
