/** The patches of QuickJS (runtime/quickjs), and how the build applies patches: exactly, or not at all. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../../test/helpers/sophia.ts";
import { patchOf, runTask, type Task } from "./helpers/patch-of.ts";

/** Two functions with the same lines, as QuickJS has many. */
const BEFORE = ["first", "second"]
  .map((name) => `int ${name}(void) {\n  start();\n  work();\n  end();\n}\n`)
  .join("\n");
/** With a space at the end of the line, which git's setting `apply.whitespace` would remove. */
const AFTER = BEFORE.replace("  work();", "  work(1); ");

/** Makes a folder with published sources and patches of them. */
function place(text: string, patches: Readonly<Record<string, string>>): string {
  const named = Object.entries(patches).map(([name, patch]) => [`patches/${name}.patch`, patch]);
  return folder({ "published/engine.c": text, "published/LICENSE": "free", ...Object.fromEntries(named) });
}

/** Applies the patches of such a folder. */
function apply(root: string, env?: NodeJS.ProcessEnv): Task {
  const [published = "", patches = "", prefix = ""] = ["published", "patches", "cache/engine"].map((name) =>
    join(root, name),
  );
  return runTask(["apply", published, patches, prefix], env);
}

/** Returns the patched text. */
function textOf({ status, stdout, stderr }: Task): string {
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(stdout.trim(), "LICENSE"), "utf8")).toBe("free");
  return readFileSync(join(stdout.trim(), "engine.c"), "utf8");
}

describe("the patches of QuickJS", () => {
  const patches = join(import.meta.dirname, "../quickjs");
  const names = readdirSync(patches).filter((name) => name.endsWith(".patch"));
  const texts = names.map((name): readonly [string, string] => [name, readFileSync(join(patches, name), "utf8")]);

  it("are numbered, those of the checking mode last", () => {
    expect(names.map((name) => Number(name.slice(0, 2)))).toEqual(names.map((_, index) => index + 1));
    const isChecked = names.map((name) => /^\d\d-checked-/.test(name));
    expect(isChecked.indexOf(true)).toBe(isChecked.lastIndexOf(false) + 1);
  });

  it.each(texts)("%s has a title and says why it is there", (name, text) => {
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
    const named = files.flatMap(
      (file) => readFileSync(join(runtime, file), "utf8").match(/\d\d-[a-z0-9-]+\.patch/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !names.includes(name))).toEqual([]);
  });

  it("each begin with what the one before has made", () => {
    const sums = texts.flatMap(([, text]) => Array.from(text.matchAll(/^index (\w{40})\.\.(\w{40}) /gm)));
    expect(sums).toHaveLength(names.length);
    expect(sums.slice(1).map(([, before]) => before)).toEqual(sums.slice(0, -1).map(([, , after]) => after));
  });
});

describe("the build", () => {
  it("applies patches in the order of their names, once for each version of them", () => {
    const [second, third] = [AFTER.replace("start", "begin"), AFTER.replace("start", "begin").replace("end", "stop")];
    const patches = { "01": patchOf(BEFORE, AFTER), "02": patchOf(AFTER, second), "10": patchOf(second, third) };
    const root = place(BEFORE, patches);
    const first = apply(root);
    expect(textOf(first)).toBe(third);
    expect(apply(root)).toEqual(first);
    // A changed reason suffices, as a changed line does: the file's text is what counts.
    writeFileSync(join(root, "patches/10.patch"), patches["10"].replace("needed", "useful"));
    const other = apply(root);
    expect(textOf(other)).toBe(third);
    expect(readdirSync(join(root, "cache"))).toHaveLength(2);
    expect(readFileSync(join(root, "published/engine.c"), "utf8")).toBe(BEFORE);
  });

  const same = (patch: string): string => patch;
  const replaced =
    (old: RegExp | string, text: string) =>
    (patch: string): string =>
      patch.replace(old, text);

  it.each([
    ["its lines are elsewhere", `\n${BEFORE}`, same, "was made for another engine.c"],
    ["lines next to it are other ones", BEFORE.replace("end();", "end(2);"), same, "was made for another engine.c"],
    ["lines far from it are other ones", `${BEFORE}\n`, same, "was made for another engine.c"],
    ["it was applied before", AFTER, same, "was made for another engine.c"],
    ["a new line was changed by hand", BEFORE, replaced("work(1)", "work(2)"), "makes another engine.c"],
    ["an old line was changed by hand", BEFORE, replaced("-  work()", "-  work(3)"), "patch failed: engine.c:1"],
    ["a line is missing", BEFORE, replaced(/^ .*start.*\n/m, ""), "corrupt patch at line"],
    ["it has short sums", BEFORE, replaced(/^index .*$/m, "index 0123456..89abcde 100644"), "does not name the sums"],
    ["it has no sums", BEFORE, replaced(/^index .*\n/m, ""), "does not name the sums"],
    ["it changes nothing", BEFORE, replaced(/^diff[^]*/m, ""), "does not name the sums"],
  ])("refuses a patch in one line if %s", (_, text, changed, reason) => {
    const root = place(text, { "01-change": changed(patchOf(BEFORE, AFTER)) });
    const { status, stdout, stderr } = apply(root);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^01-change\.patch [^\n]+: node runtime\/build\/refresh-patches\.mjs\n$/);
    expect(stderr).toContain(reason);
    expect(readdirSync(join(root, "cache"))).toEqual([]);
  });

  it("neither takes settings of git nor touches a repository around it", () => {
    const root = place(BEFORE, { "01-change": patchOf(BEFORE, AFTER) });
    const git = (...words: readonly string[]): string => execFileSync("git", words, { cwd: root, encoding: "utf8" });
    git("init", "--quiet");
    git("add", "published", "patches");
    const settings =
      "[apply]\nwhitespace = fix\nignoreWhitespace = change\n[core]\nautocrlf = true\nwhitespace = cr-at-eol\n";
    const home = folder({ ".gitconfig": settings, "settings/git/config": settings });
    writeFileSync(join(root, ".git/config"), `${readFileSync(join(root, ".git/config"), "utf8")}${settings}`);
    const index = readFileSync(join(root, ".git/index"));
    const text = textOf(
      apply(root, {
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

  it("says that it needs git", () => {
    const root = place(BEFORE, { "01-change": patchOf(BEFORE, AFTER) });
    expect(apply(root, { PATH: root })).toEqual({
      status: 1,
      stdout: "",
      stderr: "there is no git, which applies patches: install git\n",
    });
  });
});
