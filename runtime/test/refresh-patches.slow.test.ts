/** Tests refresh-patches.mjs, with which a maintainer changes the patches of QuickJS, and moves them to another version of QuickJS. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../../test/helpers/sophia.ts";
import { createPatch, runTask, type TaskResult } from "./helpers/patch-of.ts";

const LINES = Array.from({ length: 40 }, (_, index) => `  call(${index});\n`);
/** Returns the text of engine.c, with changes by the index of their line, from 0. */
const engineText = (changes: Readonly<Record<number, string>> = {}): string =>
  LINES.map((line, index) => changes[index] ?? line).join("");
const AFTER_FIRST = { 10: "  first();\n" };
const AFTER_SECOND = { ...AFTER_FIRST, 30: "  second();\n" };

/** The sources of a library, and two patches, which are made for `engineText()`. Other sources stand for a newer version. */
class Library {
  readonly root: string;
  readonly work: string;

  constructor(published: string = engineText()) {
    this.root = folder({
      "published/engine.c": published,
      // The library ignores engine.c, and the repository of the work folder must have it anyway.
      "published/.gitignore": "*.c\n",
      "patches/01-first-change.patch": createPatch(engineText(), engineText(AFTER_FIRST)),
      "patches/02-second-change.patch": createPatch(engineText(AFTER_FIRST), engineText(AFTER_SECOND), "Second change"),
    });
    this.work = join(this.root, "work");
  }

  task(name: "apply" | "refresh" | "edit", version = "library 2.0.0"): TaskResult {
    const output = name === "apply" ? "cache/engine" : "work";
    const folders = ["published", "patches", output].map((each) => join(this.root, each));
    return runTask([name, ...folders, version]);
  }

  /** Runs git in the work folder, which `edit` makes a repository. */
  git(...args: readonly string[]): string {
    return execFileSync("git", ["-C", this.work, ...args], { encoding: "utf8", stdio: "pipe" });
  }

  write(content: string): void {
    writeFileSync(join(this.work, "engine.c"), content);
  }

  patches(): Readonly<Record<string, string>> {
    const names = readdirSync(join(this.root, "patches")).toSorted();
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(this.root, "patches", name), "utf8")]));
  }

  /** Returns the text after all patches have been applied, or the reason why they cannot be applied. */
  patched(): string {
    const { status, stdout, stderr } = this.task("apply");
    return status === 0 ? readFileSync(join(stdout.trim(), "engine.c"), "utf8") : stderr;
  }
}

const failureWith = (stderr: unknown): object => ({ status: 1, stdout: "", stderr });

describe("node runtime/build/refresh-patches.mjs", () => {
  it("leaves patches as they are if nothing has changed", () => {
    const library = new Library();
    const before = library.patches();
    expect(library.task("refresh")).toEqual({ status: 0, stdout: "\n", stderr: "" });
    expect(library.patches()).toEqual(before);
    expect(existsSync(library.work)).toBe(false);
  });

  it("moves patches to a version that has other lines around the changed lines", () => {
    const library = new Library(`// 2.0\n${engineText({ 20: "  other();\n" })}`);
    expect(library.task("apply")).toEqual(failureWith(expect.stringContaining("01-first-change.patch does not apply")));
    const { status, stdout } = library.task("refresh");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "01-first-change.patch\n02-second-change.patch\n" });
    expect(library.patched()).toBe(`// 2.0\n${engineText({ ...AFTER_SECOND, 20: "  other();\n" })}`);
    expect(Object.values(library.patches())).toEqual([
      expect.stringMatching(/^First change\n\nIt is needed\.\n\ndiff /),
      expect.stringMatching(/^Second change\n\nIt is needed\.\n\ndiff /),
    ]);
  });

  it("stops at a patch that does not apply, and continues after the maintainer has run the commands that it prints", () => {
    const renamed = { 11: "  renamed();\n" };
    const library = new Library(engineText(renamed));
    const work = relative(process.cwd(), library.work);
    const stopped = library.task("refresh");
    expect(stopped).toEqual(
      failureWith(
        [
          "01-first-change.patch does not apply to library 2.0.0: patch failed: engine.c:8",
          `  make the changes in engine.c.rej by hand in ${work}, then run`,
          `    git -C ${work} add --update`,
          `    git -C ${work} am --continue`,
          "    node runtime/build/refresh-patches.mjs",
          "",
        ].join("\n"),
      ),
    );
    const again = library.task("refresh");
    expect(again).toEqual(failureWith(expect.stringMatching(/^a patch does not apply yet\n {2}make the changes in /)));
    library.write(engineText({ ...renamed, ...AFTER_FIRST }));
    const commands = stopped.stderr.match(/^ {4}git .*$/gm) ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) execFileSync("sh", ["-c", command], { stdio: "pipe" });
    expect(library.task("refresh").status).toBe(0);
    expect(library.patched()).toBe(engineText({ ...renamed, ...AFTER_SECOND }));
    expect(existsSync(library.work)).toBe(false);
  });

  it("writes the patches that were changed, added and removed after --edit", () => {
    const library = new Library();
    expect(library.task("edit")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(library.git("log", "--reverse", "--format=%s")).toBe("library 2.0.0\nFirst change\nSecond change\n");
    library.git("reset", "--quiet", "--hard", "HEAD~2");
    library.write(engineText({ 10: "  first(1);\n" }));
    library.git("commit", "--quiet", "--all", "-m", "First change", "-m", "It has a number — now.");
    library.write(engineText({ 10: "  first(1);\n", 5: "  third();\n" }));
    library.git("commit", "--quiet", "--all", "-m", "Third change: the `call`", "-m", "It is new.");
    const names = ["01-first-change.patch", "02-third-change-the-call.patch"];
    const { status, stdout } = library.task("refresh");
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "01-first-change.patch\n02-second-change.patch\n02-third-change-the-call.patch\n",
    });
    expect(Object.keys(library.patches())).toEqual(names);
    expect(library.patches()["01-first-change.patch"]).toMatch(/^First change\n\nIt has a number — now\.\n\ndiff /);
    expect(library.patched()).toBe(engineText({ 10: "  first(1);\n", 5: "  third();\n" }));
    // A second run changes nothing, so the dash, which is not ASCII, has survived.
    expect(library.task("refresh")).toEqual({ status: 0, stdout: "\n", stderr: "" });
  });

  it("writes the same patches whatever the settings of git are", () => {
    const library = new Library();
    library.task("edit");
    for (const [name, value] of [
      ["diff.noprefix", "true"],
      ["diff.context", "9"],
      ["diff.algorithm", "patience"],
      ["core.abbrev", "8"],
      ["color.ui", "always"],
    ] as const)
      library.git("config", name, value);
    expect(library.task("refresh")).toEqual({ status: 0, stdout: "\n", stderr: "" });
  });

  it.each([
    [
      "a change that is in no commit",
      (library: Library) => library.write(engineText()),
      /^\S+ has changes that are in no commit: engine\.c\n$/,
    ],
    [
      "a new file that is in no commit",
      (library: Library) => writeFileSync(join(library.work, "notes"), ""),
      /^\S+ has changes that are in no commit: notes\n$/,
    ],
    [
      "a commit without a reason",
      (library: Library) => library.git("commit", "--quiet", "--allow-empty", "-m", "Title"),
      /^\S+: the commit "Title" has only a title: say below it why it is there\n$/,
    ],
    [
      "a rebase that is not finished",
      (library: Library) => expect(() => library.git("rebase", "--exec", "false", "HEAD~1")).toThrow("git rebase"),
      /^\S+ is in a rebase\n {2}end it: git -C \S+ rebase --continue\n$/,
    ],
    [
      "patches that have changed meanwhile",
      (library: Library) => writeFileSync(join(library.root, "patches/02-second-change.patch"), ""),
      /^\S+ was made of other sources or patches than there are now\n {2}keep what you need of it, remove it, and run /,
    ],
  ])("refuses %s, and loses nothing", (_, change, reason) => {
    const library = new Library();
    library.task("edit");
    change(library);
    const before = library.patches();
    const head = library.git("rev-parse", "HEAD");
    expect(library.task("refresh")).toEqual(failureWith(expect.stringMatching(reason)));
    expect(library.patches()).toEqual(before);
    expect(library.git("rev-parse", "HEAD")).toBe(head);
    expect(library.task("edit")).toEqual(
      failureWith(expect.stringMatching(/^\S+ exists: node runtime\/build\/refresh-/)),
    );
  });

  it("refuses commits for another version", () => {
    const library = new Library();
    library.task("edit", "library 1.0.0");
    expect(library.task("refresh")).toEqual(
      failureWith(expect.stringContaining("was made of other sources or patches")),
    );
  });
});
