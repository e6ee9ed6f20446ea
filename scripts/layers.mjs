// Checks the imports of src/ and runtime/: `npm run layers`. A module is a folder of src/, or runtime/. No module imports from a
// layer above its own, and neither modules nor files import each other in a circle. Imports of types and `import()` count.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The layers from the lowest up. Modules of one layer may import each other, in one direction. */
const LAYERS = [
  ["core"],
  ["system", "network", "esc", "masking"],
  ["sources", "contract", "broker", "launch"],
  ["command-line"],
  ["resolve"],
  ["output"],
  ["commands"],
  // The runtime replaces Node.js for all of these.
  ["main.ts", "loader.ts", "action", "runtime"],
];

/** The layers inside a module, from the lowest up. */
const INSIDE = { esc: ["settings", "faults", "transport", "auth", "definition", "api"] };

const root = join(import.meta.dirname, "..");
const files = ["src", "runtime"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith(".ts") && !file.startsWith("runtime/test/"));
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const problems = [...misplaced(), ...circles(imports, "files"), ...circles(byModule(), "modules")];
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

/** Returns the files that a file imports. */
function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  const paths = Array.from(found, ([, path]) => normalize(join(dirname(file), path)));
  return [...new Set(paths)].filter((path) => files.includes(path));
}

function moduleOf(file) {
  const [folder, name] = file.split("/");
  return folder === "src" ? name : folder;
}

function layerOf(file) {
  return LAYERS.findIndex((modules) => modules.includes(moduleOf(file)));
}

/** Returns true if another file of the same module is in a lower layer of it. */
function isAboveInside(file, other) {
  const folders = INSIDE[moduleOf(file)];
  if (folders === undefined || moduleOf(file) !== moduleOf(other)) return false;
  return folders.indexOf(file.split("/")[2]) > folders.indexOf(other.split("/")[2]);
}

function misplaced() {
  return files.flatMap((file) => {
    if (layerOf(file) === -1) return [`${file} is in no layer: add its folder to LAYERS in scripts/layers.mjs`];
    const isAbove = (imported) => layerOf(imported) > layerOf(file) || isAboveInside(imported, file);
    const above = imports.get(file).filter(isAbove);
    return above.map((imported) => `${file} imports ${imported}, which is in a higher layer`);
  });
}

function byModule() {
  const modules = new Map();
  for (const [file, imported] of imports) {
    const known = modules.get(moduleOf(file)) ?? new Set();
    for (const other of imported) if (moduleOf(other) !== moduleOf(file)) known.add(moduleOf(other));
    modules.set(moduleOf(file), known);
  }
  return modules;
}

/** Returns each circle once, by a depth-first search. */
function circles(arrows, what) {
  const found = [];
  const done = new Set();
  const walk = (node, path) => {
    const at = path.indexOf(node);
    if (at >= 0) found.push(`${what} import each other: ${[...path.slice(at), node].join(" -> ")}`);
    if (at >= 0 || done.has(node)) return;
    for (const next of arrows.get(node) ?? []) walk(next, [...path, node]);
    done.add(node);
  };
  for (const node of arrows.keys()) walk(node, []);
  return found;
}
