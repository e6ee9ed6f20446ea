// Checks the imports of src/, native/ and runtime/: `npm run layers [-- FOLDER]`, of this repository or of another folder, for
// tests. A module is a folder of src/, native/ or runtime/. No module imports from a layer above its own, and neither modules nor
// files import each other in a circle. Imports of types, `import()` and #include of C count.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The layers from the lowest up. Modules of one layer may import each other, in one direction. */
const LAYERS = [
  // C code of both forms, and what TypeScript must know of it.
  ["native", "core"],
  ["system", "network", "esc", "masking"],
  ["sources", "contract", "broker", "launch"],
  ["command-line"],
  ["resolve"],
  ["output"],
  ["commands"],
  ["main.ts", "loader.ts", "action", "runtime"],
];

/** Replaces Node.js for all others: it imports nothing but native/, and no module imports it. */
const RUNTIME = "runtime";

/** The build of the executable finds headers here as well. Code of both forms includes Node-API, which is either's own. */
const HEADERS = "runtime/native";
const OF_EITHER = "node_api.h";

/** The layers inside a module, from the lowest up. */
const INSIDE = { esc: ["settings", "faults", "transport", "auth", "definition", "api"] };

const root = process.argv[2] ?? join(import.meta.dirname, "..");
/** In one order, for the messages. */
const files = new Set(
  ["src", "native", "runtime"]
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => `${folder}/${file}`))
    .filter((file) => /\.(?:ts|c|h)$/.test(file) && !/^runtime\/(?:build|test)\//.test(file))
    .toSorted((one, other) => one.localeCompare(other)),
);
const imports = new Map(Array.from(files, (file) => [file, importsOf(file)]));
const problems = [...misplaced(), ...circles(imports, "files"), ...circles(byModule(), "modules")];
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

/** Returns the files that a file imports. */
function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  if (!file.endsWith(".ts")) return includesOf(file, text);
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  const paths = Array.from(found, ([, path]) => normalize(join(dirname(file), path)));
  return [...new Set(paths)].filter((path) => files.has(path));
}

/** Returns the files that a file of C includes, each where the compiler finds it first. */
function includesOf(file, text) {
  const names = Array.from(text.matchAll(/^\s*#\s*include\s*["<]([^">]+)[">]/gm), ([, name]) => name);
  return names.flatMap((name) => {
    if (name === OF_EITHER && !file.startsWith(HEADERS)) return [];
    const places = [dirname(file), HEADERS].map((folder) => normalize(join(folder, name)));
    return places.find((path) => files.has(path)) ?? [];
  });
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

/** Returns true if one of them, and not the other, is of the runtime, but for what it shares with Node.js. */
function isApart(file, other) {
  const [module, imported] = [moduleOf(file), moduleOf(other)];
  return module !== imported && (imported === RUNTIME || (module === RUNTIME && imported !== "native"));
}

function misplaced() {
  return [...files].flatMap((file) => {
    if (layerOf(file) === -1) return [`${file} is in no layer: add its folder to LAYERS in scripts/layers.mjs`];
    const isAbove = (imported) => layerOf(imported) > layerOf(file) || isAboveInside(imported, file);
    return imports.get(file).flatMap((imported) => {
      if (isApart(file, imported))
        return [`${file} imports ${imported}: the runtime and the product share native/ alone`];
      return isAbove(imported) ? [`${file} imports ${imported}, which is in a higher layer`] : [];
    });
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
