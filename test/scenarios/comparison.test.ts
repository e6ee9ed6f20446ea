/** The comparison with other launchers: the README's table, and the versions in docs/comparison.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

/** The cells of a table's rows, without its head. */
function rowsBelow(document: string, heading: string): readonly (readonly string[])[] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test("the README's table has at most eight rows, six columns and 120 characters in a line", () => {
  const rows = rowsBelow(read("README.md"), "Why");
  expect(rows).not.toEqual([]);
  expect(rows.length).toBeLessThanOrEqual(8);
  expect(rows.every((cells) => cells.length <= 6)).toBe(true);
  const lines = read("README.md").split("## Try it")[0]?.split("\n") ?? [];
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

test("the README's shares of passed cases are those of the conformance suite", () => {
  const [, ours = "", , , dotenvx = "", varlock = ""] =
    rowsBelow(read("README.md"), "Why").find(([label]) => label === "As a bare start") ?? [];
  const shares = new Map(
    rowsBelow(read("docs/conformance.md"), "Results").map(([name = "", , , share]) => [name, share]),
  );
  expect([ours.replace(" of cases", ""), dotenvx, varlock]).toEqual(
    ["exec, Node 20, 22, 24, 26", "dotenvx", "varlock"].map((name) => shares.get(name)),
  );
});

test("the README's comparison names the versions that the benchmark and the tests run", () => {
  const versions = new Map<string, string>();
  for (const [names = "", numbers = ""] of rowsBelow(read("docs/comparison.md"), "What was read")) {
    const split = numbers.split(", ");
    for (const [index, name] of names.split(", ").entries()) {
      versions.set(
        name.replaceAll("`", "").replace(" env run", "").replace("SOPS", "sops"),
        split[index] ?? split[0] ?? "",
      );
    }
  }
  const npm = read("bench/peers/package.json").matchAll(/"(?:@dotenvx\/)?([\w-]+)": "([\d.]+)"/g);
  const built = read("bench/peers/fetch.sh").matchAll(/^ {4}(pulumi|sops|secretspec|fnox|chamber)\) echo ([\d.]+)/gm);
  const pypi = read("test/scenarios/coming-from-dotenv.slow.test.ts").matchAll(/"(p[\w-]+s|python-dotenv)==([\d.]+)"/g);
  const run = [...npm, ...built, ...pypi].map(([, name = "", version = ""]) => [name, version] as const);
  const others = run.filter(([name, version]) => name !== "cross-env" && versions.get(name) !== version);
  expect(run.length).toBeGreaterThan(10);
  expect(others).toEqual([]);
});
