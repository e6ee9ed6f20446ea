// Bundles src/ into bin/sophia-run.cjs and dist/, in chunks that are read only if they are needed, compiles the addons and the
// monitor, and copies the executables for Linux if they are built. With `--pack` it names those that are not; with `--release`
// whatever is missing is an error. With `--if-changed` nothing is bundled or compiled if the inputs are those of the last build.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { compileAddons } from "./build/addon.mjs";
import { builtCommit } from "./build/commit.mjs";
import { EXECUTABLES, placeExecutables } from "./build/executables.mjs";
import { hashOfInputs } from "./build/inputs.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist");
/** The hash of the inputs, and the names of the files that were built. */
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
if (process.argv.includes("--if-changed") && isBuilt()) process.exit();

// The bundler takes 150 ms to load.
const { bundle, bundleLoader } = await import("./build/bundle.mjs");

const chunks = await bundle({ SOPHIA_RUN_FOLDER: "__dirname", SOPHIA_RUN_STANDALONE: "false" });
const { addons, monitors, missing } = compileAddons(root);
const problem = missing.get(`${process.platform}-${process.arch}`);
if (problem !== undefined) {
  process.stderr.write(`built without the addon by which sophia-run becomes the program: ${problem}\n`);
}
if (missing.size > 0 && isRelease) {
  const list = Array.from(missing, ([platform, why]) => `${platform}: ${why}`);
  throw new Error(`no addon for ${list.join("; ")} (see CONTRIBUTING.md)`);
}

await mkdir(outdir, { recursive: true });
// An interrupted build would leave files of two builds.
await rm(record, { force: true });
// Callees are written before their callers: the addons, then the bundle, the command last.
const files = new Map(Array.from([...addons, ...monitors], ([name, content]) => [`dist/${name}`, content]));
for (const { fileName, code } of chunks) files.set(`dist/${fileName}`, code);
// Node.js reads no package.json for a .cjs file.
files.set("bin/sophia-run.cjs", await bundleLoader(chunks.find(({ isEntry }) => isEntry).fileName));
for (const [name, content] of files) await replaceFile(join(root, name), content);
const kept = new Set([...Array.from(files.keys(), (name) => basename(name)), ...EXECUTABLES]);
for (const name of await readdir(outdir)) {
  if (!kept.has(name) && !name.startsWith(".")) await rm(join(outdir, name), { force: true });
}

await replaceFile(record, JSON.stringify({ hash, files: [...files.keys()] }));

function isBuilt() {
  if (!existsSync(record)) return false;
  const last = JSON.parse(readFileSync(record, "utf8"));
  return last.hash === hash && last.files.every((name) => existsSync(join(root, name)));
}

/** Writes by rename, so that a launcher finds a whole file. */
async function replaceFile(path, content) {
  const temporary = `${path}.${process.pid}`;
  const isExecuted = path.endsWith("sophia-run.cjs") || path.endsWith("-monitor");
  await writeFile(temporary, content, { mode: isExecuted ? 0o755 : 0o644 });
  await rename(temporary, path);
}
