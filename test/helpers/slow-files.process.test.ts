import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { testFiles } from "./projects.mts";
import { notInstalled, skipBecause } from "./skip.ts";
import { changedFiles, ELSEWHERE, slowFileLines, slowFilesFor } from "./slow-files.ts";
import { folder } from "./sophia.ts";

const root = join(import.meta.dirname, "../..");

/** The test files of a small repository, some of which start the program, import a function through a helper, or read a file. */
const TREE = {
  "test/commands/rotate/rotate.slow.test.ts": 'import { sophia } from "../../helpers/sophia.ts";\n',
  "test/commands/takers.slow.test.ts": "",
  "test/commands/rotate/words.test.ts": 'import "../../../src/commands/rotate/words.ts";\n',
  "test/esc/retry.slow.test.ts": 'import { readEscFrom } from "./read-esc.ts";\n',
  "test/esc/read-esc.ts": 'import { decide } from "../../src/network/retry.ts";\n',
  "test/helpers/sophia.ts": "",
  "test/scenarios/trust.slow.test.ts": 'readFileSync(join(root, "scripts/places/docker.sh"));\n',
  "test/scenarios/documents.standalone.test.ts": "",
  "runtime/test/files.standalone.test.ts": "",
};

/** Makes a folder with the files of {@link TREE} and further files. */
function makeTree(files: Readonly<Record<string, string>> = {}): string {
  const path = folder();
  for (const [name, text] of Object.entries({ ...TREE, ...files })) writeInTree(path, name, text);
  return path;
}

function writeInTree(path: string, name: string, text: string): void {
  mkdirSync(join(path, dirname(name)), { recursive: true });
  writeFileSync(join(path, name), text);
}

describe("the slow tests that cover a file", () => {
  const ROTATE = "test/commands/rotate/rotate.slow.test.ts";
  const TRUST = "test/scenarios/trust.slow.test.ts";
  const DOCUMENTS = "test/scenarios/documents.standalone.test.ts";
  test.each([
    ["of a command are the tests in its folder", "src/commands/rotate/new-value.ts", [ROTATE]],
    [
      "of a folder inside a command's folder are the tests of the command",
      "src/commands/rotate/token/create.ts",
      [ROTATE],
    ],
    [
      "of the folder of all commands are the tests directly in it",
      "src/commands/dispatch.ts",
      ["test/commands/takers.slow.test.ts"],
    ],
    ["that a test imports through a helper are this test", "src/network/retry.ts", ["test/esc/retry.slow.test.ts"]],
    [
      "of a command without slow tests are the tests of all commands and across modules",
      "src/commands/allow/allow.ts",
      ["test/commands/takers.slow.test.ts", DOCUMENTS, TRUST],
    ],
    ["of a module without slow tests are the tests across modules", "src/core/text.ts", [DOCUMENTS, TRUST]],
    ["that is a helper are the tests that import it", "test/helpers/sophia.ts", [ROTATE]],
    ["that is a slow test are the file itself", ROTATE, [ROTATE]],
    [
      "with the snapshots of a slow test are this test",
      "test/commands/rotate/__snapshots__/rotate.slow.test.ts.snap",
      [ROTATE],
    ],
    ["that is a quick test are none", "test/commands/rotate/words.test.ts", []],
    ["that a test runs or reads by its path are this test", "scripts/places/docker.sh", [TRUST]],
    ["that is a document are the tests of documents", "docs/secrets.md", [DOCUMENTS]],
    ["of the runtime are the runtime's tests", "runtime/native/files.c", ["runtime/test/files.standalone.test.ts"]],
    ["that no test is about are none", "package.json", []],
  ])("%s", (_, changed, expected) => {
    expect(slowFilesFor([changed], makeTree())).toEqual(expected);
  });

  test("exist for each folder whose tests are in another folder", () => {
    for (const [, tests] of ELSEWHERE)
      expect(
        testFiles().some((file) => file.startsWith(tests)),
        tests,
      ).toBe(true);
  });

  test("are found in less than a second of processor time in this repository", () => {
    const changed = [
      "src/core/text.ts",
      "src/commands/rotate/new-value.ts",
      "docs/secrets.md",
      "runtime/native/files.c",
    ];
    const started = process.cpuUsage();
    expect(slowFilesFor(changed, root)).toContain("test/commands/rotate/rotate.slow.test.ts");
    const { user, system } = process.cpuUsage(started);
    expect(user + system).toBeLessThan(1_000_000);
  });
});

function runGit(path: string, ...args: readonly string[]): void {
  execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@example.test", ...args], {
    cwd: path,
    stdio: "pipe",
  });
}

/**
 * Makes a branch with a commit, a change that is not committed, a file that was renamed to an unusual name, and an ignored file.
 */
function makeBranch(): string {
  const path = makeTree({ "src/a.ts": "", "src/b.ts": "", "src/c.ts": "one\n", ".gitignore": "dist\n" });
  runGit(path, "init", "--quiet", "--initial-branch=main");
  runGit(path, "add", ".");
  runGit(path, "commit", "--quiet", "--message=one");
  runGit(path, "checkout", "--quiet", "-b", "work");
  writeInTree(path, "src/a.ts", "changed");
  runGit(path, "commit", "--quiet", "--all", "--message=two");
  writeInTree(path, "src/b.ts", "changed");
  renameSync(join(path, "src/c.ts"), join(path, "src/d ü.ts"));
  writeInTree(path, "dist/e.js", "");
  return path;
}

describe("the files that differ from main", () => {
  skipBecause(notInstalled("git", "--version"));

  test("are the files of commits and of the work tree, and new files, and not ignored files", () => {
    const path = makeBranch();
    expect(changedFiles(path).toSorted()).toEqual(["src/a.ts", "src/b.ts", "src/c.ts", "src/d ü.ts"]);
    // A commit on main, which the branch lacks, is no change of the branch.
    runGit(path, "stash", "--quiet", "--include-untracked");
    runGit(path, "checkout", "--quiet", "main");
    writeInTree(path, "src/f.ts", "");
    runGit(path, "add", ".");
    runGit(path, "commit", "--quiet", "--message=three");
    expect(changedFiles(path)).toEqual([]);
    runGit(path, "checkout", "--quiet", "work");
    expect(changedFiles(path)).toEqual(["src/a.ts"]);
  });

  test("are the files of the work tree in a shallow clone, which has no main", () => {
    const path = join(folder(), "clone");
    runGit(".", "clone", "--quiet", "--depth=1", "--branch=work", `file://${makeBranch()}`, path);
    expect(changedFiles(path)).toEqual([]);
    writeInTree(path, "src/b.ts", "changed again");
    expect(changedFiles(path)).toEqual(["src/b.ts"]);
  });

  test("are none without a repository, in a repository without a commit, and in a folder inside another project's repository", () => {
    expect(changedFiles(makeTree())).toEqual([]);
    const empty = makeTree();
    runGit(empty, "init", "--quiet");
    expect(changedFiles(empty)).toEqual([]);
    const outer = makeBranch();
    for (const [name, text] of Object.entries(TREE)) writeInTree(join(outer, "unpacked"), name, text);
    expect(changedFiles(join(outer, "unpacked"))).toEqual([]);
    expect(slowFileLines(join(outer, "unpacked"))).toEqual([]);
  });

  test("have their slow tests printed as one command, with a folder in place of all its files", () => {
    const path = makeBranch();
    expect(slowFileLines(path)).toEqual([
      "slow tests of what this change touches, 2 of 6 files:",
      "  npx vitest run --project=slow --project=standalone test/scenarios/",
    ]);
    writeInTree(path, "src/commands/rotate/new-value.ts", "");
    expect(slowFileLines(path)[1]).toBe(
      "  npx vitest run --project=slow --project=standalone test/commands/rotate/rotate.slow.test.ts test/scenarios/",
    );
  });
});
