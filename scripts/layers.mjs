// Checks the imports of src/, native/ and runtime/: `npm run layers [-- FOLDER]`, of this repository or of another folder, for
// tests; and that ARCHITECTURE.md draws the modules as they are, which `npm run layers -- --write` does. A module is a folder of src/, native/ or runtime/. No module imports from a layer above its own, and neither modules nor
// files import each other in a circle. Imports of types, `import()` and #include of C count. No two files have the same name.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The layers from the lowest up. Modules of one layer may import each other, in one direction. */
const LAYERS = [
  // C code of both forms, and what TypeScript must know of it.
  ["native", "core"],
  ["trust", "system", "network", "esc", "masking"],
  ["sources", "contract", "broker", "launch"],
  ["command-line"],
  ["access"],
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

/** Names that say what a file is only together with its folder. Files of runtime/ are named like modules of Node.js. */
const NAMED_BY_FOLDER = new Set(["index.ts", "main.ts", "definition.ts"]);

/** The layers inside a module, from the lowest up. */
const INSIDE = { esc: ["settings", "faults", "transport", "auth", "definition", "api"] };

const DRAWING = "<!-- modules: npm run layers -- --write -->\n\n```text\n";
const END_OF_DRAWING = "```\n\n<!-- end of the modules -->";

const isWriting = process.argv[2] === "--write";
const root = (isWriting ? undefined : process.argv[2]) ?? join(import.meta.dirname, "..");
/** In one order, for the messages. */
const files = new Set(
  ["src", "native", "runtime"]
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => `${folder}/${file}`))
    .filter((file) => /\.(?:ts|c|h|inc)$/.test(file) && !/^runtime\/(?:build|test)\//.test(file))
    .toSorted((one, other) => one.localeCompare(other)),
);
const imports = new Map(Array.from(files, (file) => [file, importsOf(file)]));
const problems = [
  ...misplaced(),
  ...namesakes(),
  ...circles(imports, "files"),
  ...circles(byModule(), "modules"),
  ...misdrawn(),
];
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

/** Returns a line for each name that several files of src/ and native/ have. */
function namesakes() {
  const byName = new Map();
  for (const file of files) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    const isNamedByFolder = NAMED_BY_FOLDER.has(name) || file.startsWith(`${RUNTIME}/`) || file.includes("/generated/");
    if (!isNamedByFolder) byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  return Array.from(byName.values())
    .filter((all) => all.length > 1)
    .map((all) => `files have the same name, so that a search finds several: ${all.join(", ")}`);
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
  return layerOfModule(moduleOf(file));
}

function layerOfModule(name) {
  return LAYERS.findIndex((modules) => modules.includes(name));
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

/** Draws the modules into ARCHITECTURE.md, or compares. A folder of a test has none. */
function misdrawn() {
  const file = join(root, "ARCHITECTURE.md");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const [before, rest, ...more] = text.split(DRAWING);
  const [, behind] = rest?.split(END_OF_DRAWING) ?? [];
  if (behind === undefined || more.length > 0) return ["ARCHITECTURE.md does not have both marks of the modules"];
  const drawn = `${before}${DRAWING}${drawing()}\n${END_OF_DRAWING}${behind}`;
  if (drawn === text) return [];
  if (!isWriting) return ["ARCHITECTURE.md draws other modules or imports: npm run layers -- --write"];
  writeFileSync(file, drawn);
  return [];
}

/** Returns a line for each module, from the highest down; its imports are the marks below its name. */
function drawing() {
  const arrows = byModule();
  const names = LAYERS.toReversed().flatMap((modules) => importersFirst(modules, arrows));
  const lines = names.map((name, row) => {
    const cells = names.slice(0, row).map((above, column) => {
      if (arrows.get(above)?.has(name)) return "● ";
      return names.slice(row).some((below) => arrows.get(names[column])?.has(below)) ? "│ " : "  ";
    });
    return `${layerOfModule(name) + 1}  ${cells.join("")}${name}`;
  });
  return lines.join("\n");
}

function importersFirst(modules, arrows) {
  const left = [...modules];
  const sorted = [];
  while (left.length > 0) {
    const next = left.findIndex((name) => !left.some((other) => arrows.get(other)?.has(name)));
    // A circle is a problem of its own.
    sorted.push(...left.splice(Math.max(next, 0), 1));
  }
  return sorted;
}
