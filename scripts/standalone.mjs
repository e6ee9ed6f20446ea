// Compiles src/ to executables that need no Node.js: `npm run build:standalone` for this machine, with `-- --all` for every
// target, with `-- linux-x64-musl …` for some. Each is Bun, from npm, with the program as bytecode behind it; for Linux with
// QuickJS in front, in which most starts do without Bun (`-- --why` makes one that tells which do not, and why).
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
 * Variables with which whoever controls the environment could make the executable an interpreter of their own code, or
 * open its debugger. No option of Bun's turns them off. On Linux Bun does not see them (before-bun.c). Elsewhere their names
 * are taken out of it: where a name stood there is the empty one, which no variable has.
 */
const DISARMED = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT", "BUN_INSPECT_CONNECT_TO", "BUN_INSPECT_PRELOAD"];

/** Whether a start without Bun is to tell why it leaves to Bun: for those who look into it. */
const saysWhy = process.argv.includes("--why");
const names = targetsOf(process.argv.slice(2).filter((word) => word !== "--why"));
const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
if (unknown !== undefined) {
  process.stderr.write(`no target ${unknown}; there are ${Object.keys(TARGETS).join(", ")}\n`);
  process.exit(1);
}

const bundled = join(outdir, "bundle");
mkdirSync(bundled, { recursive: true });
// yargs asks where it lies, to find translations, of which there are none; this is absolute on Windows, too.
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
    // By rename: the former one may be running.
    writeFileSync(`${output}.new`, withBeforeBun(root, output, processor, files, saysWhy), { mode: 0o755 });
    renameSync(`${output}.new`, output);
  }
  if (name === HOST) {
    verify(output);
    // What Bun takes by itself: the benchmark tells it beside ours.
    const nothing = join(bundled, "empty.cjs");
    writeFileSync(nothing, "");
    build(name, base, nothing, join(cache, "..", `empty-${process.platform}-${process.arch}`));
  }
  process.stdout.write(`${output}\n`);
}

/** @param base the runtime to put the program behind */
function build(name, base, source, output) {
  const options = [
    "--compile",
    `--compile-executable-path=${base}`,
    `--target=${TARGETS[name].package}`,
    `--outfile=${output}`,
    "--format=cjs",
    "--bytecode",
    "--minify",
    // The runtime's own reading of files would break the precedence of the program's.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-tsconfig",
    "--no-compile-autoload-package-json",
  ];
  execFileSync(compiler, ["build", ...options, source], { stdio: ["ignore", "ignore", "inherit"], cwd: outdir });
  chmodSync(output, 0o755);
}

/** What the program needs of the system, by file, as base64: src/launch/standalone/embedded-addon.ts loads it. */
function nativeFiles() {
  const { addons, monitors, missing } = compileAddons(root);
  for (const [platform, problem] of missing) {
    process.stderr.write(`${platform}: built without the addons: ${problem}\n`);
  }
  return Object.fromEntries(Array.from([...addons, ...monitors], ([name, bytes]) => [name, bytes.toString("base64")]));
}

/** Bun for a target, from npm: packed, since npm installs nothing that is for another platform. */
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

/** Bun for a target without the names of {@link DISARMED}; each must be there, as a string of its own. */
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

/** A new Bun may read its variables in another way: what must not work is tried. */
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
