// Bundles src/ into bin/sophia-run.cjs and dist/, in chunks that are read only if they are needed, compiles the addons and the
// monitor, and copies the executables for Linux if they are built. With `--pack` it names those that are not; with `--release`
// whatever is missing is an error, and everything is compiled. With `--if-changed` nothing is bundled or compiled if the inputs
// are those of the last build.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { compileAddons } from "./build/addon.mjs";
import { builtCommit } from "./build/commit.mjs";
import { EXECUTABLES, placeExecutables } from "./build/executables.mjs";
import { hashOfInputs, SOURCES_OF_ADDONS } from "./build/inputs.mjs";
import { fetchZig } from "../runtime/build/parts/zig.mjs";

// npm packs files with their modes.
process.umask(0o022);

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");
/**
 * The hash of the inputs, and the names of the files that were built; if all addons and monitors were, also the hash of their
 * inputs, and that of each of them.
 */
const record = join(outdir, ".build.json");

const isRelease = process.argv.includes("--release");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const notPlaced = placeExecutables(root, version, isRelease ? builtCommit(root) : undefined);
for (const [name, problem] of notPlaced) {
  const message = `the package is without dist/${name}, which ${problem}: npm run build:standalone -- ${name.slice("sophia-run-".length)}`;
  if (isRelease) throw new Error(message);
  if (process.argv.includes("--pack")) process.stderr.write(`${message}\n`);
}

// Hashed before the build: a change during the build causes the next one.
const hash = hashOfInputs(root);
const hashOfAddons = hashOfInputs(root, SOURCES_OF_ADDONS);
const last = existsSync(record) ? JSON.parse(readFileSync(record, "utf8")) : undefined;
if (process.argv.includes("--if-changed") && isBuilt()) process.exit();

// The bundler takes 150 ms to load.
const { bundle, bundleLoader } = await import("./build/bundle.mjs");

const chunks = await bundle({ SOPHIA_RUN_FOLDER: "__dirname", SOPHIA_RUN_STANDALONE: "false" });
// A release has the same bytes on whatever machine it is built.
const pinnedCompiler = isRelease ? fetchZig(root).compiler : undefined;
const { addons, monitors, missing } =
  (isRelease ? undefined : addonsOfLastBuild()) ?? compileAddons(root, pinnedCompiler);
const problem = missing.get(`${process.platform}-${process.arch}`);
if (problem !== undefined) {
  process.stderr.write(`built without the addon by which sophia-run becomes the program: ${problem}\n`);
}
if (missing.size > 0 && isRelease) {
  const list = Array.from(missing, ([platform, why]) => `${platform}: ${why}`);
  throw new Error(`no addon for ${list.join("; ")} (see docs/maintaining.md)`);
}

await mkdir(outdir, { recursive: true });
// An interrupted build would leave files of two builds.
await rm(record, { force: true });
// Callees are written before their callers: the addons, then the bundle, the command last.
const compiled = Array.from([...addons, ...monitors], ([name, content]) => [`dist/${name}`, content]);
const files = new Map(compiled);
for (const { fileName, code } of chunks) files.set(`dist/${fileName}`, code);
// Node.js reads no package.json for a .cjs file.
files.set("bin/sophia-run.cjs", await bundleLoader(chunks.find(({ isEntry }) => isEntry).fileName));
for (const [name, content] of files) await replaceFile(join(root, name), content);
const kept = new Set([...Array.from(files.keys(), (name) => basename(name)), ...EXECUTABLES]);
for (const name of await readdir(outdir)) {
  if (!kept.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}

const digests = Object.fromEntries(compiled.map(([name, content]) => [name, digestOf(content)]));
const all = missing.size === 0 ? { hashOfAddons, digests } : {};
await replaceFile(record, JSON.stringify({ hash, files: [...files.keys()], ...all }));

function isBuilt() {
  return last?.hash === hash && last.files.every((name) => existsSync(join(root, name)));
}

/** Returns what `compileAddons` does, if nothing of it has changed since it was compiled, which takes most of a build. */
function addonsOfLastBuild() {
  if (last?.hashOfAddons !== hashOfAddons) return undefined;
  const contents = Object.keys(last.digests).map((name) => {
    const path = join(root, name);
    return [name, existsSync(path) ? readFileSync(path) : Buffer.of()];
  });
  if (contents.some(([name, content]) => digestOf(content) !== last.digests[name])) return undefined;
  const ofKind = (isMonitor) =>
    new Map(
      contents
        .filter(([name]) => name.endsWith("-monitor") === isMonitor)
        .map(([name, content]) => [basename(name), content]),
    );
  return { addons: ofKind(false), monitors: ofKind(true), missing: new Map() };
}

function digestOf(content) {
  return createHash("sha256").update(content).digest("hex");
}

/** Writes by rename, so that a launcher finds a whole file. */
async function replaceFile(path, content) {
  const temporary = `${path}.${process.pid}`;
  const isExecuted = path.endsWith("sophia-run.cjs") || path.endsWith("-monitor");
  await writeFile(temporary, content, { mode: isExecuted ? 0o755 : 0o644 });
  await rename(temporary, path);
}
