/** The tables of docs/broker.md agree with the code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createRefusalAnswer, type RefusalCode } from "../../src/broker/refusals.ts";
import { parseRule } from "../../src/contract/broker/path-rules.ts";
import { GITHUB_TOKENS, PROVIDERS } from "../../src/contract/broker/providers.ts";
import { sectionOf } from "../helpers/markdown.ts";
import { GO, JAVASCRIPT, MAVEN, PYTHON } from "./clients/packages.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/broker.md"), "utf8");

/** Returns the cells of each row of a section's table, without the head. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, ...rows] = (sectionOf(document, heading).match(/^\|.*\|$/gm) ?? []).filter((row) => !row.startsWith("| -"));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const namesIn = (text: string): readonly string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);

/** Variables that end with _HOST are goose's. They have a sentence below the table instead. */
const isListed = (name: string): boolean => !name.endsWith("_HOST");

test("the table of providers has each key with its variables", () => {
  const rows = rowsOf("Providers").map(([key = "", variables = ""]) => [namesIn(key)[0], namesIn(variables)]);
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(Object.entries(PROVIDERS).map(([key, { base }]) => [key, Object.keys(base).filter(isListed)])),
  );
  const others = Object.values(PROVIDERS).flatMap(({ base }) => Object.keys(base).filter((name) => !isListed(name)));
  expect(others).toContain("OPENAI_HOST");
  for (const name of others) expect(sectionOf(document, "Providers")).toContain(`\`${name}\``);
});

test.each([
  ["npm", 2, JAVASCRIPT],
  ["PyPI", 3, PYTHON],
] as const)("the table of providers names the packages that the tests use, from %s", (_, column, packages) => {
  const cells = rowsOf("Providers").map((row) => row[column] ?? "");
  const named = cells.flatMap((cell) => (["needs a line", "Claude Code alone"].includes(cell) ? [] : cell.split(", ")));
  expect(named.toSorted()).toEqual(
    Object.entries(packages)
      .map(([name, version]) => `${name} ${version}`)
      .toSorted(),
  );
});

test.each([
  ["Go", GO],
  ["Maven", MAVEN],
])("the section about providers names the packages that the tests use, for %s", (name, packages) => {
  const versions = Object.entries(packages).map(([each, version]) => `${each} ${version}`);
  expect(sectionOf(document, "Providers")).toContain(`\n- ${name}: ${versions.join(", ")}`);
});

test("the section about denied paths lists the built-in denials of each provider", () => {
  const items = sectionOf(document, "Paths that are denied").match(/^- [^]*?(?=\n- |\n\n)/gm) ?? [];
  const denied = items.map((item) => {
    const [key = "", ...paths] = namesIn(item);
    const host = PROVIDERS[key]?.isGithub === true ? "api.github.com: " : "";
    return [key, paths.map((path) => parseRule(`${host}* ${path}/**`)?.text)];
  });
  // The tokens of GitHub have the same denials.
  const [, ...others] = GITHUB_TOKENS;
  const rules = Object.entries(PROVIDERS).flatMap(([key, { deny }]) =>
    deny === undefined || others.includes(key) ? [] : [[key, deny]],
  );
  expect(Object.fromEntries(denied)).toEqual(Object.fromEntries(rules));
});

test("the table of refusals has the status of each code", () => {
  const codes: readonly RefusalCode[] = [
    "broker-request",
    "broker-key",
    "broker-denied",
    "broker-limit",
    "broker-method",
    "broker-tls",
    "broker-upstream",
  ];
  const rows = rowsOf("Refusals").map(([status = "", code = ""]) => [namesIn(code)[0], Number(status)]);
  const statuses = codes.map((code) => [code, createRefusalAnswer({ code, message: "" }).status]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(statuses));
});
