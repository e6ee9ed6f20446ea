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

test("the drawing has each module, and each import of a module by another, and no others", () => {
  const lines = /```text\n(.*?)```\n\n<!-- end of the modules/s.exec(text)?.[1]?.trimEnd().split("\n") ?? [];
  const names = lines.map((line) => line.slice(3).replaceAll(/^[●│ ]*/g, ""));
  const arrows = lines.flatMap((line, row) =>
    names.slice(0, row).flatMap((above, column) => (line[3 + 2 * column] === "●" ? `${above} ${names[row]}` : [])),
  );
  expect(arrows.filter((arrow) => !arrow.startsWith("runtime ")).toSorted()).toStrictEqual(arrowsOfSources());
  expect(arrows.filter((arrow) => arrow.startsWith("runtime "))).toStrictEqual(["runtime native"]);
  const modules = readdirSync(join(ROOT, "src")).concat("native", "runtime");
  expect(names.toSorted()).toStrictEqual(modules.toSorted());
});

test("the walk through a start names the five steps, and files that there are", () => {
  const boot = /\n## Boot\n(.*?)\n## /s.exec(text)?.[1] ?? "";
  const steps = Array.from(boot.matchAll(/\*\*(\w+)\*\*/g), ([, step]) => step);
  expect(steps).toStrictEqual(["Options", "Sources", "Precedence", "Contract", "Launch"]);
  const inRun = readFileSync(join(ROOT, "src/commands/run/run.ts"), "utf8").matchAll(/^ {2}\/\/ \d\. (\w+):/gm);
  expect(Array.from(inRun, ([, step]) => step)).toStrictEqual(steps);
  const files = Array.from(boot.matchAll(/`([\w/-]+\.ts)`/g), ([, file = ""]) => file);
  expect(files.length).toBeGreaterThan(12);
  expect(files.filter((file) => !existsSync(join(ROOT, "src", file)))).toStrictEqual([]);
});
