/** The patches of QuickJS (runtime/quickjs). The build applies a patch exactly as it was made, or fails. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../../test/helpers/sophia.ts";
import { createPatch, runTask, type TaskResult } from "./helpers/patch-of.ts";

/** The source of two functions with the same lines. QuickJS has many of them. */
const BEFORE = ["first", "second"]
  .map((name) => `int ${name}(void) {\n  start();\n  work();\n  end();\n}\n`)
  .join("\n");
/** The changed source. The new line ends with a space, which git's setting `apply.whitespace` would remove. */
const AFTER = BEFORE.replace("  work();", "  work(1); ");

/** Makes a folder with published sources and patches of them. */
function makeSources(text: string, patches: Readonly<Record<string, string>>): string {
  const patchFiles = Object.entries(patches).map(([name, patch]) => [`patches/${name}.patch`, patch]);
  return folder({ "published/engine.c": text, "published/LICENSE": "free", ...Object.fromEntries(patchFiles) });
}

/** Applies the patches in a folder that {@link makeSources} has made. */
function applyPatches(root: string, env?: NodeJS.ProcessEnv): TaskResult {
  const [published = "", patches = "", prefix = ""] = ["published", "patches", "cache/engine"].map((name) =>
    join(root, name),
  );
  return runTask(["apply", published, patches, prefix], env);
}

/** Expects that the patches were applied, and returns the patched source. */
function readPatched({ status, stdout, stderr }: TaskResult): string {
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(stdout.trim(), "LICENSE"), "utf8")).toBe("free");
  return readFileSync(join(stdout.trim(), "engine.c"), "utf8");
}

describe("the patches of QuickJS", () => {
  const patches = join(import.meta.dirname, "../quickjs");
  const names = readdirSync(patches).filter((name) => name.endsWith(".patch"));
  const texts = names.map((name): readonly [string, string] => [name, readFileSync(join(patches, name), "utf8")]);

  it("are numbered, and the patches of the checking mode are last", () => {
    expect(names.map((name) => Number(name.slice(0, 2)))).toEqual(names.map((_, index) => index + 1));
    const isChecked = names.map((name) => /^\d\d-checked-/.test(name));
    expect(isChecked.indexOf(true)).toBe(isChecked.lastIndexOf(false) + 1);
  });

  it.each(texts)("each have a title and a reason: %s", (name, text) => {
    const [title = "", empty, ...rest] = text.split("\n");
    expect(name.slice(3)).toBe(`${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.patch`);
    expect(empty).toBe("");
    expect(
      rest
        .slice(
          0,
          rest.findIndex((line) => line.startsWith("diff ")),
        )
        .join(" "),
    ).toMatch(/^[A-Z].{80,}\. +$/);
  });

  it("have the names by which comments and documents refer to them", () => {
    const runtime = join(import.meta.dirname, "..");
    const files = readdirSync(runtime, { encoding: "utf8", recursive: true }).filter(
      (file) => /\.(?:c|h|inc|md|mjs|patch|ts)$/.test(file) && !file.startsWith("test/"),
    );
    const namedPatches = files.flatMap(
      (file) => readFileSync(join(runtime, file), "utf8").match(/\d\d-[a-z0-9-]+\.patch/g) ?? [],
    );
    expect(namedPatches.length).toBeGreaterThan(8);
    expect(namedPatches.filter((name) => !names.includes(name))).toEqual([]);
  });

  it("each apply to the result of the patch before", () => {
    const sums = texts.flatMap(([, text]) => Array.from(text.matchAll(/^index (\w{40})\.\.(\w{40}) /gm)));
    expect(sums).toHaveLength(names.length);
    expect(sums.slice(1).map(([, before]) => before)).toEqual(sums.slice(0, -1).map(([, , after]) => after));
  });
});

describe("the build", () => {
  it("applies patches in the order of their names, once for each version of the patches", () => {
    const [second, third] = [AFTER.replace("start", "begin"), AFTER.replace("start", "begin").replace("end", "stop")];
    const patches = {
      "01": createPatch(BEFORE, AFTER),
      "02": createPatch(AFTER, second),
      "10": createPatch(second, third),
    };
    const root = makeSources(BEFORE, patches);
    const first = applyPatches(root);
    expect(readPatched(first)).toBe(third);
    expect(applyPatches(root)).toEqual(first);
    // The build compares the text of the file, so a changed reason has the same effect as a changed line.
    writeFileSync(join(root, "patches/10.patch"), patches["10"].replace("needed", "useful"));
    const secondResult = applyPatches(root);
    expect(readPatched(secondResult)).toBe(third);
    expect(readdirSync(join(root, "cache"))).toHaveLength(2);
    expect(readFileSync(join(root, "published/engine.c"), "utf8")).toBe(BEFORE);
  });

  const keepPatch = (patch: string): string => patch;
  const replaceIn =
    (old: RegExp | string, text: string) =>
    (patch: string): string =>
      patch.replace(old, text);

  it.each([
    ["the source has its lines elsewhere", `\n${BEFORE}`, keepPatch, "was made for another engine.c"],
    [
      "the source has other lines next to it",
      BEFORE.replace("end();", "end(2);"),
      keepPatch,
      "was made for another engine.c",
    ],
    ["the source has other lines far from it", `${BEFORE}\n`, keepPatch, "was made for another engine.c"],
    ["it was applied before", AFTER, keepPatch, "was made for another engine.c"],
    ["a new line was changed by hand", BEFORE, replaceIn("work(1)", "work(2)"), "makes another engine.c"],
    ["an old line was changed by hand", BEFORE, replaceIn("-  work()", "-  work(3)"), "patch failed: engine.c:1"],
    ["a line is missing", BEFORE, replaceIn(/^ .*start.*\n/m, ""), "corrupt patch at line"],
    ["it has short sums", BEFORE, replaceIn(/^index .*$/m, "index 0123456..89abcde 100644"), "does not name the sums"],
    ["it has no sums", BEFORE, replaceIn(/^index .*\n/m, ""), "does not name the sums"],
    ["it changes nothing", BEFORE, replaceIn(/^diff[^]*/m, ""), "does not name the sums"],
  ])("refuses a patch in one line if %s", (_, text, changed, reason) => {
    const root = makeSources(text, { "01-change": changed(createPatch(BEFORE, AFTER)) });
    const { status, stdout, stderr } = applyPatches(root);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^01-change\.patch [^\n]+: node runtime\/build\/refresh-patches\.mjs\n$/);
    expect(stderr).toContain(reason);
    expect(readdirSync(join(root, "cache"))).toEqual([]);
  });

  it("neither uses the settings of git nor changes the repository in which the folder is", () => {
    const root = makeSources(BEFORE, { "01-change": createPatch(BEFORE, AFTER) });
    const git = (...words: readonly string[]): string => execFileSync("git", words, { cwd: root, encoding: "utf8" });
    git("init", "--quiet");
    git("add", "published", "patches");
    const settings =
      "[apply]\nwhitespace = fix\nignoreWhitespace = change\n[core]\nautocrlf = true\nwhitespace = cr-at-eol\n";
    const home = folder({ ".gitconfig": settings, "settings/git/config": settings });
    writeFileSync(join(root, ".git/config"), `${readFileSync(join(root, ".git/config"), "utf8")}${settings}`);
    const index = readFileSync(join(root, ".git/index"));
    const text = readPatched(
      applyPatches(root, {
        HOME: home,
        XDG_CONFIG_HOME: join(home, "settings"),
        GIT_DIR: join(root, ".git"),
        GIT_WORK_TREE: root,
        GIT_INDEX_FILE: join(root, ".git/index"),
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "apply.whitespace",
        GIT_CONFIG_VALUE_0: "fix",
      }),
    );
    expect(text).toBe(AFTER);
    expect(readFileSync(join(root, ".git/index"))).toEqual(index);
    expect(git("-c", "core.autocrlf=false", "status", "--porcelain", "--untracked-files=no")).not.toMatch(/^.M/m);
  });

  it("reports in one line that it needs git", () => {
    const root = makeSources(BEFORE, { "01-change": createPatch(BEFORE, AFTER) });
    expect(applyPatches(root, { PATH: root })).toEqual({
      status: 1,
      stdout: "",
      stderr: "there is no git, which applies patches: install git\n",
    });
  });
});
