// Checks how the rooms of src/ import each other: `node scripts/floors.mjs`. A room is a folder of src/; no room imports
// from one that stands above it, no two rooms and no two files import each other, directly or by way of others. Imports of
// types and `import()` count like all others: what is needed by two stands below both.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/** From the ground up. Rooms of one floor may import each other, in one direction. */
export const FLOORS = [
  ["core"],
  ["system", "esc", "masking"],
  ["sources", "contract", "launch"],
  ["command-line"],
  ["resolve"],
  ["output"],
  ["commands"],
  ["main.ts", "loader.ts", "action"],
];

/** Folders of a room that stand on each other, too. */
const INSIDE = { esc: ["settings", "faults", "transport", "auth", "definition", "api"] };

const src = join(import.meta.dirname, "../src");
const files = readdirSync(src, { recursive: true }).filter((file) => file.endsWith(".ts"));
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const problems = [...misplaced(), ...circles(imports, "files"), ...circles(byRoom(), "rooms")];
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

/** The files of src/ that a file imports, in any way. */
function importsOf(file) {
  const text = readFileSync(join(src, file), "utf8");
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...new Set(Array.from(found, ([, path]) => normalize(join(dirname(file), path))))].filter(
    (path) => path.endsWith(".ts") && !relative(src, join(src, path)).startsWith(".."),
  );
}

function roomOf(file) {
  return file.split("/")[0];
}

function floorOf(file) {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)));
}

/** Whether one file of a room stands above another of the same room. */
function isAboveInside(file, other) {
  const folders = INSIDE[roomOf(file)];
  if (folders === undefined || roomOf(file) !== roomOf(other)) return false;
  return folders.indexOf(file.split("/")[1]) > folders.indexOf(other.split("/")[1]);
}

function misplaced() {
  return files.flatMap((file) => {
    if (floorOf(file) === -1) return [`src/${file} is in no room: name its folder in scripts/floors.mjs`];
    const isAbove = (imported) => floorOf(imported) > floorOf(file) || isAboveInside(imported, file);
    const above = imports.get(file).filter(isAbove);
    return above.map((imported) => `src/${file} imports src/${imported}, which stands above it`);
  });
}

function byRoom() {
  const rooms = new Map();
  for (const [file, imported] of imports) {
    const known = rooms.get(roomOf(file)) ?? new Set();
    for (const other of imported) if (roomOf(other) !== roomOf(file)) known.add(roomOf(other));
    rooms.set(roomOf(file), known);
  }
  return rooms;
}

/** Each circle once, by a walk that goes back to where it has been. */
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
