import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, linksOf, proseOf, repositoryLinksOf } from "../helpers/markdown.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const PACKED = read("scripts/release/packed-files.txt").split("\n");

describe("a document of the package links only to files of the package, or to the web", () => {
  test.each(PACKED.filter((file) => file.endsWith(".md")))("in %s", (document) => {
    const dead = linksOf(read(document)).filter(({ file, anchor }) => {
      const target = file === "" ? document : normalize(join(dirname(document), file)).replace(/\/$/, "");
      if (!PACKED.some((one) => one === target || one.startsWith(`${target}/`))) return true;
      if (!existsSync(join(root, target))) return true;
      return anchor !== "" && target.endsWith(".md") && !anchorsOf(read(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });
});

describe("a document of the repository alone links only to files and headings that exist", () => {
  const below = (folder: string): readonly string[] =>
    readdirSync(join(root, folder)).map((name) => join(folder, name));
  const documents = [".", "docs", "docs/measurements"]
    .flatMap(below)
    .filter((file) => file.endsWith(".md") && !PACKED.includes(file));

  test("there are such documents", () => expect(documents).toContain("CHANGELOG.md"));

  test.each(documents)("in %s", (document) => {
    const dead = linksOf(read(document)).filter(({ file, anchor }) => {
      const target = file === "" ? document : normalize(join(dirname(document), file)).replace(/\/$/, "");
      if (!existsSync(join(root, target))) return true;
      return anchor !== "" && target.endsWith(".md") && !anchorsOf(read(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });
});

test("the package has no measurements, and no document for the developers of sophia-run", () => {
  for (const name of ["conformance", "maintaining"]) expect(existsSync(join(root, `docs/${name}.md`))).toBe(true);
  expect(PACKED.filter((file) => /^docs\/(?:conformance\.md|maintaining\.md|measurements\/)/.test(file))).toEqual([]);
});

describe("a document's address in this repository leads to a file and a heading of it", () => {
  const documents = PACKED.filter((file) => file.endsWith(".md") && repositoryLinksOf(read(file)).length > 0);

  test("in the package's documents, which have such addresses", () => expect(documents.length).toBeGreaterThan(5));

  test.each(documents)("in %s", (document) => {
    const dead = repositoryLinksOf(read(document)).filter(
      ({ file, anchor }) => !existsSync(join(root, file)) || (anchor !== "" && !anchorsOf(read(file)).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });
});

describe("a page spells ESC out where it first appears", () => {
  const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter((name) =>
    name.endsWith(".md"),
  );
  const first = (name: string): string | undefined => /\bESC\b.{0,60}/.exec(proseOf(read(name)))?.[0];

  test.each(pages.filter((name) => first(name) !== undefined))("in %s", (name) => {
    expect(first(name)).toMatch(/^ESC \(Environments, Secrets, and Configuration\)/);
  });
});

test("CONTRIBUTING.md or docs/maintaining.md names every script of package.json", () => {
  const manifest: unknown = JSON.parse(read("package.json"));
  // npm itself runs those that begin with `pre`; a script `x:check` is named by `x`.
  const scripts = Object.keys(Object(Object(manifest).scripts)).filter((name) => !name.startsWith("pre"));
  const text = read("CONTRIBUTING.md") + read("docs/maintaining.md");
  const missing = scripts.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`npm run ${name}`));
  expect(missing.filter((name) => name !== "test" && !name.endsWith(":check"))).toEqual([]);
});

describe("documents that tell others to run something", () => {
  const below = (folder: string): readonly string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
  const pages = ["maintaining", "platforms", "standalone", "github-action", "comparison"].map(
    (name) => `docs/${name}.md`,
  );
  const files = [".github", "bench", "native", "runtime", "scripts", "docs/measurements"]
    .flatMap(below)
    // The places have projects with scripts of their own.
    .filter((file) => /\.(?:[cm]?[jt]s|sh|md|yml)$/.test(file) && !file.startsWith("scripts/places/"))
    .concat("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", pages);
  const named = (pattern: RegExp) =>
    files.flatMap((file) => Array.from(read(file).matchAll(pattern), ([, name = ""]) => ({ file, name })));

  test("name only existing npm scripts", () => {
    const manifest: unknown = JSON.parse(read("package.json"));
    const scripts = Object.keys(Object(Object(manifest).scripts));
    const called = named(/\bnpm run (?:--silent |-s )?([a-z][a-z:-]*[a-z])\b/g);
    expect(called.length).toBeGreaterThan(20);
    expect(called.filter(({ name }) => !scripts.includes(name))).toEqual([]);
  });

  test("name only existing files", () => {
    const called = named(
      /\b(?:node|npx tsx|python3|sh) ((?:bench|runtime|scripts|test)\/[\w/.-]+\.(?:[cm]?[jt]s|py|sh))\b/g,
    );
    expect(called.length).toBeGreaterThan(20);
    expect(called.filter(({ name }) => !existsSync(join(root, name)))).toEqual([]);
  });
});
