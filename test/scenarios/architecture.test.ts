/** ARCHITECTURE.md draws the modules and walks through a start as they are. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");

/** Returns the modules of src/ that each module of it imports, with native/, found without scripts/layers.mjs. */
function arrowsOfSources(): readonly string[] {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const moduleOf = (path: string): string => path.replace(/^src\//, "").replace(/\/.*/, "");
  const arrows = files.flatMap((file) => {
    const code = readFileSync(join(ROOT, "src", file), "utf8");
    const paths = Array.from(
      code.matchAll(/(?:from|import|import\() ?"(\.{1,2}\/[^"]+\.ts)"/g),
      ([, path = ""]) => path,
    );
    return paths.map((path) => `${moduleOf(file)} ${moduleOf(normalize(join("src", dirname(file), path)))}`);
  });
  return [...new Set(arrows)].filter((arrow) => new Set(arrow.split(" ")).size === 2).toSorted();
}

test("the drawing in ARCHITECTURE.md has each module, and each import of a module by another, and no others", () => {
  const lines =
    /<!-- modules:.*?```text\n(.*?)```\n\n<!-- end of the modules/s.exec(text)?.[1]?.trimEnd().split("\n") ?? [];
  const names = lines.map((line) => line.slice(3).replaceAll(/^[●│ ]*/g, ""));
  const arrows = lines.flatMap((line, row) =>
    names.slice(0, row).flatMap((above, column) => (line[3 + 2 * column] === "●" ? `${above} ${names[row]}` : [])),
  );
  expect(arrows.filter((arrow) => !arrow.startsWith("runtime ")).toSorted()).toStrictEqual(arrowsOfSources());
  expect(arrows.filter((arrow) => arrow.startsWith("runtime "))).toStrictEqual(["runtime native"]);
  const modules = readdirSync(join(ROOT, "src")).concat("native", "runtime");
  expect(names.toSorted()).toStrictEqual(modules.toSorted());
});

/** Returns the files that a part of the document names, as paths from src/ or native/. */
function filesIn(part: string): readonly string[] {
  return Array.from(part.matchAll(/(?<![\w/-])((?:[\w-]+\/)+[\w-]+\.(?:ts|c))\b/g), ([, file = ""]) => file);
}

function isThere(file: string): boolean {
  return ["src", "."].some((folder) => existsSync(join(ROOT, folder, file)));
}

test("the picture of a start has the stages that the record and the code have", () => {
  const picture = /## Stages of a start\n.*?```text\n(.*?)```/s.exec(text)?.[1] ?? "";
  const rows = Array.from(picture.matchAll(/^(\w+) +([\w/-]+\.ts) /gm), ([, stage, file = ""]) => ({ stage, file }));
  const record = readFileSync(join(ROOT, "src/resolve/start.ts"), "utf8");
  const fields = /export interface Start \{\n(.*?)\n\}/s.exec(record)?.[1]?.matchAll(/^ {2}readonly (\w+):/gm) ?? [];
  const stages = Array.from(fields, ([, field]) => field).filter((field) => field !== "environment");
  expect(rows.map(({ stage }) => stage)).toStrictEqual([...stages, "attendants", "launch"]);
  expect(rows.filter(({ file }) => !isThere(file))).toStrictEqual([]);
  // The settings are known before.
  const called = readFileSync(join(ROOT, "src/resolve/stages.ts"), "utf8");
  const files = rows.slice(1, stages.length).map(({ file }) => file.replace("resolve/", "./"));
  expect(files.filter((file) => !called.includes(`from "${file}"`))).toStrictEqual([]);
});

test("ARCHITECTURE.md names no missing file", () => {
  const named = [...new Set(filesIn(text))].filter((file) => !/^(?:test|bench|scripts|docs|dist|runtime)\//.test(file));
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((file) => !isThere(file))).toStrictEqual([]);
});
