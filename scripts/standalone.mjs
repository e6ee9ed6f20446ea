// Compiles src/ to executables without Node.js: `npm run build:standalone` for this machine, `-- --all` for every target,
// `-- linux-arm64 …` for some. For Linux each is QuickJS with the runtime (runtime/); for macOS and Windows it
// is Bun, from npm, with the program as bytecode.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executableName, HOST, TARGETS, targetsOf } from "./build/targets.mjs";
import { bundle } from "./build/bundle.mjs";
import { renderedHelp } from "./build/help.mjs";
import { buildLinuxExecutable } from "./build/linux-executable.mjs";
import { BUN } from "../runtime/build/parts/versions.mjs";
import { buildProgress } from "./build/progress.mjs";
import { runScript } from "../runtime/build/failure.mjs";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache", "bun", BUN.version);
const outdir = join(root, "dist-standalone");

/**
 * Variables that turn an executable of Bun into an interpreter or open its debugger. No option of Bun's turns them off. Their
 * names in the executable are replaced by the empty name, which no variable has.
 */
const DISARMED = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT", "BUN_INSPECT_CONNECT_TO", "BUN_INSPECT_PRELOAD"];

/** The compiler of executables with Bun on Linux. */
const BUN_OF_LINUX = { x64: "bun-linux-x64", arm64: "bun-linux-aarch64" };

const names = targetsOf(process.argv.slice(2));
const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
if (unknown !== undefined) {
  process.stderr.write(`no target ${unknown}; there are ${Object.keys(TARGETS).join(", ")}\n`);
  process.exit(1);
}

mkdirSync(outdir, { recursive: true });
const progress = buildProgress(join(root, ".cache", "standalone-seconds.json"), names);
const forLinux = names.filter((name) => name.startsWith("linux"));
const withBun = names.filter((name) => !forLinux.includes(name));
await runScript(async () => {
  for (const name of forLinux) process.stdout.write(`${await buildLinuxExecutable(root, name, progress)}\n`);
  if (withBun.length > 0) await buildWithBun();
});

async function buildWithBun() {
  const bundled = join(outdir, "bundle");
  mkdirSync(bundled, { recursive: true });
  const chunks = await bundle({ SOPHIA_RUN_STANDALONE: "true" }, [await renderedHelp()]);
  for (const { fileName, code } of chunks) writeFileSync(join(bundled, fileName), code);
  const { fileName: entry } = chunks.find(({ isEntry }) => isEntry);
  for (const name of withBun) {
    const output = join(outdir, executableName(name));
    const { step, end } = progress.start(name);
    step("compiling with Bun");
    build(name, disarmed(name), join(bundled, entry), output);
    if (name === HOST) verify(output);
    end();
    process.stdout.write(`${output}\n`);
  }
  rmSync(bundled, { recursive: true });
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
  execFileSync(executableOf(HOST), ["build", ...options, source], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: outdir,
  });
  chmodSync(output, 0o755);
}

/** Fetches Bun for a target by `npm pack`, because npm installs no package of another platform. */
function executableOf(name) {
  const { package: bun = BUN_OF_LINUX[process.arch], executable = "bun" } = TARGETS[name];
  const whole = `@oven/${bun}@${BUN.version}`;
  const folder = join(cache, name);
  const path = join(folder, "package", "bin", executable);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, whole], {
    encoding: "utf8",
  });
  const archive = join(folder, packed.trim().split("\n").at(-1));
  const checksum = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (checksum !== BUN.packages[`@oven/${bun}`]) throw new Error(`${whole} has another checksum: ${checksum}`);
  execFileSync("tar", ["-xzf", archive, "-C", folder], { stdio: "inherit" });
  rmSync(archive);
  if (!existsSync(path)) throw new Error(`${whole} holds no executable`);
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
}
