// Compiles src/ to executables without Node.js: `npm run build:standalone` for this machine, `-- --all` for every target,
// `-- linux-x64-musl …` for some. Each is Bun, from npm, with the program as bytecode. For Linux QuickJS is in front, for starts
// without Bun; `-- --why` makes an executable that reports the reason of each fallback to Bun.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileAddons } from "./build/addon.mjs";
import { withBeforeBun } from "./build/before-bun.mjs";
import { BUN_VERSION, executableName, HOST, TARGETS, targetsOf } from "./build/targets.mjs";
import { bundle } from "./build/bundle.mjs";
import { withoutBun } from "./build/without-bun.mjs";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache", "bun", BUN_VERSION);
const outdir = join(root, "dist-standalone");

/**
 * Variables that turn the executable into an interpreter or open its debugger. No option of Bun's turns them off. On Linux
 * Bun does not see them (before-bun.c). Elsewhere their names in the executable are replaced by the empty name, which no
 * variable has.
 */
const DISARMED = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT", "BUN_INSPECT_CONNECT_TO", "BUN_INSPECT_PRELOAD"];

/** True if starts report the reason of a fallback to Bun. */
const saysWhy = process.argv.includes("--why");
const names = targetsOf(process.argv.slice(2).filter((word) => word !== "--why"));
const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
if (unknown !== undefined) {
  process.stderr.write(`no target ${unknown}; there are ${Object.keys(TARGETS).join(", ")}\n`);
  process.exit(1);
}

const bundled = join(outdir, "bundle");
mkdirSync(bundled, { recursive: true });
// yargs looks for translations next to its own file; there are none. This path is absolute on Windows as well.
const chunks = await bundle({
  "import.meta.url": JSON.stringify("file:///C:/sophia-run.js"),
  SOPHIA_RUN_STANDALONE: "true",
  SOPHIA_RUN_NATIVE_FILES: JSON.stringify(JSON.stringify(nativeFiles())),
});
for (const { fileName, code } of chunks) writeFileSync(join(bundled, fileName), code);
const { fileName: entry } = chunks.find(({ isEntry }) => isEntry);
const compiler = executableOf(HOST);
/** The same for every processor. */
const files = names.some((name) => name.startsWith("linux")) ? await withoutBun(root) : undefined;
for (const name of names) compile(name);
rmSync(bundled, { recursive: true });

function compile(name) {
  const [system, processor] = name.split("-");
  const base = system === "linux" ? executableOf(name) : disarmed(name);
  const output = join(outdir, executableName(name));
  build(name, base, join(bundled, entry), output);
  if (system === "linux") {
    // Renames, because the former one may be running.
    writeFileSync(`${output}.new`, withBeforeBun(root, output, processor, files, saysWhy), { mode: 0o755 });
    renameSync(`${output}.new`, output);
  }
  if (name === HOST) {
    verify(output);
    // An empty program, whose cost the benchmark compares.
    const nothing = join(bundled, "empty.cjs");
    writeFileSync(nothing, "");
    build(name, base, nothing, join(cache, "..", `empty-${process.platform}-${process.arch}`));
  }
  process.stdout.write(`${output}\n`);
}

/** @param base the runtime to which the program is appended */
function build(name, base, source, output) {
  const options = [
    "--compile",
    `--compile-executable-path=${base}`,
    `--target=${TARGETS[name].package}`,
    `--outfile=${output}`,
    "--format=cjs",
    "--bytecode",
    "--minify",
    // Files that the runtime reads would break the program's precedence.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-tsconfig",
    "--no-compile-autoload-package-json",
  ];
  execFileSync(compiler, ["build", ...options, source], { stdio: ["ignore", "ignore", "inherit"], cwd: outdir });
  chmodSync(output, 0o755);
}

/** Returns the addons by file, as base64, for src/launch/standalone/embedded-addon.ts. */
function nativeFiles() {
  const { addons, monitors, missing } = compileAddons(root);
  for (const [platform, problem] of missing) {
    process.stderr.write(`${platform}: built without the addons: ${problem}\n`);
  }
  return Object.fromEntries(Array.from([...addons, ...monitors], ([name, bytes]) => [name, bytes.toString("base64")]));
}

/** Fetches Bun for a target by `npm pack`, because npm installs no package of another platform. */
function executableOf(name) {
  const { package: bun, executable = "bun" } = TARGETS[name];
  const folder = join(cache, name);
  const path = join(folder, "package", "bin", executable);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync(
    "npm",
    ["pack", "--silent", "--pack-destination", folder, `@oven/${bun}@${BUN_VERSION}`],
    {
      encoding: "utf8",
    },
  );
  const archive = join(folder, packed.trim().split("\n").at(-1));
  execFileSync("tar", ["-xzf", archive, "-C", folder], { stdio: "inherit" });
  rmSync(archive);
  if (!existsSync(path)) throw new Error(`@oven/${bun}@${BUN_VERSION} holds no executable`);
  chmodSync(path, 0o755);
  return path;
}

/** Returns Bun for a target without the names of {@link DISARMED}, each of which must occur as a string. */
function disarmed(target) {
  const from = executableOf(target);
  const bytes = readFileSync(from);
  for (const name of DISARMED) {
    const text = Buffer.from(`\0${name}\0`, "latin1");
    let found = 0;
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) {
      bytes.write("\0", at + 1, "latin1");
      found += 1;
    }
    if (found === 0) throw new Error(`${name} is not where it was expected in ${from}`);
  }
  const path = join(cache, `disarmed-${target}`);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

/** Tries the variables that must have no effect, because a new Bun may read them differently. */
function verify(output) {
  const preload = join(outdir, "preload.cjs");
  writeFileSync(preload, 'require("node:fs").writeSync(1, "taken over");');
  const attempts = [
    { BUN_BE_BUN: "1" },
    { BUN_OPTIONS: `--preload ${preload}` },
    { BUN_INSPECT_PRELOAD: preload },
    { NODE_OPTIONS: `--require ${preload}` },
    ...(process.platform === "linux" ? [{ BUN_JSC_noSuchOption: "1" }, { NODE_CHANNEL_FD: "1" }] : []),
  ];
  for (const env of attempts) {
    const { status, stdout } = spawnSync(output, ["-e", 'console.log("taken over")'], { env, encoding: "utf8" });
    const { stdout: launched } = spawnSync(output, ["--no-contract", "--", "/bin/echo"], { env, encoding: "utf8" });
    if (status !== 125 || stdout !== "" || (launched !== "\n" && process.platform !== "win32")) {
      rmSync(output);
      throw new Error(`${Object.keys(env)[0]} takes the executable over`);
    }
  }
  rmSync(preload);
  if (process.platform === "linux") {
    const script = 'ulimit -Sn 256; "$0" --no-contract -- sh -c "ulimit -Sn"';
    const { stdout } = spawnSync("sh", ["-c", script, output], { encoding: "utf8" });
    if (stdout !== "256\n")
      throw new Error(`the program's soft limit of open files is ${stdout.trim()} in place of 256`);
  }
}
