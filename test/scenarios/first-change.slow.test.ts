/** The first change of CONTRIBUTING.md: a format of the contract, in a copy of the sources. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { skipBecause } from "../helpers/skip.ts";
import { folder, isStandalone } from "../helpers/sophia.ts";

skipBecause(isStandalone ? "no executable takes part" : undefined);

const root = join(import.meta.dirname, "../..");
const text = /\n## A first change\n(.*?)\n## /s.exec(readFileSync(join(root, "CONTRIBUTING.md"), "utf8"))?.[1] ?? "";
const named = Array.from(text.matchAll(/`((?:schema|src|test)\/[\w/.-]+)`/g), ([, path = ""]) => path);

test("the page about the first change names only files and folders that exist", () => {
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("a new format makes the compiler name the places that must handle it, which are those of the page's fourth step", () => {
  const path = folder();
  const settings = readFileSync(join(root, "tsconfig.json"), "utf8");
  writeFileSync(join(path, "tsconfig.json"), settings.replace(/"include": \[[^\]]*\]/, '"include": ["src", "native"]'));
  for (const name of ["src", "native"]) cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  const model = join(path, "src/contract/contract-model.ts");
  writeFileSync(model, readFileSync(model, "utf8").replaceAll('| "email"', '| "email" | "uuid"'));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [compiler, "--noEmit"], { cwd: path, encoding: "utf8" });
  const reported = new Set(Array.from(stdout.matchAll(/^(src\/\S+)\(\d+,\d+\): error/gm), ([, file = ""]) => file));
  const [, step = ""] = /\n4\. (.*?)\n5\. /s.exec(text) ?? [];
  expect(reported).toEqual(new Set(named.filter((file) => step.includes(`- \`${file}\`:`))));
  expect(reported.size).toBeGreaterThan(4);
});
